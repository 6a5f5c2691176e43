-- One row per package line of the directory with the 11 digits that claims carry beside FDA's dashed code.
select
    trim("PRODUCTID") as product_id,
    trim("PRODUCTNDC") as product_ndc,
    trim("NDCPACKAGECODE") as ndc_package_code,
    {{ ndc11('trim("NDCPACKAGECODE")') }} as ndc11,
    regexp_replace("NDCPACKAGECODE", '[0-9]+', 'n', 'g') = 'n-n-n' as is_well_formed,
    concat_ws(
        '-',
        length(split_part(trim("NDCPACKAGECODE"), '-', 1)),
        length(split_part(trim("NDCPACKAGECODE"), '-', 2)),
        length(split_part(trim("NDCPACKAGECODE"), '-', 3))
    ) as code_shape,
    trim("PACKAGEDESCRIPTION") as description,
    "SAMPLE_PACKAGE" = 'Y' as is_sample,
    try_strptime("STARTMARKETINGDATE", '%Y%m%d')::date as start_marketing,
    try_strptime("ENDMARKETINGDATE", '%Y%m%d')::date as end_marketing
from {{ source('drug_sources', 'ndc_package') }}
