-- Fills on the star: same grain as prescriptions.rx_weekly with keys of the dimensions; what no dimension knows is
-- added up on the unknown members instead of being lost.
with keyed as (
    select
        coalesce(hcp.hcp_key, -1) as hcp_key,
        coalesce(drug.drug_key, -1) as drug_key,
        coalesce(plan.plan_key, -1) as plan_key,
        coalesce(hcp.territory_key, -1) as territory_key,
        rx.week_start,
        rx.fills,
        rx.new_fills,
        rx.units,
        rx.days_supply,
        rx.paid_amount,
        rx.copay_amount,
        rx.patients
    from {{ source('prescriptions', 'rx_weekly') }} as rx
    left join {{ ref('dim_hcp') }} as hcp on rx.npi = hcp.npi
    left join {{ ref('dim_drug') }} as drug on rx.brand_id = drug.brand_id
    left join {{ ref('dim_plan') }} as plan on rx.plan_id = plan.plan_id
    where {{ in_weeks('rx.week_start') }}
)

select
    hcp_key::bigint as hcp_key,
    drug_key::bigint as drug_key,
    plan_key::bigint as plan_key,
    territory_key::bigint as territory_key,
    week_start::date as week_start,
    sum(fills)::bigint as fills,
    sum(new_fills)::bigint as new_fills,
    -- Decimals add up to the same number in any order; doubles do not.
    sum(units::decimal(18, 3))::double as units,
    sum(days_supply)::bigint as days_supply,
    sum(paid_amount)::decimal(18, 2) as paid_amount,
    sum(copay_amount)::decimal(18, 2) as copay_amount,
    sum(patients)::bigint as patients
from keyed
group by hcp_key, drug_key, plan_key, territory_key, week_start
