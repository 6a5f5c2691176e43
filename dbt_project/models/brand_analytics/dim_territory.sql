-- Territories as the star knows them, with a member for prescribers whose ZIP code is missing or not aligned.
select
    {{ surrogate_key('territory', 'territory_id') }}::bigint as territory_key,
    territory_id::varchar as territory_id,
    territory_name::varchar as territory_name,
    region::varchar as region,
    states::varchar as states,
    zip_count::integer as zip_count,
    population::bigint as population
from {{ source('geography', 'territory') }}
union all
select -1, 'UNKNOWN', 'Not aligned', 'Unknown', '', 0, 0
