-- The bridge from a product to its active substances: FDA writes three `;` lists side by side in one row.
with listed as (
    select
        product.product_ndc,
        unnest(string_split(listing.substance_names, ';')) as substance_name,
        unnest(string_split(listing.strengths, ';')) as strength,
        unnest(string_split(listing.units, ';')) as unit,
        unnest(range(1, len(string_split(listing.substance_names, ';')) + 1)) as position
    from {{ ref('drug_product') }} as product
    inner join {{ ref('_stg_product') }} as listing on product.product_id = listing.product_id
    where listing.substance_names is not null
),

ranked as (
    select
        product_ndc,
        upper(trim(substance_name)) as substance_name,
        try_cast(trim(strength) as double) as strength,
        nullif(trim(unit), '') as unit,
        position,
        row_number() over (partition by product_ndc, upper(trim(substance_name)) order by position) as rank
    from listed
    where trim(substance_name) <> ''
)

select
    product_ndc::varchar as product_ndc,
    substance_name::varchar as substance_name,
    strength::double as strength,
    unit::varchar as unit,
    position::integer as position
from ranked
where rank = 1
