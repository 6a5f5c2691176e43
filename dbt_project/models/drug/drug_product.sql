-- The mastered drug product: FDA lists some product codes several times (one listing per application or plant);
-- one that FDA has not excluded, certified longest, marketed last speaks for the code; `listings` counts them.
with ranked as (
    select
        *,
        row_number() over (
            partition by product_ndc
            order by
                is_excluded,
                certified_through desc nulls last,
                start_marketing desc nulls last,
                product_id
        ) as rank,
        count(*) over (partition by product_ndc) as listings
    from {{ ref('_stg_product') }}
)

select
    product_ndc::varchar as product_ndc,
    product_id::varchar as product_id,
    brand_id::varchar as brand_id,
    brand_name::varchar as brand_name,
    name_suffix::varchar as name_suffix,
    generic_name::varchar as generic_name,
    labeler_code::varchar as labeler_code,
    labeler::varchar as labeler,
    dosage_form::varchar as dosage_form,
    route::varchar as route,
    marketing_category::varchar as marketing_category,
    application_number::varchar as application_number,
    dea_schedule::varchar as dea_schedule,
    is_excluded::boolean as is_excluded,
    pharm_classes::varchar as pharm_classes,
    start_marketing::date as start_marketing,
    end_marketing::date as end_marketing,
    listings::integer as listings
from ranked
where rank = 1
