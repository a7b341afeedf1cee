-- Grain: one row per leg whose level has a target: what its clock shows, when it is due, when it went over.
-- Elapsed = open seconds between the two instants less the open seconds of the pauses in between: two look-ups per instant, none per day.
-- Due = the earliest instant at which the target is used up; over = the first second at which elapsed exceeds it.
with
legs as (select * from {{ ref('int_promises__legs') }}),
promises as (select * from {{ source('raw', 'plan_promises') }}),
clocks as (select * from {{ source('raw', 'clocks') }}),
pauses as (select * from {{ ref('int_promises__pauses') }}),

-- The few promises learn their clocks once, so that the many legs need no look-up by the clock's name.
promises_on_clocks as (
  select
    promises.plan_version,
    promises.obligation,
    promises.severity,
    promises.target_seconds,
    promises.clause,
    promises.clause_text,
    clocks.*
  from promises
  join clocks on clocks.clock_name = promises.clock_name
),

promised as (
  select
    legs.obligation_key,
    legs.counts_from_epoch,
    legs.read_until_epoch,
    legs.earliest_from_epoch,
    legs.latest_from_epoch,
    legs.earliest_until_epoch,
    legs.moves_with_submission,
    legs.change_number,
    legs.is_in_force,
    legs.is_as_submitted,
    legs.superseded_epoch,
    promises.*
  from legs
  join promises_on_clocks as promises
    on promises.plan_version = legs.plan_version
    and promises.obligation = legs.obligation
    and promises.severity = legs.severity
),

read_legs as (
  select
    promised.*,
    {{ open_seconds_at('steps_from', 'promised', 'promised.counts_from_epoch') }} as open_from,
    {{ open_seconds_at('steps_until', 'promised', 'promised.read_until_epoch') }} as open_until
  from promised
  {{ join_clock_steps('steps_from', 'promised', 'promised.counts_from_epoch') }}
  {{ join_clock_steps('steps_until', 'promised', 'promised.read_until_epoch') }}
),

-- A leg that counts from a change of severity sees only the part of a pause that lies after it.
leg_pauses as (
  select
    read_legs.*,
    greatest(pauses.pauses_epoch, read_legs.counts_from_epoch) as pauses_epoch,
    pauses.resumes_epoch,
    pauses.begins_within_seconds,
    pauses.resumes_within_seconds
  from read_legs
  join pauses
    on pauses.obligation_key = read_legs.obligation_key and pauses.resumes_epoch > read_legs.counts_from_epoch
),

read_pauses as (
  select
    leg_pauses.*,
    {{ open_seconds_at('steps_from', 'leg_pauses', 'leg_pauses.pauses_epoch') }} as open_at_pause,
    {{ open_seconds_at('steps_until', 'leg_pauses', 'leg_pauses.resumes_epoch') }} as open_at_resumption
  from leg_pauses
  {{ join_clock_steps('steps_from', 'leg_pauses', 'leg_pauses.pauses_epoch') }}
  {{ join_clock_steps('steps_until', 'leg_pauses', 'leg_pauses.resumes_epoch') }}
),

counted_pauses as (
  select
    read_pauses.*,
    open_at_resumption - open_at_pause as paused_seconds,
    open_at_pause - open_from - coalesce(
      sum(open_at_resumption - open_at_pause) over (
        partition by obligation_key, severity, counts_from_epoch order by pauses_epoch nulls last
        rows between unbounded preceding and 1 preceding
      ), 0
    ) as counted_before_pause
  from read_pauses
),

-- A pause moves the due instant only when it begins before the target is used up.
paused_legs as (
  select
    obligation_key,
    severity,
    counts_from_epoch,
    cast(sum(paused_seconds) as bigint) as paused_seconds,
    cast(sum(begins_within_seconds) as bigint) as begins_within_seconds,
    cast(sum(resumes_within_seconds) as bigint) as resumes_within_seconds,
    cast(sum(case when counted_before_pause < target_seconds then paused_seconds else 0 end) as bigint) as paused_before_due,
    cast(sum(case when counted_before_pause < target_seconds + 1 then paused_seconds else 0 end) as bigint) as paused_before_over
  from counted_pauses
  group by obligation_key, severity, counts_from_epoch
),

-- Few legs begin or end in a window; only these are read at the other ends of theirs.
legs_with_window as (
  select
    read_legs.*,
    read_legs.read_until_epoch + read_legs.latest_from_epoch - read_legs.counts_from_epoch as moved_until_epoch
  from read_legs
  where read_legs.earliest_from_epoch < read_legs.counts_from_epoch
    or read_legs.latest_from_epoch > read_legs.counts_from_epoch
    or read_legs.earliest_until_epoch < read_legs.read_until_epoch
),

