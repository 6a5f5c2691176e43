-- What the feed said of a fill belongs to a fill that the link knows.
select satellite.fill_hk
from {{ ref('_sat_fill') }} as satellite
anti join {{ ref('_link_fill') }} as link on satellite.fill_hk = link.fill_hk
