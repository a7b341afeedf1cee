-- Grain: one row per event of a ticket known at as_of, each counted once however often it was exported.
-- Within one second the order is the source's sequence (int_helpdesk__orders). Events of different order_space stand in no known order to
-- each other; they are listed by kind then, so that a build repeats itself, and what hangs on it is not measurable.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
copies as (select * from {{ ref('int_helpdesk__exported_events') }}),
orders as (select * from {{ ref('int_helpdesk__orders') }}),
moment_kinds as (select * from {{ ref('ticket_moments') }}),
phases as (select * from {{ ref('ticket_statuses') }}),

-- An instant that the export cuts (to the minute, to the day) is dated by the last second of its window, at most by as_of.
dated as (
  select
    copies.*,
    case when copies.is_cut and copies.earliest_at <= build_inputs.as_of then least(copies.event_at, build_inputs.as_of) else copies.event_at end
      as dated_at,
    -- What the ticket was opened with stands before everything else of its second.
    case when not copies.is_opening then coalesce(orders.order_space, copies.event_id) end as order_space,
    orders.order_number,
    -- Of statuses the end first: a ticket that may have been taken up again goes on.
    coalesce(moment_kinds.precedence, case when copies.event_type = 'message' then 30 else 50 end) as kind_rank,
    case when phases.phase = 'ended' then 0 when phases.phase = 'cancelled' then 2 else 1 end as status_rank
  from copies
  cross join build_inputs
  left join orders on orders.source = copies.source and orders.event_id = copies.event_id and orders.event_at = copies.event_at
  left join moment_kinds on moment_kinds.moment = copies.event_type
  left join phases on copies.event_type = 'status_changed' and phases.ticket_status = copies.value
  where copies.copy_rank = 1
),

chosen as (
  select dated.* from dated cross join build_inputs where dated.dated_at <= build_inputs.as_of
),

-- A space may be named by an empty text; what the ticket was opened with has none, and is_opening keeps the two apart.
spaces as (
  select ticket_id, event_at, is_opening, coalesce(order_space, '') as order_space, min(kind_rank) as space_rank, min(status_rank) as space_status_rank
  from chosen
  group by ticket_id, event_at, is_opening, coalesce(order_space, '')
),

spaced as (
  select chosen.*, spaces.space_rank, spaces.space_status_rank
  from chosen
  join spaces
    on spaces.ticket_id = chosen.ticket_id
    and spaces.event_at = chosen.event_at
    and spaces.is_opening = chosen.is_opening
    and spaces.order_space = coalesce(chosen.order_space, '')
)

select
  event_id,
  ticket_id,
  source,
  event_type,
  actor_kind,
  actor,
  value,
  is_public,
  is_opening,
  is_date,
  is_contradicted,
  dated_at as event_at,
  {{ epoch_seconds('dated_at') }} as event_epoch,
  {{ epoch_seconds('earliest_at') }} as earliest_epoch,
  moves_with_submission,
  row_number() over (
    partition by ticket_id
    order by
      dated_at nulls last, event_at nulls last, case when is_opening then 0 else 1 end,
      space_rank nulls last, space_status_rank nulls last, order_space nulls last, order_number nulls last, kind_rank nulls last, status_rank nulls last, event_id nulls last
  ) as event_order,
  order_space,
  source_file,
  line_number,
  batch_id,
  first_known_at as known_at
from spaced
