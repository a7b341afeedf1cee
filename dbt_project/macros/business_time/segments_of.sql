{# The select of fct_sla_segments, of the obligations in `chosen`. What names an obligation goes along through every step and is what the steps
   are partitioned by, so that the engine applies a reader's filter of it to the obligations, before any segment is made. #}
{% macro segments_of(chosen) -%}
{% set names = 'obligation_key, ticket_id, customer_id, clock_name' -%}
with
obligations as (
  select {{ names }}, counts_from_at, read_until_at
  from {{ chosen }}
  where elapsed_seconds is not null and counts_from_at < read_until_at
),
intervals as (select * from {{ ref('dim_clock_intervals').include(database=false) }}),
closures as (select * from {{ ref('dim_clock_closures').include(database=false) }}),
pauses as (select * from {{ ref('fct_sla_pauses').include(database=false) }}),

edges as (
  select {{ names }}, counts_from_at as edge_at from obligations
  union
  select {{ names }}, read_until_at from obligations
  {%- for relation, key, edge in [
    ('intervals', 'clock_name', 'opens_at'), ('intervals', 'clock_name', 'closes_at'),
    ('closures', 'clock_name', 'starts_at'), ('closures', 'clock_name', 'ends_at'),
    ('pauses', 'obligation_key', 'pauses_at'), ('pauses', 'obligation_key', 'resumes_at'),
  ] %}
  union
  select
    obligations.obligation_key, obligations.ticket_id, obligations.customer_id, obligations.clock_name, {{ relation }}.{{ edge }}
  from obligations
  join {{ relation }}
    on {{ relation }}.{{ key }} = obligations.{{ key }}
    and {{ relation }}.{{ edge }} > obligations.counts_from_at
    and {{ relation }}.{{ edge }} < obligations.read_until_at
  {%- endfor %}
),

spans as (
  select
    {{ names }},
    edge_at as starts_at,
    lead(edge_at) over (partition by {{ names }} order by edge_at nulls last) as ends_at,
    row_number() over (partition by {{ names }} order by edge_at nulls last) as segment_number
  from edges
),

classified as (
  select
    spans.obligation_key,
    spans.ticket_id,
    spans.customer_id,
    spans.clock_name,
    spans.segment_number,
    spans.starts_at,
    spans.ends_at,
    max(intervals.calendar_version) as calendar_version,
    max(pauses.pause_name) as pause_name,
    max(closures.reason) as closure_reason
  from spans
  left join intervals
    on intervals.clock_name = spans.clock_name
    and intervals.opens_at <= spans.starts_at
    and intervals.closes_at >= spans.ends_at
  left join pauses
    on pauses.obligation_key = spans.obligation_key
    and pauses.pauses_at <= spans.starts_at
    and pauses.resumes_at >= spans.ends_at
  left join closures
    on closures.clock_name = spans.clock_name
    and closures.starts_at <= spans.starts_at
    and closures.ends_at >= spans.ends_at
  where spans.ends_at is not null
  group by
    spans.obligation_key, spans.ticket_id, spans.customer_id, spans.clock_name, spans.segment_number, spans.starts_at, spans.ends_at
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
{%- endmacro %}
