-- Grain: one row per audit event that a rule can use; one audit event may stand for several.
-- Who acted is read from the role that the user had then; a bot by the lists of sla.yml. An unknown author is neither side's.
with
audit_events as (select * from {{ source('raw', 'zendesk_audit_events') }}),
tickets as (select * from {{ source('raw', 'zendesk_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
users as (select * from {{ source('raw', 'zendesk_users') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),
event_fields as (select * from {{ source('raw', 'source_events') }}),
bot_actors as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor'),
bot_channels as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'channel'),

-- An agent who leaves is made an end user before the account is deleted; what was written until then is an agent's. What the first
-- exported version says holds before it too.
user_versions as (
  select
    source,
    user_id,
    role,
    updated_at,
    row_number() over (
      partition by source, user_id, coalesce(updated_at, timestamp '1970-01-01 00:00:00') order by batch_id desc, line_number desc
    ) as copy_rank
  from users
),

user_roles as (
  select
    source,
    user_id,
    role,
    row_number() over (partition by source, user_id order by updated_at nulls first) as version_number,
    updated_at as valid_from,
    lead(updated_at) over (partition by source, user_id order by updated_at nulls first) as valid_to
  from user_versions
  where copy_rank = 1
),

-- Whoever a ticket is kept for asks, also with an agent's seat.
requesters as (
  select source, ticket_id, requester_id
  from (
    select
      source,
      ticket_id,
      requester_id,
      row_number() over (
        partition by source, ticket_id order by updated_at desc, batch_id desc, line_number desc
      ) as version_rank
    from tickets
  ) as numbered
  where version_rank = 1
),

opening_audits as (
  select distinct source, audit_id from audit_events where event_kind = 'Create'
),

acted as (
  select
    audit_events.*,
    sources.ticket_prefix,
    case when sources.severity_field = 'priority' then 'priority' else replace(sources.severity_field, 'custom_field:', '') end
      as severity_field,
    opening_audits.audit_id is not null as is_opening,
    batches.landed_at as known_at,
    case
      when coalesce(bot_actors.bot_value, bot_updaters.bot_value, bot_channels.bot_value) is not null or audit_events.author_id = '-1'
        then 'bot'
      when audit_events.author_id = requesters.requester_id then 'customer'
      when user_roles.role in ('agent', 'admin') then 'agent'
      when user_roles.role = 'end-user' then 'customer'
      else 'unknown'
    end as actor_kind
  from audit_events
  join sources on sources.source = audit_events.source
  join batches on batches.batch_id = audit_events.batch_id
  left join opening_audits on opening_audits.source = audit_events.source and opening_audits.audit_id = audit_events.audit_id
  left join user_roles
    on user_roles.source = audit_events.source
    and user_roles.user_id = audit_events.author_id
    and (user_roles.version_number = 1 or user_roles.valid_from <= audit_events.created_at)
    and (user_roles.valid_to is null or audit_events.created_at < user_roles.valid_to)
  left join requesters on requesters.source = audit_events.source and requesters.ticket_id = audit_events.ticket_id
  left join bot_actors on bot_actors.source = audit_events.source and bot_actors.bot_value = audit_events.author_id
  -- A robot that writes in a human's name is a robot.
  left join bot_actors as bot_updaters
    on bot_updaters.source = audit_events.source and bot_updaters.bot_value = audit_events.updater_id
  left join bot_channels on bot_channels.source = audit_events.source and bot_channels.bot_value = audit_events.channel
),

messages as (
  select acted.*, 'message' as event_type, cast(null as varchar) as mapped_value
  from acted
  where acted.event_kind in ('Comment', 'VoiceComment')
),

status_changes as (
  select acted.*, 'status_changed' as event_type, coalesce(statuses.mapped_value, acted.value) as mapped_value
  from acted
  left join statuses on statuses.source = acted.source and statuses.source_value = acted.value
  where acted.event_kind in ('Create', 'Change') and acted.field_name = 'status'
),

severity_changes as (
  select acted.*, 'severity_changed' as event_type, severities.mapped_value
  from acted
  join severities on severities.source = acted.source and severities.source_value = acted.value
  where acted.event_kind in ('Create', 'Change') and acted.field_name = acted.severity_field
),

declared_events as (
  select acted.*, event_fields.event_type, cast(null as varchar) as mapped_value
  from acted
  join event_fields
    on event_fields.source = acted.source and replace(event_fields.field_name, 'custom_field:', '') = acted.field_name
  where acted.event_kind in ('Create', 'Change')
    and case
      when acted.field_name = 'tags' then
        {{ json_list_contains('acted.value', 'event_fields.field_value') }}
        and not {{ json_list_contains('acted.previous_value', 'event_fields.field_value') }}
      else acted.value = event_fields.field_value
    end
),

-- Zendesk writes a line of its own in the update that merges a ticket, in the name of whoever merged it.
merging_audits as (
  select distinct source, audit_id from declared_events where event_type = 'merged'
),

from_audits as (
  select * from messages
  union all select * from status_changes
  union all select * from severity_changes
  union all select * from declared_events
),

deletions as (
  select
    tickets.ticket_id || ':deleted' as event_id,
    sources.ticket_prefix || tickets.ticket_id as ticket_id,
    tickets.source,
    tickets.updated_at as event_at,
    'deleted' as event_type,
    'unknown' as actor_kind,
    cast(null as varchar) as actor,
    true as is_public,
    cast(null as varchar) as value,
    false as is_opening,
    cast(null as timestamp) as earliest_at,
    tickets.updated_at as written_at,
    tickets.source_file,
    tickets.line_number,
    tickets.batch_id,
    batches.landed_at as known_at
  from tickets
  join sources on sources.source = tickets.source
  join batches on batches.batch_id = tickets.batch_id
  where tickets.status = 'deleted'
)

select
  from_audits.event_id || ':' || from_audits.event_type as event_id,
  from_audits.ticket_prefix || from_audits.ticket_id as ticket_id,
  from_audits.source,
  from_audits.created_at as event_at,
  from_audits.event_type,
  case when from_audits.event_type = 'message' and merging_audits.audit_id is not null then 'bot' else from_audits.actor_kind end as actor_kind,
  from_audits.author_id as actor,
  -- A comment that is not said to be public is taken as internal.
  coalesce(from_audits.is_public, from_audits.event_type <> 'message') as is_public,
  from_audits.mapped_value as value,
  from_audits.is_opening,
  cast(null as timestamp) as earliest_at,
  cast(null as timestamp) as written_at,
  from_audits.source_file,
  from_audits.line_number,
  from_audits.batch_id,
  from_audits.known_at
from from_audits
left join merging_audits on merging_audits.source = from_audits.source and merging_audits.audit_id = from_audits.audit_id
union all
select * from deletions
