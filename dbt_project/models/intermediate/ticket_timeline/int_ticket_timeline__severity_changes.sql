-- Grain: one row per real change of a ticket's severity after submission.
-- Setting the same level again is not a change.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where moment = 'severity_changed' and not is_after_end),
events as (select * from {{ ref('int_helpdesk__events') }} where event_type = 'severity_changed'),

stated as (
  select
    events.ticket_id,
    events.event_id,
    cast(events.value as integer) as severity,
    moments.moment_epoch as changed_epoch,
    moments.earliest_epoch as earliest_changed_epoch,
    moments.moment_order,
    coalesce(
      lag(cast(events.value as integer)) over (partition by events.ticket_id order by moments.moment_order),
      tickets.severity_submitted
    ) as previous_severity
  from events
  join moments on moments.ticket_id = events.ticket_id and moments.event_id = events.event_id
  join tickets on tickets.ticket_id = events.ticket_id
)

select
  ticket_id,
  event_id,
  severity,
  previous_severity,
  changed_epoch,
  earliest_changed_epoch,
  moment_order,
  row_number() over (partition by ticket_id order by moment_order) as change_number
from stated
where severity is not null
  and previous_severity is not null
  and severity <> previous_severity
