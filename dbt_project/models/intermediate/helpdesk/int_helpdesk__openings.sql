-- Grain: one row per ticket and status or level that it was submitted with, where its history says so.
-- The first change says what it changed. Of a ticket whose record came with its whole history and shows no change, it is what the record shows.
with
versions as (select * from {{ ref('int_helpdesk__versions') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
steps as (select * from {{ ref('int_helpdesk__history_steps') }}),

submissions as (select source, ticket_id, min(submitted_at) as submitted_at from versions group by source, ticket_id),

-- Records of one instant that show different ones show none.
last_histories as (
  select *
  from (
    select
      versions.source,
      versions.ticket_id,
      versions.exported_ticket_id,
      versions.updated_at,
      versions.source_file,
      versions.line_number,
      versions.batch_id,
      versions.known_at,
      case when min(ticket_status) over of_version = max(ticket_status) over of_version then ticket_status end as ticket_status,
      case when min(severity) over of_version = max(severity) over of_version then severity end as severity,
      row_number() over (
        partition by source, ticket_id
        order by updated_at desc, ticket_status nulls last, severity nulls last, batch_id nulls last, line_number nulls last
      ) as version_rank
    from versions
    where is_history_inside
    window of_version as (partition by source, ticket_id, updated_at)
  ) as ranked
  where version_rank = 1
),

unchanged as (
  select source, ticket_id, exported_ticket_id, 'status_changed' as event_type, ticket_status as value, updated_at, source_file, line_number, batch_id, known_at
  from last_histories
  union all
  select source, ticket_id, exported_ticket_id, 'severity_changed', cast(severity as string), updated_at, source_file, line_number, batch_id, known_at
  from last_histories
)

select
  steps.event_id || ':before' as event_id,
  steps.source,
  steps.ticket_id,
  steps.event_type,
  steps.value_before as value,
  submissions.submitted_at as event_at,
  steps.source_file,
  steps.line_number,
  steps.batch_id,
  steps.known_at
from steps
join sources on sources.source = steps.source
join submissions on submissions.source = steps.source and submissions.ticket_id = steps.ticket_id
-- A log that begins with the update that created the ticket says it there.
where steps.step_number = 1 and steps.value_before is not null and not sources.has_opening_update
union all
select
  unchanged.exported_ticket_id || ':created:' || unchanged.event_type as event_id,
  unchanged.source,
  unchanged.ticket_id,
  unchanged.event_type,
  unchanged.value,
  submissions.submitted_at as event_at,
  unchanged.source_file,
  unchanged.line_number,
  unchanged.batch_id,
  unchanged.known_at
from unchanged
join submissions on submissions.source = unchanged.source and submissions.ticket_id = unchanged.ticket_id
left join steps
  on steps.source = unchanged.source and steps.ticket_id = unchanged.ticket_id and steps.event_type = unchanged.event_type
where steps.ticket_id is null and unchanged.value is not null
