-- Grain: one row per obligation cycle, severity and instant from which its target counts.
-- Without a change of severity there is one leg. A raised severity adds a leg from the change on (the earlier due wins); a lowered one
-- replaces all before it by a leg from the start; the plan file may choose otherwise. The leg of the submitted severity is always kept.
with
cycles as (
  select * from {{ ref('int_promises__obligation_cycles') }} where exclusion_reason is null
),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),

-- The level in force when the clock starts: for a promise that starts later than the ticket, changes before it are history.
-- Within the second of the start the order of moments tells what came before.
changes_before as (
  select cycles.obligation_key, max(severity_changes.change_number) as change_number
  from cycles
  join severity_changes
    on severity_changes.ticket_id = cycles.ticket_id and severity_changes.moment_order < cycles.starts_order
  group by cycles.obligation_key
),

started as (
  select
    cycles.*,
    coalesce(severity_changes.severity, cycles.severity_submitted) as severity_at_start
  from cycles
  left join changes_before on changes_before.obligation_key = cycles.obligation_key
  left join severity_changes
    on severity_changes.ticket_id = cycles.ticket_id and severity_changes.change_number = changes_before.change_number
),

-- In the second of the stop the order of moments tells what stands before it.
changes_during as (
  select
    started.obligation_key,
    started.starts_epoch,
    severity_changes.change_number,
    severity_changes.severity,
    severity_changes.changed_epoch,
    severity_changes.earliest_changed_epoch,
    case when severity_changes.severity > severity_changes.previous_severity then started.severity_raised else started.severity_lowered end
      as effect
  from started
  join severity_changes
    on severity_changes.ticket_id = started.ticket_id
    and severity_changes.moment_order > started.starts_order
    and {{ stands_before_stop('started') }}
),

last_replacements as (
  select obligation_key, max(change_number) as change_number
  from changes_during
  where effect = 'replaces'
  group by obligation_key
),

-- A level that was replaced held until then: a deadline that was missed before is missed.
superseded_legs as (
  select legs.obligation_key, legs.severity, legs.counts_from_epoch, legs.change_number, min(later.changed_epoch) as superseded_epoch
  from (
    select obligation_key, severity_at_start as severity, starts_epoch as counts_from_epoch, 0 as change_number from started
    union all
    select
      obligation_key,
      severity,
      case effect when 'replaces' then starts_epoch else changed_epoch end as counts_from_epoch,
      change_number
    from changes_during
    where effect <> 'ignored'
  ) as legs
  join changes_during as later
    on later.obligation_key = legs.obligation_key and later.effect = 'replaces' and later.change_number > legs.change_number
  group by legs.obligation_key, legs.severity, legs.counts_from_epoch, legs.change_number
),

in_force_legs as (
  select started.obligation_key, started.severity_at_start as severity, started.starts_epoch as counts_from_epoch, 0 as change_number
  from started
  left join last_replacements on last_replacements.obligation_key = started.obligation_key
  where last_replacements.obligation_key is null
  union all
  select
    changes_during.obligation_key,
    changes_during.severity,
    case changes_during.effect when 'replaces' then changes_during.starts_epoch else changes_during.changed_epoch end as counts_from_epoch,
    changes_during.change_number
  from changes_during
  left join last_replacements on last_replacements.obligation_key = changes_during.obligation_key
  where changes_during.effect <> 'ignored'
    and changes_during.change_number >= coalesce(last_replacements.change_number, 0)
),

all_legs as (
  select
    obligation_key, severity, counts_from_epoch, change_number, 1 as is_in_force, 0 as is_as_submitted, cast(null as bigint) as superseded_epoch
  from in_force_legs
  union all
  select obligation_key, severity_submitted, starts_epoch, -1, 0, 1, null from started
  union all
  select obligation_key, severity, counts_from_epoch, change_number, 0, 0, superseded_epoch from superseded_legs
),

distinct_legs as (
  select
    obligation_key,
    severity,
    counts_from_epoch,
    max(change_number) as change_number,
    max(is_in_force) as is_in_force,
    max(is_as_submitted) as is_as_submitted,
    max(superseded_epoch) as superseded_epoch
  from all_legs
  group by obligation_key, severity, counts_from_epoch
),

-- A leg that counts from a change of the level has the window of that change.
windows as (
  select obligation_key, changed_epoch, min(earliest_changed_epoch) as earliest_changed_epoch
  from changes_during
  group by obligation_key, changed_epoch
)

select
  distinct_legs.obligation_key,
  started.plan_version,
  started.obligation,
  distinct_legs.severity,
  distinct_legs.counts_from_epoch,
  case when distinct_legs.counts_from_epoch = started.starts_epoch then started.earliest_start_epoch
    else coalesce(windows.earliest_changed_epoch, distinct_legs.counts_from_epoch) end as earliest_from_epoch,
  case when distinct_legs.counts_from_epoch = started.starts_epoch then started.latest_start_epoch
    else distinct_legs.counts_from_epoch end as latest_from_epoch,
  started.read_until_epoch,
  least(coalesce(started.earliest_stop_epoch, started.read_until_epoch), started.read_until_epoch) as earliest_until_epoch,
  started.moves_with_submission,
  distinct_legs.change_number,
  distinct_legs.is_in_force = 1 as is_in_force,
  distinct_legs.is_as_submitted = 1 as is_as_submitted,
  distinct_legs.superseded_epoch
from distinct_legs
join started on started.obligation_key = distinct_legs.obligation_key
left join windows
  on windows.obligation_key = distinct_legs.obligation_key and windows.changed_epoch = distinct_legs.counts_from_epoch
