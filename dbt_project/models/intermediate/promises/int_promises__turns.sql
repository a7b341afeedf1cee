-- Grain: one row per ticket, obligation and turn: from a moment that starts the clock to the next one that stops it.
-- A start while the clock runs and a stop while it stands change nothing.
with
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }} where exclusion_reason is null),
obligations as (select * from {{ source('raw', 'plan_obligations') }}),
plan_moments as (select * from {{ source('raw', 'plan_moments') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where not is_after_end),

-- What the vendor promises to answer first begins with the first thing that there is to answer. A promise that begins with an answer of the
-- vendor as well is none of these: it begins as the plan says.
answered_from_submission as (
  select plan_version, obligation
  from plan_moments
  group by plan_version, obligation
  having max(case when role = 'start' and moment = 'submitted' then 1 else 0 end) = 1
    and max(case when role = 'start' and moment <> 'submitted' then 1 else 0 end) = 0
    and max(case when role = 'stop' and moment in ('agent_message', 'ai_message') then 1 else 0 end) = 1
),

-- What a moment does to a promise of the plan.
meant as (
  select
    obligations.plan_version,
    obligations.obligation,
    obligations.cycles,
    plan_moments.moment,
    plan_moments.role,
    answered_from_submission.obligation is not null as is_answered_from_submission
  from obligations
  join plan_moments on plan_moments.plan_version = obligations.plan_version and plan_moments.obligation = obligations.obligation
  left join answered_from_submission
    on answered_from_submission.plan_version = obligations.plan_version
    and answered_from_submission.obligation = obligations.obligation
),

opened_by_vendor as (
  select moments.*, ticket_terms.plan_version
  from moments
  join ticket_terms on ticket_terms.ticket_id = moments.ticket_id
  where ticket_terms.is_opened_by_vendor
),

first_questions as (
  select ticket_id, min(moment_order) as moment_order from opened_by_vendor where moment = 'customer_message' group by ticket_id
),

boundaries as (
  select
    moments.ticket_id,
    meant.obligation,
    meant.cycles,
    meant.role,
    moments.event_id,
    moments.moment_epoch,
    moments.earliest_epoch,
    moments.moment_order,
    moments.order_space
  from moments
  join ticket_terms on ticket_terms.ticket_id = moments.ticket_id
  join meant on meant.plan_version = ticket_terms.plan_version and meant.moment = moments.moment
  where not (meant.is_answered_from_submission and ticket_terms.is_opened_by_vendor)
  union all
  select
    opened_by_vendor.ticket_id,
    obligations.obligation,
    obligations.cycles,
    case when opened_by_vendor.moment_order = first_questions.moment_order then 'start' else meant.role end as role,
    opened_by_vendor.event_id,
    opened_by_vendor.moment_epoch,
    opened_by_vendor.earliest_epoch,
    opened_by_vendor.moment_order,
    opened_by_vendor.order_space
  from opened_by_vendor
  join answered_from_submission on answered_from_submission.plan_version = opened_by_vendor.plan_version
  join obligations
    on obligations.plan_version = answered_from_submission.plan_version
    and obligations.obligation = answered_from_submission.obligation
  left join meant
    on meant.plan_version = obligations.plan_version
    and meant.obligation = obligations.obligation
    and meant.moment = opened_by_vendor.moment
  left join first_questions on first_questions.ticket_id = opened_by_vendor.ticket_id
  where opened_by_vendor.moment_order = first_questions.moment_order
    or (meant.role is not null and opened_by_vendor.moment <> 'submitted')
),

-- A start and a stop in one second, and no order of the two is known.
unordered_seconds as (
  select ticket_id, obligation, moment_epoch
  from boundaries
  where order_space is not null
  group by ticket_id, obligation, moment_epoch
  having min(order_space) <> max(order_space) and min(role) <> max(role)
),

compared as (
  select
    boundaries.*,
    boundaries.order_space is not null and unordered_seconds.ticket_id is not null as is_order_unknown
  from boundaries
  left join unordered_seconds
    on unordered_seconds.ticket_id = boundaries.ticket_id
    and unordered_seconds.obligation = boundaries.obligation
    and unordered_seconds.moment_epoch = boundaries.moment_epoch
),

-- A moment that both stops a cycle and starts the next one stops first. So does what has no order: the clock then runs the longest.
turns as (
  select
    compared.*,
    row_number() over in_order as boundary_order,
    lag(role) over in_order as previous_role
  from compared
  window in_order as (
    partition by ticket_id, obligation
    order by
      moment_epoch nulls last,
      case when not is_order_unknown then 0 else 1 end,
      case when not is_order_unknown then moment_order when role = 'stop' then 0 else 1 end,
      moment_order,
      case when role = 'stop' then 0 else 1 end
  )
),

effective as (
  select
    turns.*,
    sum(case role when 'start' then 1 else 0 end) over (
      partition by ticket_id, obligation order by boundary_order rows between unbounded preceding and current row
    ) as turn_number
  from turns
  where (role = 'start' and (previous_role is null or previous_role = 'stop'))
    or (role = 'stop' and previous_role = 'start')
)

select
  ticket_id,
  obligation,
  cycles,
  turn_number,
  max(case when role = 'start' then moment_epoch end) as starts_epoch,
  max(case when role = 'start' then earliest_epoch end) as earliest_start_epoch,
  max(case when role = 'start' then event_id end) as starting_event_id,
  max(case when role = 'start' then moment_order end) as starts_order,
  max(case when role = 'start' and is_order_unknown then moment_epoch end) as order_unknown_from_epoch,
  max(case when role = 'stop' then moment_epoch end) as stopped_epoch,
  max(case when role = 'stop' then moment_order end) as stops_order,
  max(case when role = 'stop' then earliest_epoch end) as earliest_stop_epoch,
  max(case when role = 'stop' then event_id end) as stopping_event_id
from effective
where cycles <> 'once' or turn_number = 1
group by ticket_id, obligation, cycles, turn_number
