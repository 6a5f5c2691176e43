-- The monthly answer that a brand team asks for: how each brand does in each territory, as a share of its market, and
-- what effort stood behind it. A week belongs to the month of its Monday, for fills and for effort alike: of the weeks
-- that overlap a month, those that begin in it.
with prescribed as (
    select
        drug_key,
        territory_key,
        {{ month_of('week_start') }} as month,
        sum(fills) as fills,
        sum(new_fills) as new_fills,
        sum(units::decimal(18, 3)) as units,
        sum(paid_amount) as paid_amount,
        count(distinct hcp_key) as prescribers
    from {{ ref('fct_rx_weekly') }}
    where {{ in_months(month_of('week_start')) }}
    group by all
),

-- A call counts for each brand that it detailed.
detailed as (
    select call_id, npi, week_start, brand_id
    from {{ source('engagement', 'call') }}
    where brand_id is not null
    union
    select call_id, npi, week_start, second_brand_id
    from {{ source('engagement', 'call') }}
    where second_brand_id is not null
),

effort as (
    select npi, brand_id, week_start, 1 as calls, 0 as samples, 0::decimal(18, 2) as payments_usd
    from detailed
    union all
    select npi, brand_id, week_start, 0, quantity, 0
    from {{ source('engagement', 'sample_drop') }}
    where brand_id is not null
    union all
    -- Payments of the star's weeks only: the ledger reaches further back. One that was filed twice counts once.
    select payment.npi, payment.brand_id, calendar.week_start, 0, 0, payment.amount_usd
    from {{ source('engagement', 'payment') }} as payment
    inner join {{ ref('dim_date') }} as calendar on payment.payment_date = calendar.date_day
    where payment.brand_id is not null and payment.likely_double_of is null
        and calendar.week_start >= '{{ var("first_week") }}'::date
),

engaged as (
    select
        coalesce(drug.drug_key, -1) as drug_key,
        coalesce(hcp.territory_key, -1) as territory_key,
        {{ month_of('effort.week_start') }} as month,
        sum(effort.calls) as calls,
        sum(effort.samples) as samples,
        sum(effort.payments_usd) as payments_usd
    from effort
    left join {{ ref('dim_hcp') }} as hcp on effort.npi = hcp.npi
    left join {{ ref('dim_drug') }} as drug on effort.brand_id = drug.brand_id
    where {{ in_months(month_of('effort.week_start')) }}
    group by all
),

together as (
    select
        drug_key,
        territory_key,
        month,
        coalesce(prescribed.fills, 0) as fills,
        coalesce(prescribed.new_fills, 0) as new_fills,
        coalesce(prescribed.units, 0) as units,
        coalesce(prescribed.paid_amount, 0) as paid_amount,
        coalesce(prescribed.prescribers, 0) as prescribers,
        coalesce(engaged.calls, 0) as calls,
        coalesce(engaged.samples, 0) as samples,
        coalesce(engaged.payments_usd, 0) as payments_usd
    from prescribed
    full join engaged using (drug_key, territory_key, month)
),

named as (
    select
        together.*,
        drug.brand_id,
        drug.brand_name,
        drug.basket_name,
        territory.territory_id,
        sum(together.fills) over (
            partition by drug.basket_name, together.territory_key, together.month
        ) as basket_fills
    from together
    inner join {{ ref('dim_drug') }} as drug on together.drug_key = drug.drug_key
    inner join {{ ref('dim_territory') }} as territory on together.territory_key = territory.territory_key
)

select
    brand_id::varchar as brand_id,
    territory_id::varchar as territory_id,
    month::date as month,
    brand_name::varchar as brand_name,
    basket_name::varchar as basket_name,
    fills::bigint as fills,
    new_fills::bigint as new_fills,
    units::double as units,
    paid_amount::decimal(18, 2) as paid_amount,
    prescribers::bigint as prescribers,
    basket_fills::bigint as basket_fills,
    (fills::double / nullif(basket_fills, 0)::double)::double as basket_share,
    calls::bigint as calls,
    samples::bigint as samples,
    payments_usd::decimal(18, 2) as payments_usd
from named
