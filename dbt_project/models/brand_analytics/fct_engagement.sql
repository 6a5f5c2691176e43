-- Effort on the star: calls, samples and payments by prescriber and week; effort on persons whom the master does not
-- know is added up on the unknown member.
with keyed as (
    select
        coalesce(hcp.hcp_key, -1) as hcp_key,
        coalesce(hcp.territory_key, -1) as territory_key,
        engagement.week_start,
        engagement.calls,
        engagement.in_person_calls,
        engagement.remote_calls,
        engagement.emails,
        engagement.samples,
        engagement.payments,
        engagement.payments_usd
    from {{ source('engagement', 'hcp_engagement_weekly') }} as engagement
    left join {{ ref('dim_hcp') }} as hcp on engagement.npi = hcp.npi
    where {{ in_weeks('engagement.week_start') }}
)

select
    hcp_key::bigint as hcp_key,
    territory_key::bigint as territory_key,
    week_start::date as week_start,
    sum(calls)::bigint as calls,
    sum(in_person_calls)::bigint as in_person_calls,
    sum(remote_calls)::bigint as remote_calls,
    sum(emails)::bigint as emails,
    sum(samples)::bigint as samples,
    sum(payments)::bigint as payments,
    sum(payments_usd)::decimal(18, 2) as payments_usd
from keyed
group by hcp_key, territory_key, week_start
