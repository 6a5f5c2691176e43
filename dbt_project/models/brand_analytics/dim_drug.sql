-- Brands with the market in which they compete; a brand without a class is a market of its own, so that every share
-- has a denominator.
with packaged as (
    select
        brand_id,
        count(*) as package_count
    from {{ source('drug', 'package') }}
    group by brand_id
)

select
    {{ surrogate_key('drug', 'brand.brand_id') }}::bigint as drug_key,
    brand.brand_id::varchar as brand_id,
    brand.brand_name::varchar as brand_name,
    brand.generic_name::varchar as generic_name,
    brand.labeler::varchar as labeler,
    basket.pharm_class::varchar as pharm_class,
    coalesce(basket.basket_name, brand.brand_name)::varchar as basket_name,
    coalesce(packaged.package_count, 0)::integer as package_count,
    brand.first_marketed::date as first_marketed
from {{ source('drug', 'brand') }} as brand
left join {{ source('drug', 'market_basket') }} as basket
    on brand.brand_id = basket.brand_id and basket.is_primary
left join packaged on brand.brand_id = packaged.brand_id
union all
select -1, 'UNKNOWN', 'UNKNOWN', null, null, null, 'Unknown', 0, null