read_windows as (
  select
    legs_with_window.obligation_key,
    legs_with_window.severity,
    legs_with_window.counts_from_epoch,
    legs_with_window.moves_with_submission,
    legs_with_window.latest_from_epoch - legs_with_window.counts_from_epoch as start_seconds,
    legs_with_window.open_from - coalesce({{ open_seconds_at('steps_earliest_from', 'legs_with_window', 'legs_with_window.earliest_from_epoch') }}, legs_with_window.open_from) as open_before_start,
    coalesce({{ open_seconds_at('steps_latest_from', 'legs_with_window', 'legs_with_window.latest_from_epoch') }}, legs_with_window.open_from) - legs_with_window.open_from as open_after_start,
    legs_with_window.open_until - coalesce({{ open_seconds_at('steps_earliest_until', 'legs_with_window', 'legs_with_window.earliest_until_epoch') }}, legs_with_window.open_from) as open_before_stop,
    coalesce({{ open_seconds_at('steps_moved_until', 'legs_with_window', 'legs_with_window.moved_until_epoch') }}, legs_with_window.open_until) - legs_with_window.open_until as open_after_stop
  from legs_with_window
  {{ join_clock_steps('steps_earliest_from', 'legs_with_window', 'legs_with_window.earliest_from_epoch') }}
  {{ join_clock_steps('steps_latest_from', 'legs_with_window', 'legs_with_window.latest_from_epoch') }}
  {{ join_clock_steps('steps_earliest_until', 'legs_with_window', 'legs_with_window.earliest_until_epoch') }}
  {{ join_clock_steps('steps_moved_until', 'legs_with_window', 'legs_with_window.moved_until_epoch') }}
),

-- By how much less, and how much more, the clock may show. A stop that the vendor counted from the submission moves with it: as long as the
-- clock is open in both windows, the time between the two is the same.
window_slacks as (
  select
    obligation_key,
    severity,
    counts_from_epoch,
    open_before_stop
    + case
      when moves_with_submission and open_after_start = start_seconds and open_after_stop = start_seconds then cast(0 as bigint)
      else open_after_start
    end
      as less_seconds,
    open_before_start
    + case
      when not moves_with_submission or (open_after_start = start_seconds and open_after_stop = start_seconds) then cast(0 as bigint)
      else open_after_stop
    end
      as more_seconds
  from read_windows
),

measured as (
  select
    read_legs.*,
    coalesce(paused_legs.paused_seconds, 0) as paused_seconds,
    read_legs.open_until - read_legs.open_from - coalesce(paused_legs.paused_seconds, 0) as elapsed_seconds,
    coalesce(window_slacks.less_seconds, 0) + coalesce(paused_legs.begins_within_seconds, 0) as less_seconds,
    coalesce(window_slacks.more_seconds, 0) + coalesce(paused_legs.resumes_within_seconds, 0) as more_seconds,
    read_legs.open_from + read_legs.target_seconds + coalesce(paused_legs.paused_before_due, 0) as open_at_due,
    read_legs.open_from + read_legs.target_seconds + 1 + coalesce(paused_legs.paused_before_over, 0) as open_at_over
  from read_legs
  left join paused_legs
    on paused_legs.obligation_key = read_legs.obligation_key
    and paused_legs.severity = read_legs.severity
    and paused_legs.counts_from_epoch = read_legs.counts_from_epoch
  left join window_slacks
    on window_slacks.obligation_key = read_legs.obligation_key
    and window_slacks.severity = read_legs.severity
    and window_slacks.counts_from_epoch = read_legs.counts_from_epoch
)

select
  measured.obligation_key,
  measured.severity,
  measured.counts_from_epoch,
  measured.change_number,
  measured.clock_name,
  measured.clause,
  measured.clause_text,
  measured.target_seconds,
  measured.elapsed_seconds,
  measured.paused_seconds,
  -- Between these two the clock stands, wherever in their windows its instants lie.
  greatest(measured.elapsed_seconds - measured.less_seconds, 0) as least_elapsed_seconds,
  measured.elapsed_seconds + measured.more_seconds as most_elapsed_seconds,
  -- Null where the clock does not open long enough: never due.
  {{ instant_of_open_second('due_steps', 'measured', 'measured.open_at_due') }} as due_epoch,
  case
    when measured.elapsed_seconds > measured.target_seconds
      then {{ instant_of_open_second('over_steps', 'measured', 'measured.open_at_over') }}
  end as over_epoch,
  measured.elapsed_seconds > measured.target_seconds as is_over,
  measured.elapsed_seconds - measured.less_seconds > measured.target_seconds as is_surely_over,
  measured.elapsed_seconds + measured.more_seconds > measured.target_seconds as is_possibly_over,
  measured.is_in_force,
  measured.is_as_submitted,
  measured.superseded_epoch
from measured
{{ join_clock_due_steps('due_steps', 'measured', 'measured.open_at_due') }}
{{ join_clock_due_steps('over_steps', 'measured', 'measured.open_at_over') }}
