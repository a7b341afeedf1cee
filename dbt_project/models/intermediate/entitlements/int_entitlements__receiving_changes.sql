-- Grain: one row per change of a pool that is settled after those that overflow, what flows over into it included.
with
changes as (select * from {{ ref('int_entitlements__changes') }}),
pools as (select * from {{ ref('int_entitlements__settlements') }}),
overflowing_lines as (select * from {{ ref('int_entitlements__overflowing_lines') }} where movement_kind = 'overflow')

select changes.*
from changes
join pools on pools.subscription_id = changes.subscription_id and pools.pool = changes.pool
where not pools.is_settled_first
union all
select
  'from:' || overflowing_lines.movement_id,
  overflowing_lines.customer_id,
  overflowing_lines.subscription_id,
  pools.overflows_to,
  'overflow',
  -overflowing_lines.quantity,
  overflowing_lines.change_rank,
  overflowing_lines.change_id || ' ' || lpad(cast(overflowing_lines.statement_line as string), 9, '0'),
  overflowing_lines.cause_kind,
  overflowing_lines.cause_id,
  overflowing_lines.ticket_id,
  'from:' || overflowing_lines.undoes_movement_id,
  case when overflowing_lines.quantity > 0 then 'taken here from ' else 'given back from ' end || overflowing_lines.pool,
  overflowing_lines.happened_at,
  overflowing_lines.known_at
from overflowing_lines
join pools on pools.subscription_id = overflowing_lines.subscription_id and pools.pool = overflowing_lines.pool
