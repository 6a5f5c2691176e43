-- Plans with payer, line of business and reach; -1 is the plan that nobody filed.
with area as (
    select
        plan_id,
        count(*) as states
    from {{ source('payer', 'plan_area') }}
    group by plan_id
)

select
    {{ surrogate_key('plan', 'plan.plan_id') }}::bigint as plan_key,
    plan.plan_id::varchar as plan_id,
    plan.plan_name::varchar as plan_name,
    plan.payer_name::varchar as payer_name,
    plan.line_of_business::varchar as line_of_business,
    plan.enrollment::bigint as enrollment,
    coalesce(area.states, 0)::integer as state_count,
    plan.effective_from::date as effective_from
from {{ source('payer', 'plan') }} as plan
left join area on plan.plan_id = area.plan_id
union all
select -1, 'UNKNOWN', 'Unknown plan', 'Unknown', 'unknown', 0, 0, null
