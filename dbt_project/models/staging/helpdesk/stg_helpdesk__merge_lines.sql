-- Grain: one row per ticket in whose messages the helpdesk itself writes that it was merged: the first such line.
with
lines as (select * from {{ source('raw', 'ticket_changes') }} where change_kind = 'line' and field_name = 'merged'),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),

numbered as (
  select
    lines.*,
    sources.ticket_prefix,
    row_number() over (
      partition by lines.source, lines.ticket_id order by lines.changed_at nulls last, lines.change_id nulls last, lines.batch_id nulls last, lines.line_number nulls last
    ) as line_rank
  from lines
  join sources on sources.source = lines.source
)

select
  source,
  ticket_prefix || ticket_id as ticket_id,
  ticket_prefix || value as merged_into,
  changed_at as written_at,
  source_file,
  line_number
from numbered
where line_rank = 1
