-- Prescribers with their territory; hcp_key is durable: a prescriber keeps it in every rebuild. Facts whose prescriber
-- is not mastered point at the unknown member, -1.
with aligned as (
    select
        hcp.*,
        coalesce(zip_territory.territory_id, 'UNKNOWN') as territory_id
    from {{ source('hcp', 'hcp_master') }} as hcp
    left join {{ source('geography', 'zip_territory') }} as zip_territory on hcp.zip5 = zip_territory.zip5
)

select
    {{ surrogate_key('hcp', 'aligned.npi') }}::bigint as hcp_key,
    aligned.npi::varchar as npi,
    concat_ws(' ', aligned.first_name, aligned.last_name)::varchar as full_name,
    aligned.credentials::varchar as credentials,
    coalesce(aligned.specialty, 'Unknown')::varchar as specialty,
    aligned.city::varchar as city,
    aligned.state::varchar as state,
    aligned.zip5::varchar as zip5,
    aligned.status::varchar as status,
    territory.territory_key::bigint as territory_key,
    territory.territory_id::varchar as territory_id
from aligned
inner join {{ ref('dim_territory') }} as territory on aligned.territory_id = territory.territory_id
union all
select -1, 'UNKNOWN', 'Unknown prescriber', null, 'Unknown', null, null, null, 'unknown', -1, 'UNKNOWN'
