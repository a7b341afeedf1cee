-- Grain: one row per ticket and kind of contradiction between records of it, or between its events and the tickets that were exported.
-- What a contradiction does to the figures is judged where the figures are; this only says what was told.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
versions as (select * from {{ ref('int_helpdesk__versions') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
merge_lines as (select * from {{ ref('stg_helpdesk__merge_lines') }}),
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),

-- Two dates of one submission that no precision explains.
submissions as (
  select
    source,
    ticket_id,
    min(submitted_at) as first_submitted_at,
    max(submitted_at) as last_submitted_at
  from versions
  -- A row of a log says when its event happened, not when the ticket came.
  where version_kind is null
  group by source, ticket_id
  having max(submitted_at) > min(latest_submitted_at)
),

-- An export gives an id twice where one of its files holds both; otherwise two exports give a date that never changes.
doubled as (
  select source, ticket_id
  from (
    select source, ticket_id, batch_id
    from versions
    where version_kind is null
    group by source, ticket_id, batch_id
    having max(submitted_at) > min(latest_submitted_at)
  ) as in_one_file
  group by source, ticket_id
),

unplaced as (
  select
    events.source,
    events.ticket_id,
    count(*) as event_count,
    min(events.event_at) as first_event_at,
    min(events.source_file) as source_file
  from events
  left join (select distinct source, ticket_id from versions) as exported
    on exported.source = events.source and exported.ticket_id = events.ticket_id
  where exported.ticket_id is null
  group by events.source, events.ticket_id
),

-- The helpdesk wrote that it merged the ticket, and no event of the ticket says so.
merged_by_line as (
  select tickets.source, tickets.ticket_id, tickets.customer_id, lines.merged_into, lines.written_at, lines.source_file, lines.line_number
  from tickets
  cross join build_inputs
  join merge_lines as lines on lines.source = tickets.source and lines.ticket_id = tickets.ticket_id
  left join (select distinct source, ticket_id from events where event_type = 'merged') as merges
    on merges.source = tickets.source and merges.ticket_id = tickets.ticket_id
  where merges.ticket_id is null and lines.written_at <= build_inputs.as_of
),

contradictions as (
  select
    case when doubled.ticket_id is not null then 'id_with_two_submissions' else 'submission_changed' end as contradiction,
    tickets.source,
    tickets.ticket_id,
    tickets.customer_id,
    cast(submissions.first_submitted_at as string) as value,
    cast(submissions.last_submitted_at as string) as other_value,
    cast(null as bigint) as event_count,
    tickets.source_file,
    tickets.line_number
  from tickets
  join submissions on submissions.source = tickets.source and submissions.ticket_id = tickets.ticket_id
  left join doubled on doubled.source = tickets.source and doubled.ticket_id = tickets.ticket_id
  union all
  select
    'customer_changed_later', source, ticket_id, customer_id, customer_id, customer_named_later, null, source_file, line_number
  from tickets
  where customer_named_later is not null and customer_id is not null
  union all
  select
    'customer_contradicted', source, ticket_id, null, contradicted_customers, null, null, source_file, line_number
  from tickets
  where contradicted_customers is not null
  union all
  select
    'records_contradict', source, ticket_id, customer_id, contradiction, null, null, source_file, line_number
  from tickets
  where contradiction is not null
  union all
  select
    'event_without_ticket', source, ticket_id, null, cast(first_event_at as string), null, event_count, source_file, null
  from unplaced
  union all
  select
    'merge_not_declared', source, ticket_id, customer_id, merged_into, cast(written_at as string), null, source_file, line_number
  from merged_by_line
)

select
  contradiction || ':' || source || ':' || ticket_id as contradiction_key,
  contradiction,
  source,
  ticket_id,
  customer_id,
  value,
  other_value,
  event_count,
  source_file,
  line_number
from contradictions
