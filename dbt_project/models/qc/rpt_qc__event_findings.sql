-- Grain: one row per ticket and impossible order of its events, or event that contradicts another ticket.
with
tickets as (select * from {{ ref('dim_tickets') }}),
-- Each part reads the events for itself, and only the columns and rows that it needs: all of them at once do not fit into little memory.
-- What follows from an event, such as a reopening, is no event of its own.
deleted_tickets as (select distinct ticket_id from {{ ref('fct_ticket_events') }} where event_type = 'deleted' and moment <> 'reopened'),

restorations as (
  select
    *,
    max(case when event_type = 'restored' then event_order else 0 end) over (
      partition by ticket_id order by event_order rows between unbounded preceding and current row
    ) as restored_order
  from {{ ref('fct_ticket_events') }}
  where moment <> 'reopened' and ticket_id in (select ticket_id from deleted_tickets)
),

{% set columns = ['ticket_id', 'event_order', 'event_type', 'value', 'event_at', 'is_contradicted', 'source_file', 'line_number'] %}
-- The events that can be a finding. A restored ticket goes on, so only a deletion since the last restoration has ended it.
events as (
  select
    {% for column in columns %}{{ column }}, {% endfor %}
    min(case when event_type = 'deleted' then event_at end) over (
      partition by ticket_id, restored_order order by event_order rows between unbounded preceding and current row
    ) as deleted_at
  from restorations
  union all
  select {% for column in columns %}recorded.{{ column }}, {% endfor %} cast(null as timestamp) as deleted_at
  from {{ ref('fct_ticket_events') }} as recorded
  join tickets on tickets.ticket_id = recorded.ticket_id
  where recorded.moment <> 'reopened'
    and recorded.ticket_id not in (select ticket_id from deleted_tickets)
    and (
      recorded.is_contradicted
      or recorded.event_at < tickets.submitted_at
      or recorded.event_type in ('debug_delivered', 'bug_rejected', 'merged')
    )
),

firsts as (
  select
    ticket_id,
    min(case when event_type = 'debug_requested' then event_order end) as requested_order,
    min(case when event_type = 'debug_logs_received' then event_order end) as logs_order,
    min(case when event_type = 'bug_confirmed' then event_order end) as confirmed_order
  from {{ ref('fct_ticket_events') }}
  where moment <> 'reopened' and event_type in ('debug_requested', 'debug_logs_received', 'bug_confirmed')
  group by ticket_id
),

judged as (
  select
    events.ticket_id,
    events.event_order,
    events.event_type,
    events.value,
    events.event_at,
    events.source_file,
    events.line_number,
    tickets.submitted_at,
    events.deleted_at,
    case
      when events.is_contradicted then 'event_copies_contradict'
      when events.event_at < tickets.submitted_at and events.event_type = 'status_changed' and events.value in ('solved', 'closed')
        then 'resolved_before_opened'
      when events.event_at < tickets.submitted_at then 'event_before_ticket'
      when events.deleted_at < events.event_at and events.event_type <> 'deleted' then 'event_after_deletion'
      when events.event_type = 'debug_delivered'
        and coalesce(firsts.logs_order, events.event_order + 1) > events.event_order
        and (firsts.logs_order is not null or coalesce(firsts.requested_order, events.event_order + 1) > events.event_order)
        then 'debug_delivered_before_logs'
      when events.event_type = 'bug_rejected' and coalesce(firsts.confirmed_order, events.event_order + 1) > events.event_order
        then 'bug_rejected_unconfirmed'
      when events.event_type = 'merged' and events.value = events.ticket_id then 'merged_into_itself'
      when events.event_type = 'merged' and events.value is not null and others.ticket_id is null then 'merged_into_unknown_ticket'
      when events.event_type = 'merged' and others.customer_id <> tickets.customer_id then 'merged_across_customers'
      when back.ticket_id is not null then 'merged_both_ways'
    end as finding
  from events
  join tickets on tickets.ticket_id = events.ticket_id
  left join firsts on firsts.ticket_id = events.ticket_id
  left join tickets as others on events.event_type = 'merged' and others.ticket_id = events.value
  left join events as back
    on events.event_type = 'merged' and back.event_type = 'merged' and back.ticket_id = events.value and back.value = events.ticket_id
),

counted as (
  select
    judged.*,
    count(*) over (partition by ticket_id, finding) as finding_count,
    row_number() over (partition by ticket_id, finding order by event_order) as finding_number
  from judged
  where finding is not null
)

select
  counted.finding || ':' || counted.ticket_id as finding_key,
  counted.finding,
  counted.ticket_id,
  tickets.customer_id,
  tickets.subscription_id,
  'submitted ' || cast(counted.submitted_at as string) || ', ' || counted.event_type || coalesce(' ' || counted.value, '') || ' at '
  || cast(counted.event_at as string)
  || case when counted.finding = 'event_after_deletion' then ', deleted at ' || cast(counted.deleted_at as string) else '' end
  || case when counted.finding_count > 1 then ', and ' || cast(counted.finding_count - 1 as string) || ' more' else '' end as evidence,
  case counted.finding
    when 'event_copies_contradict'
      then 'what such an event could show is not measurable, unless it is settled before; export its newest version, with updated_at'
    when 'event_before_ticket'
      then 'what is dated before the ticket answers and delivers nothing; a bug, merge or deletion gives a unit back from the submission on'
    when 'resolved_before_opened' then 'none: a resolution dated before the ticket resolves nothing'
    when 'event_after_deletion' then 'none: a deleted ticket has ended, so this starts, stops and credits nothing'
    when 'debug_delivered_before_logs' then 'it delivers nothing, unless the analysis had been requested before'
    when 'bug_rejected_unconfirmed' then 'none: nothing had been given back'
    else 'a merged ticket is not charged: the unit that it drew is given back'
  end as effect,
  counted.source_file,
  counted.line_number
from counted
join tickets on tickets.ticket_id = counted.ticket_id
where counted.finding_number = 1
