-- Two business keys with one hash, or one key twice, would multiply fills.
select 'hcp' as hub, hcp_hk::varchar as hash_key from {{ ref('_hub_hcp') }} group by all having count(*) > 1
union all
select 'package', package_hk::varchar from {{ ref('_hub_package') }} group by all having count(*) > 1
union all
select 'plan', plan_hk::varchar from {{ ref('_hub_plan') }} group by all having count(*) > 1
union all
select 'patient', patient_hk::varchar from {{ ref('_hub_patient') }} group by all having count(*) > 1
