-- Grain: one row per exported record of a ticket; several records may show one ticket.
-- Customer, level, channel and status are looked up here; a word without an entry in sla.yml stays as it is written.
{{ config(materialized='table') }}
with
versions as (select * from {{ source('raw', 'ticket_versions') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
organizations as (select * from {{ ref('stg_helpdesk__organizations') }}),
people as (select * from {{ ref('stg_helpdesk__people') }} where valid_to = timestamp '{{ var("open_end") }}'),
customer_words as (select * from {{ source('raw', 'customer_words') }}),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel'),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),

-- A row of a log that does not name the submission has its own instant there: the first one is it.
first_submissions as (
  select source, ticket_id, min(submitted_at) as submitted_at, min(coalesce(latest_submitted_at, submitted_at)) as latest_submitted_at
  from versions
  where version_kind = 'update'
  group by source, ticket_id
),

described as (
  select
    versions.*,
    coalesce(first_submissions.submitted_at, versions.submitted_at) as first_submitted_at,
    coalesce(first_submissions.latest_submitted_at, versions.latest_submitted_at) as latest_first_submitted_at,
    sources.ticket_prefix,
    sources.has_own_levels,
    sources.channel_constant,
    case
      when sources.customer_constant is not null then sources.customer_constant
      when versions.customer_id is not null then versions.customer_id
      when sources.customer_field = 'organization_id' then versions.organization_id
      when sources.customer_field = 'organization_name' then organizations.organization_name
      when sources.customer_field = 'organization_external_id' then organizations.external_id
      when sources.customer_field in ('company', 'requester') then {{ json_field('versions.fields', 'sources.customer_field') }}
    end as customer_given,
    case
      when versions.severity is not null then versions.severity
      when sources.severity_field = 'priority' and versions.priority is not null then versions.priority
      when sources.severity_field like 'custom_field:%' then {{ custom_field_value('versions.fields', 'sources.severity_field_id') }}
      when sources.severity_field in ('priority', 'severity', 'impact', 'urgency') then {{ json_field('versions.fields', 'sources.severity_field') }}
    end as severity_given,
    batches.landed_at as known_at
  from versions
  join sources on sources.source = versions.source
  join batches on batches.batch_id = versions.batch_id
  left join first_submissions
    on versions.version_kind = 'update' and first_submissions.source = versions.source and first_submissions.ticket_id = versions.ticket_id
  left join organizations
    on organizations.source = versions.source and organizations.organization_id = versions.organization_id
)

select
  described.ticket_id as exported_ticket_id,
  described.ticket_prefix || described.ticket_id as ticket_id,
  described.record_id,
  described.source,
  -- Several words of a source may stand for one customer.
  coalesce(customer_words.customer_id, described.customer_given) as customer_id,
  coalesce(people.person, described.requester, described.requester_id) as requester,
  described.requester_id,
  coalesce(described.opener, described.requester) as opener,
  coalesce(described.channel_constant, channels.mapped_value, described.channel) as channel,
  case
    when severities.mapped_value is not null then cast(severities.mapped_value as integer)
    when described.has_own_levels and described.severity_given in ('0', '1', '2', '3', '4', '5') then cast(described.severity_given as integer)
  end as severity,
  described.severity_given,
  described.subject,
  described.ticket_type,
  coalesce(statuses.mapped_value, described.status) as ticket_status,
  described.version_kind,
  described.evidence,
  coalesce(described.update_number, 0) as update_number,
  described.update_number as exported_update_number,
  described.line_place as place,
  coalesce(described.reopen_count, 0) as reopen_count,
  coalesce(described.reopen_count = 0, false) as is_never_reopened,
  coalesce(described.is_deleted, false) as is_deleted,
  described.first_submitted_at as submitted_at,
  coalesce(described.latest_first_submitted_at, described.first_submitted_at) as latest_submitted_at,
  coalesce(described.updated_at, described.first_submitted_at) as updated_at,
  coalesce(described.latest_updated_at, described.updated_at, described.latest_first_submitted_at, described.first_submitted_at) as latest_updated_at,
  described.source_file,
  described.line_number,
  described.batch_id,
  described.known_at
from described
left join customer_words
  on customer_words.word = described.customer_given
  and (customer_words.source is null or customer_words.source = described.source)
left join channels on channels.source = described.source and channels.source_value = described.channel
left join severities on severities.source = described.source and severities.source_value = described.severity_given
left join statuses on statuses.source = described.source and statuses.source_value = described.status
left join people
  on people.source = described.source and people.person_id = coalesce(described.requester_id, described.requester)
