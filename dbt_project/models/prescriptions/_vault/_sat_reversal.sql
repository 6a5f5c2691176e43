-- Satellite: when the claims feed first reversed a fill.
select
    {{ hash_key('reversed_fill_id') }} as fill_hk,
    min(drop_week) as load_date,
    min(received_at) as received_at,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'reversal' and reversed_fill_id is not null
group by reversed_fill_id
