-- Hub: every prescriber that a drop of this run names, once, with the drop that named it first.
select
    {{ hash_key('npi') }} as hcp_hk,
    npi,
    min(drop_week) as load_date,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'fill' and npi is not null
group by npi
