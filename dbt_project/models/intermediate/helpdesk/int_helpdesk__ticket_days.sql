-- Grain: one row per ticket and day (UTC) of the source's last ninety days on which something of it happened or was exported.
with
horizons as (select * from {{ source('raw', 'source_horizons') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
versions as (select * from {{ ref('int_helpdesk__versions') }}),

days as (
  select source, ticket_id, cast(cast(event_at as date) as timestamp) as day_at from events
  union
  select source, ticket_id, cast(cast(updated_at as date) as timestamp) as day_at from versions
)

select days.source, days.ticket_id, days.day_at
from days
join horizons on horizons.source = days.source
where {{ epoch_seconds('days.day_at') }} > {{ epoch_seconds('horizons.known_until') }} - {{ var("rhythm_seconds") }}
