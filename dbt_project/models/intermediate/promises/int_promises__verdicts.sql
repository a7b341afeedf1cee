-- Grain: one row per obligation cycle: the leg that decides, the status before any waiver, and both verdicts where an AI answered.
-- Among the legs in force the one that went over first decides; where none did, the one that is due first.
with
cycles as (select * from {{ ref('int_promises__obligation_cycles') }}),
readings as (select * from {{ ref('int_promises__leg_readings') }}),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),
severities as (select * from {{ source('raw', 'plan_severities') }}),
unordered_pauses as (
  select obligation_key, min(unordered_epoch) as unordered_epoch, cast(sum(longest_seconds) as bigint) as longest_seconds
  from {{ ref('int_promises__unordered_pauses') }}
  group by obligation_key
),
promises as (select * from {{ source('raw', 'plan_promises') }}),
reasons as (select * from {{ ref('sla_status_reasons') }}),
undecided as (select * from {{ ref('int_promises__undecided') }}),

ranked_readings as (
  select
    readings.*,
    row_number() over (
      partition by obligation_key
      order by case when is_surely_over then 0 when is_over then 1 when is_possibly_over then 2 else 3 end, coalesce(over_epoch, due_epoch) nulls last, change_number
    ) as decision_rank
  from readings
  where is_in_force or over_epoch < superseded_epoch
),

deciding as (select * from ranked_readings where decision_rank = 1),
as_submitted as (select * from readings where is_as_submitted),

last_changes as (
  select cycles.obligation_key, max(severity_changes.change_number) as change_number
  from cycles
  join severity_changes
    on severity_changes.ticket_id = cycles.ticket_id
    and {{ stands_before_stop('cycles') }}
  group by cycles.obligation_key
),

described as (
  select
    cycles.*,
    coalesce(severity_changes.severity, cycles.severity_submitted) as severity_in_force,
    cycles.read_until_epoch as known_until_epoch,
    unordered_pauses.unordered_epoch,
    unordered_pauses.longest_seconds
  from cycles
  left join unordered_pauses on unordered_pauses.obligation_key = cycles.obligation_key
  left join last_changes on last_changes.obligation_key = cycles.obligation_key
  left join severity_changes
    on severity_changes.ticket_id = cycles.ticket_id and severity_changes.change_number = last_changes.change_number
),

