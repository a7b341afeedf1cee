-- Grain: one row per ticket and figure (and cycle) that a vendor computed itself, as last exported. Never used for a figure of ours.
-- A figure that names its ticket by the record's own id is looked up by the number that people know.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
figures as (select * from {{ ref('stg_helpdesk__vendor_figures') }}),
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),

records as (select * from {{ ref('stg_helpdesk__records') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),

named as (
  select figures.*, coalesce(sources.ticket_prefix || records.ticket_id, figures.ticket_id) as known_ticket_id, build_inputs.as_of
  from figures
  join sources on sources.source = figures.source
  left join records on records.source = figures.source and records.record_id = figures.exported_ticket_id
  cross join build_inputs
  -- A verdict of theirs may be written for a moment to come; it is none yet.
  where figures.figure_kind <> 'target' or figures.read_at is null or figures.read_at <= build_inputs.as_of
),

ranked as (
  select
    named.*,
    row_number() over (
      partition by named.source, named.known_ticket_id, named.figure, named.clock_kind, named.cycle_number
      order by
        case when named.read_at <= named.as_of or named.read_at is null then 0 else 1 end,
        -- A breach that is taken back keeps its instant.
        named.read_at desc nulls last, case when named.they_breached then 1 else 0 end,
        -- Of figures of one instant that differ, the larger one: what they say of a breach is then not hidden.
        named.they_seconds desc nulls last, named.goal_seconds desc nulls last, named.they_started_at nulls last,
        named.they_stopped_at nulls last, named.batch_id nulls last, named.line_number nulls last
    ) as version_rank
  from named
)

select
  ranked.known_ticket_id || ':' || coalesce(ranked.figure, '') || ':' || coalesce(ranked.clock_kind, '') || ':' || cast(ranked.cycle_number as string)
    as vendor_figure_key,
  ranked.known_ticket_id as ticket_id,
  tickets.customer_id,
  ranked.figure,
  ranked.obligation,
  ranked.cycle_number,
  ranked.figure_kind,
  ranked.clock_kind,
  ranked.they_seconds,
  ranked.unit_seconds,
  ranked.they_breached,
  ranked.goal_seconds,
  ranked.they_started_at,
  ranked.they_stopped_at,
  ranked.read_at,
  ranked.source,
  ranked.source_file,
  ranked.line_number,
  ranked.batch_id,
  cast(ranked.known_at as timestamp) as known_at
from ranked
join tickets on tickets.ticket_id = ranked.known_ticket_id and tickets.source = ranked.source
where ranked.version_rank = 1
