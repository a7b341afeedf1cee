-- Grain: one row per incident that a source exports with its whole field history, as sla.yml says.
-- A pause whose end is missing would never end, so the history must bear that out: it begins with an incident as one is opened, every change
-- begins with what the one before left, and it leads to the state in which the incident itself was exported. A pause of which both rows
-- are missing nobody can see: that there is none, only sla.yml says.
with
versions as (select * from {{ ref('stg_servicenow__incident_versions') }} where export_kind = 'rest' and sys_id is not null),
changes as (select * from {{ ref('stg_servicenow__field_changes') }} where event_type = 'status_changed'),
sources_with_changes as (select distinct source from {{ source('raw', 'servicenow_field_changes') }}),
gaps as (select distinct source, ticket_sys_id from {{ source('raw', 'servicenow_gaps') }} where evidence = 'statuses'),

-- An unwritten step within one of these hides no pause.
phases (status, phase) as (
  values ('new', 'running'), ('open', 'running'), ('pending', 'waiting'), ('on_hold', 'waiting'), ('solved', 'ended'), ('closed', 'ended')
),

breaks as (
  select
    changes.source,
    changes.ticket_id,
    max(
      case
        when changes.change_number = 1 and (changes.previous_value is null or phases.phase = 'running') then 0
        when changes.change_number > 1 and changes.previous_value = changes.value_left then 0
        else 1
      end
    ) as is_broken
  from changes
  left join phases on phases.status = changes.previous_value
  group by changes.source, changes.ticket_id
),

-- The states that a history tells of, from the one before its first change on.
told as (
  select source, ticket_id, 0 as change_number, previous_value as status from changes where change_number = 1
  union all
  select source, ticket_id, change_number, value as status from changes
),

exported as (
  select
    versions.source,
    versions.ticket_id,
    versions.version_number,
    max(case when changes.changed_at <= versions.updated_at then changes.change_number else 0 end) as change_number
  from versions
  join changes on changes.source = versions.source and changes.ticket_id = versions.ticket_id
  group by versions.source, versions.ticket_id, versions.version_number
),

-- What came later is as good: the row of an update may be a second younger than the incident, and the incident may be the older export.
agreements as (
  select distinct exported.source, exported.ticket_id, exported.version_number
  from exported
  join versions
    on versions.source = exported.source
    and versions.ticket_id = exported.ticket_id
    and versions.version_number = exported.version_number
  join told
    on told.source = exported.source
    and told.ticket_id = exported.ticket_id
    and told.change_number >= exported.change_number
  join phases as told_phases on told_phases.status = told.status
  join phases as exported_phases on exported_phases.status = versions.mapped_status
  where told_phases.phase = exported_phases.phase
),

judged as (
  select
    versions.source,
    versions.ticket_id,
    versions.sys_id,
    case
      -- A state that nobody maps says nothing against a history.
      when phases.phase is null or agreements.ticket_id is not null then 0
      when exported.ticket_id is not null or phases.phase = 'waiting' then 1
      -- Without a single row it never changed: it was opened as what it is.
      when phases.phase = 'ended' and coalesce(versions.resolved_at, versions.closed_at) > versions.opened_at then 1
      else 0
    end as is_contradicted
  from versions
  left join phases on phases.status = versions.mapped_status
  left join exported
    on exported.source = versions.source
    and exported.ticket_id = versions.ticket_id
    and exported.version_number = versions.version_number
  left join agreements
    on agreements.source = versions.source
    and agreements.ticket_id = versions.ticket_id
    and agreements.version_number = versions.version_number
  where versions.is_audit_whole
)

select
  judged.source,
  judged.ticket_id,
  max(judged.is_contradicted) = 0
  and max(coalesce(breaks.is_broken, 0)) = 0
  and max(case when gaps.ticket_sys_id is null then 0 else 1 end) = 0 as is_whole
from judged
join sources_with_changes on sources_with_changes.source = judged.source
left join breaks on breaks.source = judged.source and breaks.ticket_id = judged.ticket_id
left join gaps on gaps.source = judged.source and gaps.ticket_sys_id = judged.sys_id
group by judged.source, judged.ticket_id
