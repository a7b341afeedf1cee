-- Grain: one row per exported incident row.
-- ServiceNow's incident carries no replies at all: they are in the journal, where sla.yml says that all of it is exported. A REST row
-- carries the resolution but not the statuses before it: they are in the field history, where sla.yml says that all of it is
-- exported and the history bears it out. An incident of which a record of either was refused shows neither.
with
versions as (select * from {{ ref('stg_servicenow__incident_versions') }}),
journals as (select distinct source from {{ source('raw', 'servicenow_journal_entries') }}),
histories as (select * from {{ ref('stg_servicenow__histories') }}),
gaps as (
  select
    source,
    ticket_sys_id,
    max(case when evidence = 'messages' then 1 else 0 end) as is_in_messages,
    max(case when evidence = 'statuses' then 1 else 0 end) as is_in_statuses
  from {{ source('raw', 'servicenow_gaps') }}
  group by source, ticket_sys_id
),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel')

select
  versions.ticket_prefix || versions.ticket_id as ticket_id,
  versions.source,
  case
    when versions.customer_constant is not null then versions.customer_constant
    when versions.customer_field = 'requester' then versions.requester
    else versions.company
  end as customer_id,
  versions.requester,
  versions.opened_by as opener,
  coalesce(channels.mapped_value, versions.channel) as channel,
  cast(versions.mapped_severity as integer) as severity,
  versions.severity_given,
  versions.opened_at as submitted_at,
  versions.subject,
  cast(null as varchar) as ticket_type,
  versions.mapped_status as ticket_status,
  journals.source is not null and coalesce(gaps.is_in_messages, 0) = 0 as is_first_response_observed,
  journals.source is not null and coalesce(gaps.is_in_messages, 0) = 0 as is_messages_observed,
  versions.export_kind = 'audit_log' or coalesce(histories.is_whole, false) as is_statuses_observed,
  histories.source is null or coalesce(gaps.is_in_statuses, 0) = 0 as is_resolution_observed,
  false as is_debug_observed,
  coalesce(versions.updated_at, versions.opened_at) as updated_at,
  coalesce(versions.update_number, 0) as update_number,
  versions.source_file,
  versions.line_number,
  versions.batch_id,
  versions.known_at
from versions
left join journals on journals.source = versions.source and versions.is_journal_whole
left join histories on histories.source = versions.source and histories.ticket_id = versions.ticket_id
left join gaps on gaps.source = versions.source and gaps.ticket_sys_id = versions.sys_id
left join channels on channels.source = versions.source and channels.source_value = versions.channel
