-- Every dispensed fill by the week in which it was dispensed, however late it arrived, with its reversal applied.
-- Hubs join from the left: a key that no hub knows becomes a null that the contract refuses, not a fill that is gone.
with corrected as (
    select
        fill_hk,
        max(load_date) as last_load
    from {{ ref('_sat_fill') }}
    group by fill_hk
    having min(load_date) <> max(load_date)
),

latest as (
    select satellite.*
    from {{ ref('_sat_fill') }} as satellite
    left join corrected on satellite.fill_hk = corrected.fill_hk
    where corrected.fill_hk is null or satellite.load_date = corrected.last_load
)

select
    link.fill_id::bigint as fill_id,
    latest.week_start::date as week_start,
    latest.fill_date::date as fill_date,
    hcp.npi::varchar as npi,
    package.ndc11::varchar as ndc11,
    mastered.brand_id::varchar as brand_id,
    plan.plan_id::varchar as plan_id,
    patient.patient_id::varchar as patient_id,
    latest.days_supply::integer as days_supply,
    latest.quantity::double as quantity,
    latest.refill_number::integer as refill_number,
    latest.paid_amount::decimal(12, 2) as paid_amount,
    latest.copay_amount::decimal(12, 2) as copay_amount,
    (reversal.fill_hk is not null)::boolean as is_reversed,
    reversal.load_date::date as reversed_week,
    link.load_date::date as received_week,
    ((link.load_date - latest.week_start) // 7)::integer as late_weeks
from {{ ref('_link_fill') }} as link
inner join latest on link.fill_hk = latest.fill_hk
left join {{ ref('_hub_hcp') }} as hcp on link.hcp_hk = hcp.hcp_hk
left join {{ ref('_hub_package') }} as package on link.package_hk = package.package_hk
left join {{ ref('_hub_plan') }} as plan on link.plan_hk = plan.plan_hk
left join {{ ref('_hub_patient') }} as patient on link.patient_hk = patient.patient_hk
left join {{ source('drug', 'package') }} as mastered on package.ndc11 = mastered.ndc11
left join {{ ref('_sat_reversal') }} as reversal
    on link.fill_hk = reversal.fill_hk
    and {{ in_late_window('reversal.load_date', 'latest.week_start') }}
