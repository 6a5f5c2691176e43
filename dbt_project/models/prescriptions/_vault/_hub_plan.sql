-- Hub: every plan that a drop of this run names, once, with the drop that named it first.
select
    {{ hash_key('plan_id') }} as plan_hk,
    plan_id,
    min(drop_week) as load_date,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'fill' and plan_id is not null
group by plan_id
