-- One row per FDA listing (PRODUCTID), typed and trimmed, so that every product of this domain reads the same values.
with listing as (
    select
        trim("PRODUCTID") as product_id,
        trim("PRODUCTNDC") as product_ndc,
        trim("PROPRIETARYNAME") as proprietary_name,
        nullif(trim("PROPRIETARYNAMESUFFIX"), '') as name_suffix,
        trim("NONPROPRIETARYNAME") as generic_name,
        trim("DOSAGEFORMNAME") as dosage_form,
        nullif(trim("ROUTENAME"), '') as route,
        "MARKETINGCATEGORYNAME" as marketing_category,
        "APPLICATIONNUMBER" as application_number,
        trim("LABELERNAME") as labeler,
        "SUBSTANCENAME" as substance_names,
        "ACTIVE_NUMERATOR_STRENGTH" as strengths,
        "ACTIVE_INGRED_UNIT" as units,
        "PHARM_CLASSES" as pharm_classes,
        nullif(trim("DEASCHEDULE"), '') as dea_schedule,
        coalesce("NDC_EXCLUDE_FLAG", 'N') <> 'N' as is_excluded,
        "STARTMARKETINGDATE" as started,
        "ENDMARKETINGDATE" as ended,
        "LISTING_RECORD_CERTIFIED_THROUGH" as certified
    from {{ source('drug_sources', 'ndc_product') }}
)

select
    product_id,
    product_ndc,
    split_part(product_ndc, '-', 1) as labeler_code,
    {{ snake('proprietary_name') }} as brand_id,
    upper(regexp_replace(proprietary_name, '\s+', ' ', 'g')) as brand_name,
    name_suffix,
    generic_name,
    dosage_form,
    route,
    marketing_category,
    application_number,
    labeler,
    substance_names,
    strengths,
    units,
    pharm_classes,
    dea_schedule,
    is_excluded,
    try_strptime(started, '%Y%m%d')::date as start_marketing,
    try_strptime(ended, '%Y%m%d')::date as end_marketing,
    try_strptime(certified, '%Y%m%d')::date as certified_through
from listing
