-- Grain: one row per movement of a pool of a subscription term, in the order of the statement; append-only, in order of event time.
with
pools as (select * from {{ ref('int_entitlements__pools') }}),
lines as (
  select * from {{ ref('int_entitlements__overflowing_lines') }}
  union all
  select * from {{ ref('int_entitlements__receiving_lines') }}
)

select
  lines.movement_id,
  lines.customer_id,
  lines.subscription_id,
  lines.pool,
  lines.movement_kind,
  lines.quantity,
  lines.balance_after,
  lines.statement_line,
  lines.cause_kind,
  lines.cause_id,
  lines.ticket_id,
  lines.undoes_movement_id,
  lines.reason,
  {{ local_month('happened_months', 'lines.happened_at') }} as month,
  lines.happened_at,
  lines.known_at
from lines
join pools on pools.subscription_id = lines.subscription_id and pools.pool = lines.pool
{{ join_zone_month('happened_months', 'pools.time_zone', 'lines.happened_at') }}