judged as (
  select
    described.*,
    deciding.severity as severity_decided,
    deciding.counts_from_epoch,
    deciding.clock_name,
    deciding.clause,
    deciding.clause_text,
    deciding.target_seconds,
    deciding.elapsed_seconds,
    deciding.due_epoch,
    deciding.over_epoch,
    undecided.could_be as undecided_could_be,
    {%- for leg, level, promise, suffix in [
      ('deciding', 'severities', 'promises', ''), ('as_submitted', 'submitted_severities', 'submitted_promises', '_as_submitted')
    ] %}
    case
      -- What the plan does not promise for the level is not covered, whatever the evidence lacks.
      when {{ level }}.severity is not null and {{ promise }}.severity is null
        and exclusions.status = 'not_measurable' and described.level_doubtful_from_epoch is null
        then case when {{ level }}.is_covered then 'no_such_promise' else 'severity_not_covered' end
      when described.exclusion_reason is not null then described.exclusion_reason
      when {{ leg }}.obligation_key is null and not coalesce({{ level }}.is_covered, true) then 'severity_not_covered'
      when {{ leg }}.obligation_key is null then 'no_such_promise'
      {%- if leg == 'deciding' %}
      -- What was settled while the level still held is settled, and what is within the target of every level in question is met.
      when coalesce(case when {{ leg }}.is_over then {{ leg }}.over_epoch end, described.stopped_epoch, described.known_until_epoch)
        > described.level_doubtful_from_epoch and undecided.could_be <> 'met' then 'level_changes_not_observed'
      when coalesce(case when {{ leg }}.is_over then {{ leg }}.over_epoch end, described.stopped_epoch, described.known_until_epoch)
        > described.level_unordered_from_epoch and undecided.could_be <> 'met' then 'order_unknown'
      {%- endif %}
      when {{ leg }}.is_over and described.is_pause_unobserved then 'pauses_not_observed'
      -- The clock was read in the order in which it runs the longest: what is met so is met in any order.
      when {{ leg }}.is_over and {{ leg }}.over_epoch > described.order_unknown_from_epoch then 'order_unknown'
      -- What is over with the longest pause as well is over in any order.
      when {{ leg }}.is_over and {{ leg }}.over_epoch > described.unordered_epoch
        and {{ leg }}.elapsed_seconds - described.longest_seconds <= {{ leg }}.target_seconds then 'order_unknown'
      when not {{ leg }}.is_over and described.stopped_epoch is null and described.order_unknown_from_epoch is not null then 'order_unknown'
      when not {{ leg }}.is_over and described.is_end_unordered then 'order_unknown'
      -- Somewhere in the windows of its instants the clock is over, and elsewhere it is not.
      when {{ leg }}.is_possibly_over and not {{ leg }}.is_surely_over then 'stop_not_exact'
      when not {{ leg }}.is_over and described.stopped_epoch is null and described.ended_epoch is not null
        then described.ending_reason
    end as reason{{ suffix }},
    case
      when {{ leg }}.is_over then 'breached'
      when described.stopped_epoch is not null then 'met'
      else 'pending'
    end as measured_status{{ suffix }}{{ ',' if not loop.last }}
    {%- endfor %}
  from described
  left join reasons as exclusions on exclusions.status_reason = described.exclusion_reason
  left join promises
    on promises.plan_version = described.plan_version
    and promises.obligation = described.obligation
    and promises.severity = described.severity_in_force
  left join promises as submitted_promises
    on submitted_promises.plan_version = described.plan_version
    and submitted_promises.obligation = described.obligation
    and submitted_promises.severity = described.severity_submitted
  left join undecided on undecided.obligation_key = described.obligation_key
  left join deciding on deciding.obligation_key = described.obligation_key
  left join as_submitted on as_submitted.obligation_key = described.obligation_key
  left join severities
    on severities.plan_version = described.plan_version and severities.severity = described.severity_in_force
  left join severities as submitted_severities
    on submitted_severities.plan_version = described.plan_version and submitted_severities.severity = described.severity_submitted
),

named as (
  select
    judged.*,
    coalesce(reasons.status, judged.measured_status) as verdict,
    coalesce(submitted_reasons.status, judged.measured_status_as_submitted) as verdict_as_submitted,
    case
      when reasons.status <> 'not_measurable' then null
      when reasons.could_be_by in ('levels', 'seen_stop') then coalesce(judged.undecided_could_be, 'either')
      when reasons.could_be_by = 'nothing' then 'either'
    end as could_be,
    case
      when reasons.status is not null then judged.submitted_epoch
      when judged.measured_status = 'breached' then judged.over_epoch
      when judged.measured_status = 'met' then judged.stopped_epoch
    end as settled_epoch
  from judged
  left join reasons on reasons.status_reason = judged.reason
  left join reasons as submitted_reasons on submitted_reasons.status_reason = judged.reason_as_submitted
),

other_readings as (select ticket_id, obligation, cycle_number, reading, verdict from named where reading <> 'plan')

select
  {% for column in [
    'obligation_key', 'ticket_id', 'source', 'obligation', 'cycle_number', 'customer_id', 'subscription_id', 'plan', 'plan_version',
    'time_zone',
    'severity_submitted', 'severity_in_force', 'severity_decided', 'obligation_kind', 'clock_name', 'clause', 'clause_text', 'submitted_at',
    'starts_epoch', 'counts_from_epoch', 'stopped_epoch', 'stopping_event_id', 'ended_epoch', 'read_until_epoch', 'target_seconds',
    'elapsed_seconds', 'due_epoch', 'over_epoch', 'settled_epoch', 'verdict', 'reason', 'verdict_as_submitted', 'reason_as_submitted',
    'could_be'
  ] %}named.{{ column }}, {% endfor %}
  case when other_readings.reading = 'humans_alone' then other_readings.verdict when other_readings.reading = 'with_ai' then named.verdict end
    as verdict_by_humans,
  case when other_readings.reading = 'with_ai' then other_readings.verdict when other_readings.reading = 'humans_alone' then named.verdict end
    as verdict_with_ai
from named
left join other_readings
  on other_readings.ticket_id = named.ticket_id
  and other_readings.obligation = named.obligation
  and other_readings.cycle_number = named.cycle_number
where named.reading = 'plan'
