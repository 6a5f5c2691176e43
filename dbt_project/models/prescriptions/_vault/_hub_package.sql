-- Hub: every package that a drop of this run names, once, with the drop that named it first.
select
    {{ hash_key('ndc11') }} as package_hk,
    ndc11,
    min(drop_week) as load_date,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'fill' and ndc11 is not null
group by ndc11
