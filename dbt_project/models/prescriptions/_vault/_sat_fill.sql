-- Satellite: what the claims feed said of a fill at each load. A correction in a later drop is a row of its own; the
-- same fill twice in one drop stays twice, so that the contract of rx_fill refuses it.
select
    {{ hash_key('fill_id') }} as fill_hk,
    drop_week as load_date,
    fill_date,
    {{ week_of('fill_date') }} as week_start,
    days_supply,
    quantity,
    refill_number,
    paid_amount,
    copay_amount,
    received_at,
    'prescriptions/fills' as record_source
from {{ source('prescriptions_sources', 'fills') }}
where claim_type = 'fill' and {{ in_weeks(week_of('fill_date')) }}
    and {{ in_late_window('drop_week', week_of('fill_date')) }}
