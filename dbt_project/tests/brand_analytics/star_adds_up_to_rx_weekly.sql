-- Unknown members keep what no dimension knows: the star's totals are those of prescriptions.
with received as (
    select sum(fills) as fills, sum(paid_amount) as paid_amount
    from {{ source('prescriptions', 'rx_weekly') }}
),

star as (
    select sum(fills) as fills, sum(paid_amount) as paid_amount
    from {{ ref('fct_rx_weekly') }}
),

performance as (
    select sum(fills) as fills, sum(paid_amount) as paid_amount
    from {{ ref('brand_performance') }}
)

select received.fills, star.fills as star_fills, performance.fills as performance_fills
from received, star, performance
where received.fills is distinct from star.fills
    or received.fills is distinct from performance.fills
    or received.paid_amount is distinct from star.paid_amount
    or received.paid_amount is distinct from performance.paid_amount
