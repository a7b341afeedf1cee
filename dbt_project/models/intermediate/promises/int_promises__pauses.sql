-- Grain: one row per obligation cycle and merged pause, half-open, clipped to the time in which its clock is read.
-- Pauses that touch, overlap or nest are one pause, so that no second is taken off twice.
-- Where not every change of status is known, no pause is taken off: the change that ended it may be the one that is not known. What is left
-- is the longest that the clock may have run. The same holds of a pause whose order in its second is not known.
with
cycles as (
  select * from {{ ref('int_promises__obligation_cycles') }} where exclusion_reason is null and not is_pause_unobserved
),
turns as (select * from {{ ref('int_promises__turns') }} where cycles = 'resume'),
plan_pauses as (select * from {{ source('raw', 'plan_pauses') }}),
status_intervals as (select * from {{ ref('int_ticket_timeline__status_intervals') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),
unordered as (select * from {{ ref('int_promises__unordered_pauses') }}),

status_pauses as (
  select
    cycles.obligation_key,
    cycles.starts_epoch,
    cycles.read_until_epoch,
    plan_pauses.pause_name,
    status_intervals.valid_from_epoch as pauses_epoch,
    coalesce(status_intervals.valid_to_epoch, cycles.read_until_epoch) as resumes_epoch,
    status_intervals.earliest_from_epoch as earliest_pauses_epoch,
    coalesce(status_intervals.earliest_to_epoch, cycles.read_until_epoch) as earliest_resumes_epoch
  from cycles
  join plan_pauses on plan_pauses.plan_version = cycles.plan_version and plan_pauses.obligation = cycles.obligation
  join status_intervals
    on status_intervals.ticket_id = cycles.ticket_id and status_intervals.ticket_status = plan_pauses.status
),

pair_moments as (
  select
    cycles.obligation_key,
    cycles.starts_epoch,
    cycles.read_until_epoch,
    plan_pauses.pause_name,
    moments.moment,
    plan_pauses.from_moment,
    moments.moment_epoch,
    moments.earliest_epoch,
    min(case when moments.moment = plan_pauses.until_moment then moments.moment_epoch end) over (
      partition by cycles.obligation_key, plan_pauses.pause_name
      order by moments.moment_order rows between 1 following and unbounded following
    ) as next_until_epoch,
    min(case when moments.moment = plan_pauses.until_moment then moments.earliest_epoch end) over (
      partition by cycles.obligation_key, plan_pauses.pause_name
      order by moments.moment_order rows between 1 following and unbounded following
    ) as earliest_until_epoch
  from cycles
  join plan_pauses
    on plan_pauses.plan_version = cycles.plan_version
    and plan_pauses.obligation = cycles.obligation
    and plan_pauses.from_moment is not null
  join moments
    on moments.ticket_id = cycles.ticket_id and moments.moment in (plan_pauses.from_moment, plan_pauses.until_moment)
),

pair_pauses as (
  select
    obligation_key,
    starts_epoch,
    read_until_epoch,
    pause_name,
    moment_epoch as pauses_epoch,
    coalesce(next_until_epoch, read_until_epoch) as resumes_epoch,
    earliest_epoch as earliest_pauses_epoch,
    coalesce(earliest_until_epoch, read_until_epoch) as earliest_resumes_epoch
  from pair_moments
  where moment = from_moment
),

turn_gaps as (
  select
    cycles.obligation_key,
    cycles.starts_epoch,
    cycles.read_until_epoch,
    'stopped' as pause_name,
    turns.stopped_epoch as pauses_epoch,
    next_turns.starts_epoch as resumes_epoch,
    turns.earliest_stop_epoch as earliest_pauses_epoch,
    next_turns.earliest_start_epoch as earliest_resumes_epoch
  from cycles
  join turns on turns.ticket_id = cycles.ticket_id and turns.obligation = cycles.obligation
  join turns as next_turns
    on next_turns.ticket_id = turns.ticket_id
    and next_turns.obligation = turns.obligation
    and next_turns.turn_number = turns.turn_number + 1
),

all_pauses as (
  select * from status_pauses
  union all select * from pair_pauses
),

known_pauses as (
  select all_pauses.*
  from all_pauses
  left join unordered
    on unordered.obligation_key = all_pauses.obligation_key
    and unordered.pause_name = all_pauses.pause_name
    and unordered.unordered_epoch = all_pauses.pauses_epoch
  where unordered.obligation_key is null
),

clipped as (
  -- The same interval stated twice would have no order of its own in the windows below.
  select distinct
    obligation_key,
    pause_name,
    greatest(pauses_epoch, starts_epoch) as pauses_epoch,
    least(resumes_epoch, read_until_epoch) as resumes_epoch,
    greatest(least(earliest_pauses_epoch, pauses_epoch), starts_epoch) as earliest_pauses_epoch,
    greatest(least(earliest_resumes_epoch, resumes_epoch, read_until_epoch), starts_epoch) as earliest_resumes_epoch
  from (
    select * from known_pauses
    union all select * from turn_gaps
  ) as stated
  where greatest(pauses_epoch, starts_epoch) < least(resumes_epoch, read_until_epoch)
),

marked as (
  select
    clipped.*,
    case
      when pauses_epoch <= max(resumes_epoch) over (
        partition by obligation_key order by pauses_epoch nulls last, resumes_epoch nulls last, pause_name nulls last
        rows between unbounded preceding and 1 preceding
      ) then 0
      else 1
    end as begins_pause
  from clipped
),

numbered as (
  select
    marked.*,
    sum(begins_pause) over (
      partition by obligation_key order by pauses_epoch nulls last, resumes_epoch nulls last, pause_name nulls last
      rows between unbounded preceding and current row
    ) as pause_number
  from marked
)

select
  obligation_key,
  pause_number,
  min(pause_name) as pause_name,
  min(pauses_epoch) as pauses_epoch,
  max(resumes_epoch) as resumes_epoch,
  -- By how many seconds earlier it may have begun, and may have ended.
  min(pauses_epoch) - min(earliest_pauses_epoch) as begins_within_seconds,
  max(resumes_epoch) - max(earliest_resumes_epoch) as resumes_within_seconds
from numbered
group by obligation_key, pause_number
