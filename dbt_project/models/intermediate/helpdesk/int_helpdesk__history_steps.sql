-- Grain: one row per change of a ticket's status or level in its history, once however often it was exported, in order.
-- Within one instant the order is the source's sequence (int_helpdesk__orders).
with
orders as (select * from {{ ref('int_helpdesk__orders') }}),
acts as (
  select * from {{ ref('int_helpdesk__acts') }}
  where event_type in ('status_changed', 'severity_changed') and act_kind in ('created', 'changed', 'event')
),

-- Most changes are exported once, and need no rank.
exported_again as (
  select source, event_id from acts group by source, event_id having count(*) > 1
),

copies as (
  select
    acts.*,
    row_number() over (
      partition by acts.source, acts.event_id
      order by
        acts.version_at desc nulls last, acts.event_at nulls last, coalesce(acts.value_before, ''), coalesce(acts.value, ''),
        acts.batch_id nulls last, acts.line_number nulls last
    ) as copy_rank
  from acts
  join exported_again on exported_again.source = acts.source and exported_again.event_id = acts.event_id
  union all
  select acts.*, cast(1 as bigint) as copy_rank
  from acts
  left join exported_again on exported_again.source = acts.source and exported_again.event_id = acts.event_id
  where exported_again.event_id is null
),

-- One numbered update makes a change once, also where two rows of the export say it.
repeated as (
  select
    copies.*,
    row_number() over (
      partition by source, ticket_id, event_type, event_at, update_number, value_before, value order by event_id nulls last
    ) as repeated_rank
  from copies
  where copy_rank = 1 and update_number is not null
  union all
  select copies.*, cast(1 as bigint) as repeated_rank
  from copies
  where copy_rank = 1 and update_number is null
)

select
  repeated.event_id,
  repeated.source,
  repeated.ticket_id,
  repeated.event_type,
  repeated.act_kind,
  repeated.event_at,
  repeated.value_before,
  repeated.value,
  row_number() over in_order as step_number,
  lag(repeated.value) over in_order as value_left,
  repeated.source_file,
  repeated.line_number,
  repeated.batch_id,
  repeated.known_at
from repeated
left join orders on orders.source = repeated.source and orders.event_id = repeated.event_id and orders.event_at = repeated.event_at
where repeated.repeated_rank = 1
window in_order as (
  partition by repeated.source, repeated.ticket_id, repeated.event_type
  order by repeated.event_at nulls last, orders.order_number nulls last, repeated.event_id nulls last
)
