-- Grain: one row per obligation and segment, counted or skipped, from the instant its deciding target counts to the stop (or as_of).
-- A view: it is derived from the published facts when it is read, and costs the build nothing. The counted seconds of an
-- obligation sum to its elapsed_seconds (dbt test).
{{ config(materialized='view') }}
with
obligations as (
  select * from {{ ref('fct_sla_obligations').include(database=false) }}
  where elapsed_seconds is not null and counts_from_at < read_until_at
),
intervals as (select * from {{ ref('dim_clock_intervals').include(database=false) }}),
closures as (select * from {{ ref('dim_clock_closures').include(database=false) }}),
pauses as (select * from {{ ref('fct_sla_pauses').include(database=false) }}),

edges as (
  select obligation_key, counts_from_at as edge_at from obligations
  union
  select obligation_key, read_until_at from obligations
  {%- for relation, key, edge in [
    ('intervals', 'clock_name', 'opens_at'), ('intervals', 'clock_name', 'closes_at'),
    ('closures', 'clock_name', 'starts_at'), ('closures', 'clock_name', 'ends_at'),
    ('pauses', 'obligation_key', 'pauses_at'), ('pauses', 'obligation_key', 'resumes_at'),
  ] %}
  union
  select obligations.obligation_key, {{ relation }}.{{ edge }}
  from obligations
  join {{ relation }}
    on {{ relation }}.{{ key }} = obligations.{{ key }}
    and {{ relation }}.{{ edge }} > obligations.counts_from_at
    and {{ relation }}.{{ edge }} < obligations.read_until_at
  {%- endfor %}
),

spans as (
  select
    edges.obligation_key,
    edges.edge_at as starts_at,
    lead(edges.edge_at) over (partition by edges.obligation_key order by edges.edge_at) as ends_at,
    row_number() over (partition by edges.obligation_key order by edges.edge_at) as segment_number
  from edges
),

classified as (
  select
    obligations.obligation_key,
    obligations.ticket_id,
    obligations.customer_id,
    obligations.clock_name,
    spans.segment_number,
    spans.starts_at,
    spans.ends_at,
    max(intervals.calendar_version) as calendar_version,
    max(pauses.pause_name) as pause_name,
    max(closures.reason) as closure_reason
  from spans
  join obligations on obligations.obligation_key = spans.obligation_key
  left join intervals
    on intervals.clock_name = obligations.clock_name
    and intervals.opens_at <= spans.starts_at
    and intervals.closes_at >= spans.ends_at
  left join pauses
    on pauses.obligation_key = obligations.obligation_key
    and pauses.pauses_at <= spans.starts_at
    and pauses.resumes_at >= spans.ends_at
  left join closures
    on closures.clock_name = obligations.clock_name
    and closures.starts_at <= spans.starts_at
    and closures.ends_at >= spans.ends_at
  where spans.ends_at is not null
  group by
    obligations.obligation_key, obligations.ticket_id, obligations.customer_id, obligations.clock_name,
    spans.segment_number, spans.starts_at, spans.ends_at
)

select
  obligation_key,
  ticket_id,
  customer_id,
  cast(segment_number as integer) as segment_number,
  clock_name,
  calendar_version,
  case
    when calendar_version is null and closure_reason is not null then 'holiday'
    when calendar_version is null then 'closed'
    when pause_name is not null then 'paused'
    else 'counted'
  end as segment_kind,
  case
    when calendar_version is null then coalesce(closure_reason, 'outside the hours of ' || clock_name)
    when pause_name is not null then pause_name
    else clock_name
  end as segment_reason,
  case when calendar_version is not null and pause_name is null
    then {{ epoch_seconds('ends_at') }} - {{ epoch_seconds('starts_at') }} else 0 end as counted_seconds,
  {{ epoch_seconds('ends_at') }} - {{ epoch_seconds('starts_at') }} as wall_seconds,
  starts_at,
  ends_at
from classified
