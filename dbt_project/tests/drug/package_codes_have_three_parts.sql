-- Only codes of three parts have eleven digits; others are left out of drug.package, and told here.
{{ config(severity='warn') }}
select ndc_package_code
from {{ ref('_stg_package') }}
where not is_well_formed
