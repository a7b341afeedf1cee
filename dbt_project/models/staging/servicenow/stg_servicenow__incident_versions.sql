-- Grain: one row per exported incident row, with the row before it of the same incident.
-- An audit log is not in order of time: the update counter is the order, the time of the update only breaks ties.
with
incidents as (select * from {{ source('raw', 'servicenow_incidents') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),

described as (
  select
    incidents.*,
    sources.ticket_prefix,
    sources.customer_field,
    sources.customer_constant,
    sources.is_journal_whole,
    sources.is_audit_whole,
    case sources.severity_field
      when 'severity' then incidents.severity
      when 'urgency' then incidents.urgency
      when 'impact' then incidents.impact
      else incidents.priority
    end as severity_given,
    batches.landed_at as known_at
  from incidents
  join sources on sources.source = incidents.source
  join batches on batches.batch_id = incidents.batch_id
)

select
  described.*,
  coalesce(statuses.mapped_value, described.state) as mapped_status,
  severities.mapped_value as mapped_severity,
  row_number() over incident_updates as version_number,
  lag(coalesce(statuses.mapped_value, described.state)) over incident_updates as previous_status,
  lag(severities.mapped_value) over incident_updates as previous_severity
from described
left join severities on severities.source = described.source and severities.source_value = described.severity_given
left join statuses on statuses.source = described.source and statuses.source_value = described.state
window incident_updates as (
  partition by described.source, described.ticket_id
  order by described.update_number, described.updated_at, described.batch_id, described.line_number
)
