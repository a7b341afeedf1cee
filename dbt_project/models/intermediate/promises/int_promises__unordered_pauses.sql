-- Grain: one row per obligation cycle, pause and second in which the order of the ticket's moments is not known and decides whether it pauses.
with
cycles as (
  select * from {{ ref('int_promises__obligation_cycles') }} where exclusion_reason is null and not is_pause_unobserved
),
plan_pauses as (select * from {{ source('raw', 'plan_pauses') }}),
status_intervals as (select * from {{ ref('int_ticket_timeline__status_intervals') }} where is_order_unknown),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),

-- Of two statuses of one second either may be the one that lasted. Where both pause, or neither does, it does not matter.
statuses as (
  select
    cycles.obligation_key,
    status_intervals.valid_from_epoch as unordered_epoch,
    count(distinct status_intervals.ticket_status) as status_count,
    count(distinct plan_pauses.status) as pausing_count,
    max(least(coalesce(status_intervals.valid_to_epoch, cycles.read_until_epoch), cycles.read_until_epoch)) as latest_epoch
  from cycles
  join status_intervals
    on status_intervals.ticket_id = cycles.ticket_id and status_intervals.valid_from_epoch < cycles.read_until_epoch
  left join plan_pauses
    on plan_pauses.plan_version = cycles.plan_version
    and plan_pauses.obligation = cycles.obligation
    and plan_pauses.status = status_intervals.ticket_status
  group by cycles.obligation_key, status_intervals.valid_from_epoch
),

pausing_statuses as (
  select distinct
    statuses.obligation_key,
    plan_pauses.pause_name,
    statuses.unordered_epoch,
    statuses.latest_epoch
  from statuses
  join cycles on cycles.obligation_key = statuses.obligation_key
  join plan_pauses on plan_pauses.plan_version = cycles.plan_version and plan_pauses.obligation = cycles.obligation
  where statuses.pausing_count > 0
    and statuses.pausing_count < statuses.status_count
    and plan_pauses.status is not null
),

pairs as (
  select distinct
    cycles.obligation_key,
    plan_pauses.pause_name,
    moments.moment_epoch as unordered_epoch,
    cycles.read_until_epoch as latest_epoch
  from cycles
  join plan_pauses on plan_pauses.plan_version = cycles.plan_version and plan_pauses.obligation = cycles.obligation
  join moments on moments.ticket_id = cycles.ticket_id and moments.moment = plan_pauses.from_moment
  join moments as until_moments
    on until_moments.ticket_id = cycles.ticket_id
    and until_moments.moment = plan_pauses.until_moment
    and until_moments.moment_epoch = moments.moment_epoch
    and until_moments.order_space <> moments.order_space
  where moments.moment_epoch < cycles.read_until_epoch
)

select obligation_key, pause_name, unordered_epoch, max(latest_epoch) - unordered_epoch as longest_seconds
from (
  select * from pausing_statuses
  union all
  select * from pairs
) as found
group by obligation_key, pause_name, unordered_epoch
