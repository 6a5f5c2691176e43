-- A reversal of a fill that never came is told, not refused. Asked only when all weeks are built: a run of some weeks
-- also reads reversals of others.
{{ config(severity='warn', enabled=not var('weeks')) }}
select reversal.fill_hk
from {{ ref('_sat_reversal') }} as reversal
anti join {{ ref('_link_fill') }} as link on reversal.fill_hk = link.fill_hk
