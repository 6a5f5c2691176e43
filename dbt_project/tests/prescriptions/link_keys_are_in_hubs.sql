-- A link row without its hub would lose or blank a fill in rx_fill: every hash key of the link is in its hub.
select 'hcp' as hub, link.fill_id
from {{ ref('_link_fill') }} as link
anti join {{ ref('_hub_hcp') }} as hub on link.hcp_hk = hub.hcp_hk
union all
select 'package', link.fill_id
from {{ ref('_link_fill') }} as link
anti join {{ ref('_hub_package') }} as hub on link.package_hk = hub.package_hk
union all
select 'plan', link.fill_id
from {{ ref('_link_fill') }} as link
anti join {{ ref('_hub_plan') }} as hub on link.plan_hk = hub.plan_hk
union all
select 'patient', link.fill_id
from {{ ref('_link_fill') }} as link
anti join {{ ref('_hub_patient') }} as hub on link.patient_hk = hub.patient_hk
