-- Hub: every patient that a drop of this run names, once, with the drop that named it first.
select
    {{ hash_key('patient_id') }} as patient_hk,
    patient_id,
    min(drop_week) as load_date,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'fill' and patient_id is not null
group by patient_id
