-- Grain: one row per exported figure that a vendor computed itself; overlapping exports repeat figures.
-- They are kept to be compared with ours. No figure of ours reads them.
-- Some helpdesks write their verdict into a field of the ticket (seed vendor_verdict_fields).
with
figures as (select * from {{ source('raw', 'vendor_sla_figures') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
ticket_versions as (select * from {{ source('raw', 'ticket_versions') }}),
verdict_fields as (select * from {{ ref('vendor_verdict_fields') }}),

written as (
  select
    ticket_versions.*,
    sources.ticket_prefix,
    verdict_fields.field_name,
    verdict_fields.obligation,
    verdict_fields.met_value,
    verdict_fields.breached_value,
    lower(trim({{ json_field('ticket_versions.fields', 'verdict_fields.field_name') }})) as field_value
  from ticket_versions
  join sources on sources.source = ticket_versions.source
  join verdict_fields on verdict_fields.source_type = sources.source_type
)

select
  figures.source,
  figures.ticket_id as exported_ticket_id,
  sources.ticket_prefix || figures.ticket_id as ticket_id,
  figures.figure,
  figures.obligation,
  coalesce(figures.cycle_number, 1) as cycle_number,
  figures.figure_kind,
  figures.clock_kind,
  figures.they_seconds,
  coalesce(figures.unit_seconds, 1) as unit_seconds,
  figures.they_breached,
  figures.goal_seconds,
  figures.they_started_at,
  figures.they_stopped_at,
  figures.read_at,
  figures.source_file,
  figures.line_number,
  figures.batch_id,
  batches.landed_at as known_at
from figures
join sources on sources.source = figures.source
join batches on batches.batch_id = figures.batch_id
union all
select
  written.source,
  written.ticket_id as exported_ticket_id,
  written.ticket_prefix || written.ticket_id as ticket_id,
  written.field_name as figure,
  written.obligation,
  1 as cycle_number,
  'target' as figure_kind,
  cast(null as string) as clock_kind,
  cast(null as bigint) as they_seconds,
  1 as unit_seconds,
  try_cast(written.field_value as boolean) = written.breached_value as they_breached,
  cast(null as bigint) as goal_seconds,
  cast(null as timestamp) as they_started_at,
  cast(null as timestamp) as they_stopped_at,
  written.updated_at as read_at,
  written.source_file,
  written.line_number,
  written.batch_id,
  batches.landed_at as known_at
from written
join batches on batches.batch_id = written.batch_id
-- A word that is neither says nothing.
where try_cast(written.field_value as boolean) in (written.met_value, written.breached_value)
