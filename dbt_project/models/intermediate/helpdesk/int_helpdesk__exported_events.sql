-- Grain: one row per exported copy of an event of a ticket, with the rank of the copy: 1 is the one that counts.
-- Of an event that versions of the ticket date differently, the last version counts. A version that shows the ticket deleted dates the
-- deletion, unless a later one shows the ticket again; of several in a row the first. So does one that shows a mark. Copies of one version that differ contradict each
-- other: neither the order in which they landed nor their words say which of them is right.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
-- Who holds a ticket starts, stops and pauses nothing.
acts as (select * from {{ ref('int_helpdesk__acts') }} where act_kind <> 'assignment'),
versions as (select * from {{ ref('int_helpdesk__versions') }}),
steps as (select * from {{ ref('int_helpdesk__history_steps') }}),
openings as (select * from {{ ref('int_helpdesk__openings') }}),
shown_changes as (select * from {{ ref('int_helpdesk__shown_changes') }}),
orders as (select * from {{ ref('int_helpdesk__orders') }}),
histories as (select * from {{ ref('int_helpdesk__histories') }} where is_declared_whole and not is_whole),

records_without_response_date as (
  select source, ticket_id, batch_id, line_number from versions where drops_response_date
),

cancelled_records as (
  select source, ticket_id, batch_id, line_number from versions where is_cancelled and has_resolution_date
),

-- Of a cancellation without a date it is known that it had happened when the record was written.
cancellations as (
  select
    exported_ticket_id || ':cancelled' as event_id, source, ticket_id, submitted_at, updated_at as event_at,
    source_file, line_number, batch_id, known_at
  from versions
  where is_cancelled and not has_resolution_date
),

deletions as (
  select
    exported_ticket_id || ':deleted' as event_id, source, ticket_id, updated_at as event_at, source_file, line_number, batch_id, known_at
  from versions
  where is_deleted
),

-- A later record that shows the ticket again says that it was not deleted after all.
last_present as (
  select versions.source, versions.ticket_id, max(versions.updated_at) as present_at
  from versions
  join (select distinct source, ticket_id from deletions) as deleted_tickets
    on deleted_tickets.source = versions.source and deleted_tickets.ticket_id = versions.ticket_id
  cross join build_inputs
  where not versions.is_deleted and versions.updated_at <= build_inputs.as_of
  group by versions.source, versions.ticket_id
),

withdrawals as (select distinct source, ticket_id, event_type from acts where is_withdrawal),

-- A mark that was taken off and not set again stands for no event. That of a bug is a statement of its own: the ledger keeps both.
-- Within one second the last statement is the last one in the source's sequence.
statements as (
  select
    acts.source, acts.ticket_id, acts.event_type, acts.is_withdrawal,
    row_number() over (
      partition by acts.source, acts.ticket_id, acts.event_type
      order by acts.event_at desc, orders.order_number desc nulls last, acts.event_id desc
    ) as statement_rank
  from acts
  join withdrawals
    on withdrawals.source = acts.source and withdrawals.ticket_id = acts.ticket_id and withdrawals.event_type = acts.event_type
  left join orders on orders.source = acts.source and orders.event_id = acts.event_id and orders.event_at = acts.event_at
),

withdrawn as (
  select source, ticket_id, event_type
  from statements
  where statement_rank = 1 and is_withdrawal and event_type <> 'bug_confirmed'
),

-- A mark that stands in the ticket's own record is taken off by a later record without it.
record_marks as (
  select source, ticket_id, event_type, batch_id, line_number, max(version_at) as version_at
  from acts
  where act_kind in ('date', 'mark') and event_type not in ('message', 'status_changed', 'severity_changed')
  group by source, ticket_id, event_type, batch_id, line_number
),

marked_records as (
  select
    versions.source,
    versions.ticket_id,
    marks.event_type,
    versions.updated_at,
    record_marks.ticket_id is not null as is_marked,
    versions.source_file,
    versions.line_number,
    versions.batch_id,
    versions.known_at
  from (select distinct source, ticket_id, event_type from record_marks) as marks
  join versions on versions.source = marks.source and versions.ticket_id = marks.ticket_id
  cross join build_inputs
  left join record_marks
    on record_marks.source = versions.source
    and record_marks.ticket_id = versions.ticket_id
    and record_marks.event_type = marks.event_type
    and record_marks.batch_id = versions.batch_id
    and record_marks.line_number = versions.line_number
  where versions.updated_at <= build_inputs.as_of
),

