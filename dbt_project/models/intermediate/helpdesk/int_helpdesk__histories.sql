-- Grain: one row per ticket whose history of statuses can be held against itself and against the ticket's own records.
-- The one law: a history is whole where it begins as it must, each change begins with what the one before left, it leads to the status in
-- which the ticket was exported, and none of its records was refused. A pause of which both rows are missing no export can show.
with
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }} where version_kind is null),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
steps as (select * from {{ ref('int_helpdesk__history_steps') }} where event_type = 'status_changed'),
openings as (select distinct source, ticket_id from {{ ref('stg_helpdesk__opening_updates') }}),
gaps as (select * from {{ ref('stg_helpdesk__gaps') }}),
phases as (select * from {{ ref('ticket_statuses') }}),
dates as (select * from {{ ref('int_helpdesk__acts') }} where act_kind = 'date' and event_type = 'status_changed'),
sources_with_steps as (select source from {{ ref('int_helpdesk__shown_sources') }} where has_changes = 1),

breaks as (
  select
    steps.source,
    steps.ticket_id,
    max(
      case
        -- A ticket is opened with a status in which its vendor works; where sla.yml says that the history is whole, another one shows a missing row.
        when steps.step_number = 1 then case when sources.is_audit_whole and phases.phase <> 'running' then 1 else 0 end
        when steps.value_before is null then case when sources.is_audit_whole then 1 else 0 end
        when steps.value_before <> steps.value_left then 1
        else 0
      end
    ) as is_broken
  from steps
  join sources on sources.source = steps.source
  left join phases on phases.ticket_status = steps.value_before
  group by steps.source, steps.ticket_id
),

-- The statuses that a history shows, from the one before its first change on.
shown as (
  select source, ticket_id, cast(0 as bigint) as step_number, value_before as ticket_status from steps where step_number = 1
  union all
  select source, ticket_id, step_number, value as ticket_status from steps
),

exported as (
  select
    versions.source,
    versions.ticket_id,
    versions.batch_id,
    versions.line_number,
    version_phases.phase,
    max(case when steps.event_at <= versions.updated_at then steps.step_number else 0 end) as step_number
  from versions
  join steps on steps.source = versions.source and steps.ticket_id = versions.ticket_id and steps.act_kind <> 'event'
  join phases as version_phases on version_phases.ticket_status = versions.ticket_status
  where not versions.is_deleted
  group by versions.source, versions.ticket_id, versions.batch_id, versions.line_number, version_phases.phase
),

-- A later status is as good: the record of an update may be a second younger than the ticket, and the ticket may be the older export.
agreements as (
  select
    exported.source,
    exported.ticket_id,
    max(case when shown_phases.phase = exported.phase then 1 else 0 end) as is_agreed
  from exported
  join shown
    on shown.source = exported.source and shown.ticket_id = exported.ticket_id and shown.step_number >= exported.step_number
  left join phases as shown_phases on shown_phases.ticket_status = shown.ticket_status
  group by exported.source, exported.ticket_id, exported.batch_id, exported.line_number
),

contradictions as (
  select source, ticket_id, 1 - min(is_agreed) as is_contradicted from agreements group by source, ticket_id
),

-- Without a single change the ticket was opened as what it is: neither waiting nor, after its submission, ended.
unchanged as (
  select
    versions.source,
    versions.ticket_id,
    max(
      case
        when phases.phase = 'waiting' then 1
        when phases.phase = 'ended' and dates.event_at > versions.submitted_at then 1
        else 0
      end
    ) as is_contradicted
  from versions
  join sources on sources.source = versions.source and sources.is_audit_whole
  join phases on phases.ticket_status = versions.ticket_status
  left join steps on steps.source = versions.source and steps.ticket_id = versions.ticket_id
  left join dates on dates.source = versions.source and dates.ticket_id = versions.ticket_id
  where steps.ticket_id is null
  group by versions.source, versions.ticket_id
),

tickets as (
  select source, ticket_id, max(exported_ticket_id) as exported_ticket_id from versions group by source, ticket_id
)

select
  tickets.source,
  tickets.ticket_id,
  sources.is_audit_whole and sources_with_steps.source is not null as is_declared_whole,
  sources.has_opening_update and openings.ticket_id is not null as is_log,
  coalesce(breaks.is_broken, 0) = 0
  and coalesce(contradictions.is_contradicted, 0) = 0
  and coalesce(unchanged.is_contradicted, 0) = 0
  and not coalesce(gaps.is_in_statuses, false) as is_whole
from tickets
join sources on sources.source = tickets.source
left join sources_with_steps on sources_with_steps.source = tickets.source
left join openings on openings.source = tickets.source and openings.ticket_id = tickets.ticket_id
left join breaks on breaks.source = tickets.source and breaks.ticket_id = tickets.ticket_id
left join contradictions on contradictions.source = tickets.source and contradictions.ticket_id = tickets.ticket_id
left join unchanged on unchanged.source = tickets.source and unchanged.ticket_id = tickets.ticket_id
left join gaps on gaps.source = tickets.source and gaps.exported_ticket_id = tickets.exported_ticket_id
