-- One row per brand: what a rep, a formulary and a claim all mean, whatever spelling a labeler filed.
with named as (
    select
        brand_id,
        brand_name,
        count(*) as products,
        row_number() over (partition by brand_id order by count(*) desc, brand_name) as rank
    from {{ ref('drug_product') }}
    group by brand_id, brand_name
),

generic as (
    select
        brand_id,
        lower(generic_name) as generic_name,
        row_number() over (partition by brand_id order by count(*) desc, lower(generic_name)) as rank
    from {{ ref('drug_product') }}
    group by brand_id, lower(generic_name)
),

-- The owner and not a repackager: the labeler code that marketed the brand first.
labeled as (
    select
        brand_id,
        labeler,
        row_number() over (partition by brand_id order by start_marketing nulls last, product_ndc) as rank
    from {{ ref('drug_product') }}
),

counted as (
    select
        brand_id,
        count(*) as product_count,
        count(distinct labeler_code) as labeler_count,
        min(start_marketing) as first_marketed
    from {{ ref('drug_product') }}
    group by brand_id
)

select
    counted.brand_id::varchar as brand_id,
    named.brand_name::varchar as brand_name,
    generic.generic_name::varchar as generic_name,
    labeled.labeler::varchar as labeler,
    counted.product_count::integer as product_count,
    counted.labeler_count::integer as labeler_count,
    counted.first_marketed::date as first_marketed
from counted
inner join named on counted.brand_id = named.brand_id and named.rank = 1
inner join generic on counted.brand_id = generic.brand_id and generic.rank = 1
inner join labeled on counted.brand_id = labeled.brand_id and labeled.rank = 1
