-- Grain: one row per exported ticket object; overlapping pages repeat tickets.
-- A ticket whose opening audit was not exported has no history to judge from: its evidence flags are false. The full export holds the
-- comments in the ticket itself: its messages are known then, and nothing else. Audits that gainsay each other or the ticket lack some.
with
tickets as (select * from {{ source('raw', 'zendesk_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
users as (select * from {{ ref('stg_zendesk__users') }}),
organizations as (select * from {{ ref('stg_zendesk__organizations') }}),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel'),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),

audit_events as (select * from {{ source('raw', 'zendesk_audit_events') }}),

-- Pages overlap, so an audit may come twice.
status_copies as (
  select
    audit_events.*,
    row_number() over (partition by source, audit_id, event_index order by batch_id, line_number) as copy_rank
  from audit_events
  where event_kind in ('Create', 'Change') and field_name = 'status'
),

status_steps as (
  select
    source,
    ticket_id,
    created_at,
    "value" as status,
    previous_value,
    lag("value") over (
      partition by source, ticket_id order by created_at, length(audit_id), audit_id, event_index
    ) as status_before,
    row_number() over (
      partition by source, ticket_id order by created_at desc, length(audit_id) desc, audit_id desc, event_index desc
    ) as step_from_end
  from status_copies
  where copy_rank = 1
),

-- Where a status begins with what nothing before it left, the audit that left it did not come along.
status_histories as (
  select
    source,
    ticket_id,
    max(case when previous_value <> status_before then 1 else 0 end) as is_broken,
    max(case when step_from_end = 1 then status end) as last_status,
    max(created_at) as last_changed_at
  from status_steps
  group by source, ticket_id
),

tickets_with_opening_audit as (
  select distinct source, ticket_id from audit_events where event_kind = 'Create'
),

-- What was said in a chat is no comment, and who answered first may have answered there.
tickets_with_chat as (
  select distinct source, ticket_id from audit_events where event_kind in ('ChatStartedEvent', 'ChatEndedEvent')
),

described as (
  select
    tickets.*,
    sources.ticket_prefix,
    case
      when sources.customer_constant is not null then sources.customer_constant
      when sources.customer_field = 'organization_id' then tickets.organization_id
      when sources.customer_field = 'organization_name' then organizations.organization_name
      else organizations.external_id
    end as customer_id,
    case
      when sources.severity_field = 'priority' then tickets.priority
      else {{ custom_field_value('tickets.custom_fields', "replace(sources.severity_field, 'custom_field:', '')") }}
    end as severity_given,
    tickets_with_opening_audit.ticket_id is not null
    and coalesce(status_histories.is_broken, 0) = 0
    -- Nor does it lead to the status in which the ticket was exported since. Closing a solved ticket hides nothing.
    and not coalesce(
      tickets.updated_at >= status_histories.last_changed_at
      and tickets.status <> status_histories.last_status
      and tickets.status <> 'deleted'
      and not (tickets.status = 'closed' and status_histories.last_status = 'solved'),
      false
    ) as is_history_whole
  from tickets
  join sources on sources.source = tickets.source
  left join organizations
    on organizations.source = tickets.source and organizations.organization_id = tickets.organization_id
  left join tickets_with_opening_audit
    on tickets_with_opening_audit.source = tickets.source and tickets_with_opening_audit.ticket_id = tickets.ticket_id
  left join status_histories
    on status_histories.source = tickets.source and status_histories.ticket_id = tickets.ticket_id
)

select
  described.ticket_prefix || described.ticket_id as ticket_id,
  described.source,
  described.customer_id,
  coalesce(users.person, described.requester_id) as requester,
  described.submitter_id as opener,
  coalesce(channels.mapped_value, described.channel) as channel,
  cast(severities.mapped_value as integer) as severity,
  described.severity_given,
  described.created_at as submitted_at,
  described.subject,
  described.ticket_type,
  coalesce(statuses.mapped_value, described.status) as ticket_status,
  (described.is_history_whole or coalesce(described.has_comments, false)) and tickets_with_chat.ticket_id is null as is_first_response_observed,
  (described.is_history_whole or coalesce(described.has_comments, false)) and tickets_with_chat.ticket_id is null as is_messages_observed,
  described.is_history_whole as is_statuses_observed,
  described.is_history_whole as is_resolution_observed,
  described.is_history_whole as is_debug_observed,
  described.updated_at,
  cast(0 as integer) as update_number,
  described.source_file,
  described.line_number,
  described.batch_id,
  batches.landed_at as known_at
from described
join batches on batches.batch_id = described.batch_id
left join users on users.source = described.source and users.user_id = described.requester_id
left join tickets_with_chat
  on tickets_with_chat.source = described.source and tickets_with_chat.ticket_id = described.ticket_id
left join channels on channels.source = described.source and channels.source_value = described.channel
left join severities on severities.source = described.source and severities.source_value = described.severity_given
left join statuses on statuses.source = described.source and statuses.source_value = described.status
