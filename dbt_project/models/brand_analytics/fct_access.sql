-- Market access: for each brand on any formulary and each plan, whether the plan covers it and on which terms.
with best as (
    select *
    from {{ source('payer', 'formulary_coverage') }}
    qualify row_number() over (
        partition by brand_id, plan_id
        order by tier, prior_authorization, step_therapy, effective_from desc, formulary_id
    ) = 1
),

filed_brand as (
    select distinct brand_id
    from {{ source('payer', 'formulary_coverage') }}
)

select
    drug.drug_key::bigint as drug_key,
    plan.plan_key::bigint as plan_key,
    drug.brand_id::varchar as brand_id,
    plan.plan_id::varchar as plan_id,
    (best.brand_id is not null)::boolean as is_covered,
    best.formulary_id::varchar as formulary_id,
    best.tier::integer as tier,
    coalesce(best.prior_authorization, false)::boolean as prior_authorization,
    coalesce(best.step_therapy, false)::boolean as step_therapy,
    -- Tier 1 or 2 and nothing to ask for first: what the field calls preferred.
    coalesce(best.tier <= 2 and not best.prior_authorization and not best.step_therapy, false)::boolean
        as is_preferred,
    plan.enrollment::bigint as enrollment
from filed_brand
inner join {{ ref('dim_drug') }} as drug on filed_brand.brand_id = drug.brand_id
cross join {{ ref('dim_plan') }} as plan
left join best on filed_brand.brand_id = best.brand_id and plan.plan_id = best.plan_id
where plan.plan_key <> -1
