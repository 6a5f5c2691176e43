-- Nothing is lost or doubled between fills and weeks.
with fills as (
    select week_start, count(*) as fills, sum(paid_amount) as paid_amount
    from {{ ref('rx_fill') }}
    where not is_reversed
    group by week_start
),

weekly as (
    select week_start, sum(fills) as fills, sum(paid_amount) as paid_amount
    from {{ ref('rx_weekly') }}
    group by week_start
)

select week_start
from fills
full join weekly using (week_start)
where fills.fills is distinct from weekly.fills or fills.paid_amount is distinct from weekly.paid_amount
