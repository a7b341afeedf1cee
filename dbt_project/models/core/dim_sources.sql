-- Grain: one row per source of sla.yml: up to when its own rows prove anything, whether that lags behind the others, and
-- how many of its records were read and refused.
-- Its usual rhythm is the longest time between two successive days with rows in the ninety days before, one day at least.
with
sources as (select * from {{ source('raw', 'sources') }}),
horizons as (select * from {{ source('raw', 'source_horizons') }}),
ticket_days as (select * from {{ ref('int_helpdesk__ticket_days') }}),

records as (
  select source, sum(rows_read) as records_read, sum(rows_rejected) as records_refused from {{ source('raw', 'batches') }} group by source
),

newest as (select max(known_until) as known_until from horizons),

days as (select distinct source, day_at from ticket_days),

gaps as (
  select
    days.source,
    {{ epoch_seconds('days.day_at') }} - lag({{ epoch_seconds('days.day_at') }}) over (partition by days.source order by days.day_at nulls last) as gap_seconds
  from days
  join horizons on horizons.source = days.source
  where {{ epoch_seconds('days.day_at') }} > {{ epoch_seconds('horizons.known_until') }} - {{ var("rhythm_seconds") }}
    and days.day_at <= horizons.known_until
),

rhythms as (select source, max(gap_seconds) as usual_gap_seconds from gaps group by source)

select
  sources.source,
  sources.source_type,
  cast(horizons.known_until as timestamp) as known_until,
  cast(horizons.read_until as timestamp) as read_until,
  {{ epoch_seconds('newest.known_until') }} - {{ epoch_seconds('horizons.known_until') }} as lag_seconds,
  greatest(coalesce(rhythms.usual_gap_seconds, 0), {{ var("day_seconds") }}) as usual_gap_seconds,
  coalesce(
    {{ epoch_seconds('newest.known_until') }} - {{ epoch_seconds('horizons.known_until') }}
    > greatest(coalesce(rhythms.usual_gap_seconds, 0), {{ var("day_seconds") }}),
    true
  ) as is_lagging,
  sources.time_zone,
  sources.instant_format,
  cast(coalesce(records.records_read, 0) as bigint) as records_read,
  cast(coalesce(records.records_refused, 0) as bigint) as records_refused
from sources
cross join newest
left join horizons on horizons.source = sources.source
left join rhythms on rhythms.source = sources.source
left join records on records.source = sources.source
