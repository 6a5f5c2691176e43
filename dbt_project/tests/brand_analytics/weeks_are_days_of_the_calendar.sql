-- Facts join the calendar on their Monday.
select fact.week_start
from {{ ref('fct_rx_weekly') }} as fact
anti join {{ ref('dim_date') }} as calendar on fact.week_start = calendar.date_day
