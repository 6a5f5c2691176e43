-- Medicare's own yearly figures beside ours: claims and cost by prescriber and drug, as CMS publishes Part D.
with filed as (
    select
        trim(npi) as npi,
        trim(generic_name) as generic_name,
        trim(brand_name) as brand_name,
        try_cast(claims as bigint) as claims,
        try_cast(cost as decimal(18, 2)) as cost
    from {{ source('prescriptions_sources', 'part_d') }}
)

select
    filed.npi::varchar as npi,
    filed.generic_name::varchar as generic_name,
    filed.brand_name::varchar as brand_name,
    2023::integer as year,
    -- Null for generics and for brands launched after the directory of 2019: they are kept, and a rule counts them.
    brand.brand_id::varchar as brand_id,
    (lower(filed.brand_name) = lower(filed.generic_name))::boolean as is_generic,
    filed.claims::bigint as claims,
    filed.cost::decimal(18, 2) as cost
from filed
left join {{ source('drug', 'brand') }} as brand on {{ snake('filed.brand_name') }} = brand.brand_id
