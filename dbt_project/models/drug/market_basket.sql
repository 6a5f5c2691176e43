-- Which brands compete: the established pharmacologic classes [EPC] of a brand's products, grouped into markets; one
-- class of each brand is its own market, so that shares of a market add up.
with parts as (
    -- Split at `],` and not at commas: the names of classes have commas of their own.
    select
        product_ndc,
        unnest(string_split(pharm_classes, '],')) as part
    from {{ ref('drug_product') }}
    where pharm_classes like '%[EPC%'
),

listed as (
    select
        product_ndc,
        trim(regexp_extract(part, '^(.*)\[EPC\]?$', 1)) as pharm_class,
        'directory' as class_source
    from parts
    where regexp_matches(part, '\[EPC\]?$')
),

supplemented as (
    select
        product.product_ndc,
        supplement.pharm_class,
        'supplement' as class_source
    from {{ ref('drug_product') }} as product
    inner join {{ ref('_class_supplement') }} as supplement
        on lower(product.generic_name) like supplement.generic || '%'
    where product.product_ndc not in (select listed.product_ndc from listed)
),

classed as (
    select * from listed
    union all
    select * from supplemented
),

placed as (
    select
        product.brand_id,
        product.product_ndc,
        classed.pharm_class,
        classed.class_source,
        definition.basket_name,
        definition.priority
    from classed
    inner join {{ ref('drug_product') }} as product on classed.product_ndc = product.product_ndc
    left join {{ ref('_market_definition') }} as definition
        on classed.pharm_class = definition.pharm_class
        and (definition.route is null or contains(product.route, definition.route))
        and (definition.generic is null or lower(product.generic_name) like definition.generic || '%')
),

counted as (
    select
        brand_id,
        pharm_class,
        coalesce(arg_min(basket_name, priority), upper(pharm_class[1]) || pharm_class[2:]) as basket_name,
        min(priority) as priority,
        min(class_source) as class_source,
        count(distinct product_ndc) as product_count
    from placed
    group by brand_id, pharm_class
),

ranked as (
    select
        *,
        count(*) over (partition by pharm_class) as brands_in_class,
        row_number() over (
            partition by brand_id
            order by priority nulls last, product_count desc, pharm_class
        ) as rank
    from counted
)

select
    brand_id::varchar as brand_id,
    pharm_class::varchar as pharm_class,
    basket_name::varchar as basket_name,
    (rank = 1)::boolean as is_primary,
    class_source::varchar as class_source,
    product_count::integer as product_count,
    brands_in_class::integer as brands_in_class
from ranked
