-- The calendar of the star: every day of the years that hold a week of the mesh.
with calendar as (
    select unnest(generate_series(date '2023-01-01', date '2025-01-31', interval 1 day))::date as date_day
)

select
    date_day::date as date_day,
    strftime(date_day, '%Y%m%d')::integer as date_key,
    {{ week_of('date_day') }} as week_start,
    date_trunc('month', date_day)::date as month,
    -- A week belongs to the month of its Monday, wherever weeks are added up to months.
    date_trunc('month', {{ week_of('date_day') }})::date as month_of_week,
    date_trunc('quarter', date_day)::date as quarter,
    extract(year from date_day)::integer as year,
    extract(month from date_day)::integer as month_of_year,
    extract(isodow from date_day)::integer as day_of_week,
    strftime(date_day, '%B')::varchar as month_name,
    (extract(isodow from date_day) >= 6)::boolean as is_weekend
from calendar
