-- Grain: one row per obligation cycle whose start is known and whose level is in doubt, or whose stop is not known for certain: what it could be.
-- Its clock is read from the start to the last instant that it may have run, without any pause, beside the target of every level that it
-- may have had. Within all of them it was met; over all of them it is breached, where no pause could have shortened it.
with
cycles as (select * from {{ ref('int_promises__obligation_cycles') }}),
reasons as (select * from {{ ref('sla_status_reasons') }}),
severities as (select * from {{ source('raw', 'plan_severities') }}),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),
promises as (select * from {{ source('raw', 'plan_promises') }}),
clocks as (select * from {{ source('raw', 'clocks') }}),

undecided as (
  select
    cycles.*,
    -- Of a promise that goes on after a stop, a later stop may be missing.
    cycles.stopped_epoch is not null and (reasons.could_be_by is null or reasons.could_be_by = 'levels' or cycles.cycle_rule <> 'resume')
      as is_stop_last,
    coalesce(reasons.could_be_by, 'levels') = 'levels' and not cycles.has_pauses as is_time_exact
  from cycles
  left join reasons on reasons.status_reason = cycles.exclusion_reason
  where cycles.starts_epoch is not null
    and (reasons.could_be_by in ('levels', 'seen_stop') or (
        cycles.exclusion_reason is null
        and coalesce(cycles.level_doubtful_from_epoch, cycles.level_unordered_from_epoch) is not null
      ))
),

possible_levels as (
  select obligation_key, severity_submitted as severity from undecided where is_severity_known
  union
  select undecided.obligation_key, severities.severity
  from undecided
  join severities on severities.plan_version = undecided.plan_version
  where not undecided.is_severity_known
  union
  select undecided.obligation_key, severity_changes.severity
  from undecided
  join severity_changes on severity_changes.ticket_id = undecided.ticket_id
  union
  select obligation_key, severity_exported from undecided where level_doubtful_from_epoch is not null
),

level_counts as (select obligation_key, count(*) as level_count from possible_levels group by obligation_key),

promised as (
  select
    undecided.obligation_key,
    promises.target_seconds,
    -- Where an instant is a window, the clock may have run from the earlier to the later end, or from the later to the earlier one.
    coalesce(undecided.earliest_start_epoch, undecided.starts_epoch) as earliest_start_epoch,
    coalesce(undecided.latest_start_epoch, undecided.starts_epoch) as latest_start_epoch,
    coalesce(undecided.earliest_stop_epoch, undecided.read_until_epoch) as earliest_stop_epoch,
    undecided.read_until_epoch
    + case when undecided.moves_with_submission then undecided.latest_start_epoch - undecided.starts_epoch else 0 end as latest_stop_epoch,
    clocks.*
  from undecided
  join possible_levels on possible_levels.obligation_key = undecided.obligation_key
  join promises
    on promises.plan_version = undecided.plan_version
    and promises.obligation = undecided.obligation
    and promises.severity = possible_levels.severity
  join clocks on clocks.clock_name = promises.clock_name
),

measured as (
  select
    promised.obligation_key,
    {{ open_seconds_at('latest_stop', 'promised', 'promised.latest_stop_epoch') }}
      - {{ open_seconds_at('earliest_start', 'promised', 'promised.earliest_start_epoch') }} > promised.target_seconds as is_possibly_over,
    {{ open_seconds_at('earliest_stop', 'promised', 'promised.earliest_stop_epoch') }}
      - {{ open_seconds_at('latest_start', 'promised', 'promised.latest_start_epoch') }} > promised.target_seconds as is_surely_over
  from promised
  {{ join_clock_steps('earliest_start', 'promised', 'promised.earliest_start_epoch') }}
  {{ join_clock_steps('latest_start', 'promised', 'promised.latest_start_epoch') }}
  {{ join_clock_steps('earliest_stop', 'promised', 'promised.earliest_stop_epoch') }}
  {{ join_clock_steps('latest_stop', 'promised', 'promised.latest_stop_epoch') }}
),

sums as (
  select
    obligation_key,
    count(*) as promise_count,
    sum(case when is_possibly_over then 1 else 0 end) as possibly_over_count,
    sum(case when is_surely_over then 1 else 0 end) as surely_over_count
  from measured
  group by obligation_key
)

select
  undecided.obligation_key,
  case
    -- A level for which the plan promises nothing would leave no promise.
    when sums.promise_count = level_counts.level_count and sums.possibly_over_count = 0 and undecided.is_stop_last then 'met'
    when sums.promise_count = level_counts.level_count and sums.surely_over_count = sums.promise_count and undecided.is_time_exact then 'breached'
    else 'either'
  end as could_be
from undecided
join level_counts on level_counts.obligation_key = undecided.obligation_key
left join sums on sums.obligation_key = undecided.obligation_key