last_marks as (
  select
    source,
    ticket_id,
    event_type,
    max(case when is_marked then updated_at end) as marked_at,
    max(case when not is_marked then updated_at end) as unmarked_at
  from marked_records
  group by source, ticket_id, event_type
),

-- That of a bug is a statement of its own, made with the first record without the mark.
unmarked_bugs as (
  select
    marked_records.*,
    row_number() over (
      partition by marked_records.source, marked_records.ticket_id
      order by marked_records.updated_at nulls last, marked_records.batch_id nulls last, marked_records.line_number nulls last
    ) as record_rank
  from marked_records
  join last_marks
    on last_marks.source = marked_records.source
    and last_marks.ticket_id = marked_records.ticket_id
    and last_marks.event_type = marked_records.event_type
  where marked_records.event_type = 'bug_confirmed'
    and not marked_records.is_marked
    and marked_records.updated_at > last_marks.marked_at
),

-- A merge closes the ticket: what the same update, or the same record at that instant, says of its end resolves nothing.
merging_updates as (
  select distinct source, ticket_id, update_id
  from acts
  where event_type = 'merged' and act_kind in ('created', 'changed') and not is_withdrawal and update_id is not null
),

merging_dates as (
  select distinct acts.source, acts.ticket_id, acts.event_at
  from acts
  left join last_marks
    on last_marks.source = acts.source and last_marks.ticket_id = acts.ticket_id and last_marks.event_type = acts.event_type
  where acts.event_type = 'merged' and acts.act_kind = 'date'
    and (last_marks.unmarked_at is null or acts.version_at is null or acts.version_at >= last_marks.unmarked_at)
),

exported_events as (
  select
    acts.event_id, acts.ticket_id, acts.source, acts.event_at,
    case when acts.is_withdrawal then 'bug_rejected' else acts.event_type end as event_type, acts.actor_kind, acts.actor, acts.is_public,
    case when cancelled_records.ticket_id is not null then 'cancelled' else acts.value end as value,
    acts.is_opening, acts.act_kind in ('date', 'mark') as is_date, acts.act_kind = 'mark' as is_shown, acts.earliest_at, acts.moves_with_submission, true as is_cut,
    acts.version_at, acts.source_file, acts.line_number, acts.batch_id, acts.known_at
  from acts
  left join steps on steps.source = acts.source and steps.event_id = acts.event_id
  left join histories on histories.source = acts.source and histories.ticket_id = acts.ticket_id
  left join records_without_response_date as dropped
    on dropped.source = acts.source
    and dropped.ticket_id = acts.ticket_id
    and dropped.batch_id = acts.batch_id
    and dropped.line_number = acts.line_number
    and acts.event_type = 'message'
    and acts.act_kind = 'date'
  left join withdrawn
    on withdrawn.source = acts.source and withdrawn.ticket_id = acts.ticket_id and withdrawn.event_type = acts.event_type
  -- The dates of a record that says cancelled are those of the cancellation.
  left join cancelled_records
    on cancelled_records.source = acts.source
    and cancelled_records.ticket_id = acts.ticket_id
    and cancelled_records.batch_id = acts.batch_id
    and cancelled_records.line_number = acts.line_number
    and acts.event_type = 'status_changed'
    and acts.act_kind = 'date'
  left join last_marks
    on last_marks.source = acts.source
    and last_marks.ticket_id = acts.ticket_id
    and last_marks.event_type = acts.event_type
    and acts.act_kind in ('date', 'mark')
    and (acts.event_type <> 'bug_confirmed' or last_marks.marked_at > last_marks.unmarked_at)
  left join merging_updates
    on merging_updates.source = acts.source
    and merging_updates.ticket_id = acts.ticket_id
    and merging_updates.update_id = acts.update_id
    and acts.event_type = 'status_changed'
    and acts.value in ('solved', 'closed')
  left join merging_dates
    on merging_dates.source = acts.source
    and merging_dates.ticket_id = acts.ticket_id
    and merging_dates.event_at = acts.event_at
    and acts.act_kind = 'date'
    and acts.event_type = 'status_changed'
    and acts.value in ('solved', 'closed')
  where dropped.ticket_id is null
    and merging_updates.ticket_id is null
    and merging_dates.ticket_id is null
    and (last_marks.unmarked_at is null or acts.version_at is null or acts.version_at >= last_marks.unmarked_at)
    and withdrawn.ticket_id is null
    and (not acts.is_withdrawal or acts.event_type = 'bug_confirmed')
    and (acts.event_type not in ('status_changed', 'severity_changed') or acts.value is not null)
    -- One numbered update makes a change once.
    and (acts.update_number is null or acts.event_type not in ('status_changed', 'severity_changed') or steps.event_id is not null)
    -- Statuses of a history that sla.yml calls whole, and that is not, would stand beside the dates in the ticket's own record.
    and (histories.ticket_id is null or acts.event_type <> 'status_changed' or acts.act_kind <> 'changed')
  union all
  select
    openings.event_id, openings.ticket_id, openings.source, openings.event_at, openings.event_type, 'unknown', null, true, openings.value,
    true, false, false, null, false, false, null, openings.source_file, openings.line_number, openings.batch_id, openings.known_at
  from openings
  left join histories on histories.source = openings.source and histories.ticket_id = openings.ticket_id
  where histories.ticket_id is null or openings.event_type <> 'status_changed'
  union all
  select
    event_id, ticket_id, source, event_at, event_type, 'unknown', null, true, value,
    is_opening, false, false, earliest_at, false, true, null, source_file, line_number, batch_id, known_at
  from shown_changes
  union all
  select
    event_id, ticket_id, source, event_at, 'status_changed', 'unknown', null, true, 'cancelled',
    false, true, false, submitted_at, false, false, event_at, source_file, line_number, batch_id, known_at
  from cancellations
  union all
  select
    deletions.event_id, deletions.ticket_id, deletions.source, deletions.event_at, 'deleted', 'unknown', null, true, null,
    false, false, true, null, false, false, deletions.event_at, deletions.source_file, deletions.line_number, deletions.batch_id, deletions.known_at
  from deletions
  left join last_present on last_present.source = deletions.source and last_present.ticket_id = deletions.ticket_id
  where last_present.present_at is null or deletions.event_at >= last_present.present_at
  union all
  select
    ticket_id || ':bug_unmarked', ticket_id, source, updated_at, 'bug_rejected', 'unknown', null, true, null,
    false, true, true, null, false, false, updated_at, source_file, line_number, batch_id, known_at
  from unmarked_bugs
  where record_rank = 1
),

