-- Grain: one row per ticket, obligation and cycle, also when nothing happened.
-- A waiver changes the status of a breach and nothing else: what the clock showed stays readable in status_before_waiver.
{{ config(tags=['plan_dependent']) }}
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
horizons as (select * from {{ source('raw', 'source_horizons') }}),
verdicts as (select * from {{ ref('int_promises__verdicts') }}),
waivers as (select * from {{ source('raw', 'waivers') }}),

-- A waiver forgives the breaches whose instant lies in its window, once it is approved: an approval forgives what has happened, not what
-- is to come, unless it says until when.
valid_waivers as (
  select verdicts.obligation_key, min(waivers.waiver_id) as waiver_id
  from verdicts
  join waivers
    on waivers.ticket_id = verdicts.ticket_id
    and waivers.obligation = verdicts.obligation
    and (waivers.cycle_number is null or waivers.cycle_number = verdicts.cycle_number)
  cross join build_inputs
  where verdicts.verdict = 'breached'
    and waivers.approved_at <= build_inputs.as_of
    and {{ epoch_seconds('coalesce(waivers.valid_from, verdicts.submitted_at)') }} <= verdicts.over_epoch
    and verdicts.over_epoch < {{ epoch_seconds('coalesce(waivers.expires_at, waivers.approved_at)') }}
  group by verdicts.obligation_key
),

dated as (
  select
    verdicts.*,
    valid_waivers.waiver_id,
    build_inputs.as_of,
    {{ source_read_until() }} as source_read_until_epoch,
    {{ instant_from_epoch('verdicts.settled_epoch') }} as settled_at
  from verdicts
  cross join build_inputs
  left join horizons on horizons.source = verdicts.source
  left join valid_waivers on valid_waivers.obligation_key = verdicts.obligation_key
),

in_months as (
  select
    dated.*,
    {{ local_month('settled_months', 'dated.settled_at') }} as settled_month,
    {{ local_month('submitted_months', 'dated.submitted_at') }} as submitted_month,
    {{ local_month('as_of_months', 'dated.as_of') }} as as_of_month
  from dated
  {{ join_zone_month('settled_months', 'dated.time_zone', 'dated.settled_at') }}
  {{ join_zone_month('submitted_months', 'dated.time_zone', 'dated.submitted_at') }}
  {{ join_zone_month('as_of_months', 'dated.time_zone', 'dated.as_of') }}
)

select
  obligation_key,
  ticket_id,
  customer_id,
  subscription_id,
  plan,
  plan_version,
  clause,
  clause_text,
  obligation,
  obligation_kind,
  cast(cycle_number as integer) as cycle_number,
  severity_submitted,
  severity_in_force,
  severity_decided,
  clock_name,
  time_zone,
  stopping_event_id,
  waiver_id,
  target_seconds,
  -- Null means not assessed: what no verdict rests on is not shown as if one did.
  case when verdict in ('met', 'breached', 'pending') then elapsed_seconds end as elapsed_seconds,
  case when verdict in ('met', 'breached', 'pending') then target_seconds - elapsed_seconds end as remaining_seconds,
  case when waiver_id is not null then 'waived' else verdict end as status,
  case when waiver_id is not null then 'waiver' else reason end as status_reason,
  could_be,
  verdict as status_before_waiver,
  verdict_as_submitted as status_as_submitted,
  reason_as_submitted as status_reason_as_submitted,
  verdict_by_humans as status_by_humans,
  verdict_with_ai as status_with_ai,
  coalesce(verdict_with_ai = 'met' and verdict_by_humans in ('breached', 'pending'), false) as is_met_only_by_ai,
  settled_month,
  submitted_month,
  as_of_month,
  -- What still runs is counted in the month of as_of, so that an earlier month holds verdicts only.
  coalesce(settled_month, as_of_month) as compliance_month,
  coalesce(obligation_kind = 'estimate', false) as is_estimate,
  submitted_at,
  {{ instant_from_epoch('starts_epoch') }} as starts_at,
  {{ instant_from_epoch('counts_from_epoch') }} as counts_from_at,
  {{ instant_from_epoch('coalesce(stopped_epoch, ended_epoch, source_read_until_epoch)') }} as read_until_at,
  {{ instant_from_epoch('due_epoch') }} as due_at,
  {{ instant_from_epoch('stopped_epoch') }} as stopped_at,
  case when verdict = 'breached' then {{ instant_from_epoch('over_epoch') }} end as breached_at,
  settled_at,
  as_of
from in_months
