-- Grain: one row per source of sla.yml and cause of which it may have no more than a share.
select
  limits.source || ':' || limits.cause as source_limit_key,
  limits.source,
  limits.cause,
  limits.limit_pct,
  causes.stops_publishing
from {{ source('raw', 'source_limits') }} as limits
join {{ ref('share_causes') }} as causes on causes.cause = limits.cause
