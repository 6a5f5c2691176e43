-- Packages by the 11 digits that a claim carries; where the directory lists a code twice, the line marketed last stays.
with ranked as (
    select
        *,
        row_number() over (
            partition by ndc11
            order by start_marketing desc nulls last, product_id, ndc_package_code
        ) as rank,
        count(*) over (partition by ndc11) as listings
    from {{ ref('_stg_package') }}
    where is_well_formed
)

select
    ranked.ndc11::varchar as ndc11,
    ranked.ndc_package_code::varchar as ndc_package_code,
    ranked.code_shape::varchar as code_shape,
    ranked.product_ndc::varchar as product_ndc,
    product.brand_id::varchar as brand_id,
    ranked.description::varchar as description,
    ranked.is_sample::boolean as is_sample,
    ranked.start_marketing::date as start_marketing,
    ranked.end_marketing::date as end_marketing,
    ranked.listings::integer as listings
from ranked
inner join {{ ref('drug_product') }} as product on ranked.product_ndc = product.product_ndc
where ranked.rank = 1
