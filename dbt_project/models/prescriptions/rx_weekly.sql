-- What sales and marketing count: fills that stood, by prescriber, brand, plan and week.
select
    npi::varchar as npi,
    brand_id::varchar as brand_id,
    plan_id::varchar as plan_id,
    week_start::date as week_start,
    count(*)::bigint as fills,
    (count(*) filter (refill_number = 0))::bigint as new_fills,
    -- Summed as decimals: a sum of doubles depends on the order in which threads add.
    sum(quantity::decimal(18, 3))::double as units,
    sum(days_supply)::bigint as days_supply,
    sum(paid_amount)::decimal(18, 2) as paid_amount,
    sum(copay_amount)::decimal(18, 2) as copay_amount,
    count(distinct patient_id)::bigint as patients
from {{ ref('rx_fill') }}
where not is_reversed
group by npi, brand_id, plan_id, week_start
