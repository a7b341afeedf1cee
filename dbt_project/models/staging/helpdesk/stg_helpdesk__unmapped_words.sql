-- Grain: one row per ticket and word of a level or status that no setting maps; and one per ticket that no record gives a level.
with
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }}),
changes as (select * from {{ ref('stg_helpdesk__changes') }}),
refused as (select * from {{ ref('stg_helpdesk__refused') }}),
statuses as (select * from {{ ref('ticket_statuses') }}),

leveled as (
  select distinct source, ticket_id from versions where severity_given is not null
  union
  select distinct source, ticket_id from changes where event_type = 'severity_changed' and (word is not null or value is not null)
),

statuses_given as (
  select source, ticket_id, ticket_status from versions
  union
  select source, ticket_id, value as ticket_status from changes where event_type = 'status_changed'
),

found as (
  select source, ticket_id, 'unknown_levels' as cause, severity_given as word, false as is_refused
  from versions
  where severity_given is not null and severity is null
  union
  select source, ticket_id, 'unknown_levels', word, false
  from changes
  where event_type = 'severity_changed' and value is null and word is not null
  union
  select versions.source, versions.ticket_id, 'missing_levels', cast(null as string), false
  from versions
  left join leveled on leveled.source = versions.source and leveled.ticket_id = versions.ticket_id
  where leveled.ticket_id is null
  union
  select statuses_given.source, statuses_given.ticket_id, 'unknown_statuses', statuses_given.ticket_status, false
  from statuses_given
  left join statuses on statuses.ticket_status = statuses_given.ticket_status
  -- The word of a deletion is no status.
  where statuses.ticket_status is null and statuses_given.ticket_status is not null and statuses_given.ticket_status <> 'deleted'
  union
  select source, ticket_id, cause, raw_value, true
  from refused
  where cause is not null and ticket_id is not null
)

select source, ticket_id, cause, word, is_refused from found
