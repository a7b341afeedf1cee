-- Grain: one row per movement of a pool of a subscription term, in the order of the statement; append-only, in order of event time.
with
pools as (select * from {{ ref('int_entitlements__pools') }}),
overflowing_lines as (select * from {{ ref('int_entitlements__overflowing_lines') }}),
receiving_lines as (select * from {{ ref('int_entitlements__receiving_lines') }}),
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
lines as (
  select * from overflowing_lines
  union all
  select * from receiving_lines
),

-- A unit that flowed over, and the use of it, are paid by a supply of the pool that it was taken from.
lent as (
  select
    overflowing_lines.subscription_id,
    overflowing_lines.pool,
    overflowing_lines.happened_at,
    overflowing_lines.change_rank,
    overflowing_lines.change_id,
    receiving_lines.paid_by
  from overflowing_lines
  join receiving_lines on receiving_lines.movement_id = 'from:' || overflowing_lines.movement_id
  where overflowing_lines.movement_kind = 'overflow' and overflowing_lines.quantity > 0
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
  coalesce(lines.paid_by, lent.paid_by) as paid_by,
  supplies.cause_kind as payer_kind,
  supplies.cause_id as payer_id,
  {{ local_month('happened_months', 'lines.happened_at') }} as month,
  lines.happened_at,
  lines.known_at
from lines
join pools on pools.subscription_id = lines.subscription_id and pools.pool = lines.pool
{{ join_zone_month('happened_months', 'pools.time_zone', 'lines.happened_at') }}
left join lent
  on lent.subscription_id = lines.subscription_id
  and lent.pool = lines.pool
  and lent.happened_at = lines.happened_at
  and lent.change_rank = lines.change_rank
  and lent.change_id = lines.change_id
left join supplies on supplies.supply_id = coalesce(lines.paid_by, lent.paid_by)
