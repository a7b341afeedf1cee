-- Grain: one row per refused record, with the ticket that it belongs to where that is known.
with
refused as (select * from {{ source('raw', 'quarantine') }}),
gaps as (select * from {{ source('raw', 'gaps') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
causes as (select * from {{ ref('refusal_causes') }}),

tickets as (select batch_id, line_number, min(ticket_id) as ticket_id from gaps group by batch_id, line_number)

select
  refused.source,
  sources.ticket_prefix || tickets.ticket_id as ticket_id,
  refused.column_name,
  refused.raw_value,
  refused.reason,
  refused.hint,
  causes.cause,
  refused.source_file,
  refused.line_number,
  refused.batch_id
from refused
join sources on sources.source = refused.source
left join causes on causes.reason = refused.reason
left join tickets on tickets.batch_id = refused.batch_id and tickets.line_number = refused.line_number
