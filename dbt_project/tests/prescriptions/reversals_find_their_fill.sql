-- A reversal of a fill that never came is told, not refused: its fill may be in a week that this run does not build.
{{ config(severity='warn') }}
select reversal.fill_hk
from {{ ref('_sat_reversal') }} as reversal
anti join {{ ref('_link_fill') }} as link on reversal.fill_hk = link.fill_hk