-- Most events are exported once, and need no rank.
repeated as (
  select source, event_id from exported_events group by source, event_id having count(*) > 1
),

copies as (
  select
    exported_events.*,
    row_number() over (
      partition by exported_events.source, exported_events.event_id
      order by
        case when exported_events.version_at > build_inputs.as_of then 1 else 0 end,
        -- What a record dates itself says more than that a record shows it.
        case when exported_events.is_shown then 1 else 0 end,
        case when exported_events.is_shown then exported_events.version_at end nulls last,
        exported_events.version_at desc nulls last,
        -- Of copies that contradict each other the later one: a stop that is in time there is so with the other as well.
        exported_events.event_at desc, exported_events.ticket_id nulls last, exported_events.event_type nulls last,
        coalesce(exported_events.value, ''),
        coalesce(exported_events.actor_kind, ''), coalesce(exported_events.is_public, false), coalesce(exported_events.actor, ''),
        exported_events.batch_id nulls last, exported_events.line_number nulls last
    ) as copy_rank,
    min(exported_events.known_at) over (partition by exported_events.source, exported_events.event_id) as first_known_at,
    -- What a figure may rest on.
    exported_events.ticket_id || '|' || cast(exported_events.event_at as string) || '|' || exported_events.event_type || '|'
    || coalesce(exported_events.value, '') || '|' || coalesce(exported_events.actor_kind, '') || '|'
    || cast(coalesce(exported_events.is_public, false) as string) as content
  from exported_events
  join repeated on repeated.source = exported_events.source and repeated.event_id = exported_events.event_id
  cross join build_inputs
),

compared as (
  select
    copies.*,
    min(content) over of_version <> max(content) over of_version as is_contradicted
  from copies
  window of_version as (partition by source, event_id, version_at)
)

{% set columns = [
  'event_id', 'ticket_id', 'source', 'event_at', 'event_type', 'actor_kind', 'actor', 'is_public', 'value', 'is_opening', 'is_date', 'is_shown',
  'earliest_at', 'moves_with_submission', 'is_cut', 'version_at', 'source_file', 'line_number', 'batch_id', 'known_at'
] %}
select
  {% for column in columns %}exported_events.{{ column }}, {% endfor %}
  cast(1 as bigint) as copy_rank,
  exported_events.known_at as first_known_at,
  false as is_contradicted
from exported_events
left join repeated on repeated.source = exported_events.source and repeated.event_id = exported_events.event_id
where repeated.event_id is null
union all
select
  {% for column in columns %}{{ column }}, {% endfor %}
  copy_rank,
  first_known_at,
  is_contradicted
from compared
