-- Link: one dispensed fill joins prescriber, package, plan and patient; a fill that is sent again keeps its first load.
with arrived as (
    select
        fill_id,
        npi,
        ndc11,
        plan_id,
        patient_id,
        drop_week,
        received_at
    from {{ source('prescriptions_sources', 'fills') }}
    where claim_type = 'fill' and {{ in_weeks(week_of('fill_date')) }}
        and {{ in_late_window('drop_week', week_of('fill_date')) }}
),

-- Few fills come twice: counting all is cheap, ranking all is not.
repeated as (
    select fill_id
    from arrived
    group by fill_id
    having count(*) > 1
),

first_load as (
    select arrived.*
    from arrived
    anti join repeated on arrived.fill_id = repeated.fill_id
    union all
    select arrived.*
    from arrived
    semi join repeated on arrived.fill_id = repeated.fill_id
    qualify row_number() over (partition by arrived.fill_id order by arrived.drop_week, arrived.received_at) = 1
)

select
    {{ hash_key('fill_id') }} as fill_hk,
    fill_id,
    {{ hash_key('npi') }} as hcp_hk,
    {{ hash_key('ndc11') }} as package_hk,
    {{ hash_key('plan_id') }} as plan_hk,
    {{ hash_key('patient_id') }} as patient_hk,
    drop_week as load_date,
    'prescriptions/fills' as record_source
from first_load
