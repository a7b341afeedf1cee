-- Per supply of a pool with a stated limit: what was granted less what was drawn and expired, and what came back, is what is left in it:
-- never below zero, never more than was granted, in sum the pool's balance (together with the lines that no supply pays).
with
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),
balances as (select * from {{ ref('fct_entitlement_balances') }} where remaining_quantity is not null),

kept as (
  select
    supplies.supply_id,
    supplies.subscription_id,
    supplies.pool,
    supplies.quantity,
    supplies.quantity + coalesce(sum(movements.quantity), 0) as left_quantity
  from supplies
  join balances on balances.subscription_id = supplies.subscription_id and balances.pool = supplies.pool
  left join movements
    on movements.subscription_id = supplies.subscription_id
    and movements.pool = supplies.pool
    and movements.paid_by = supplies.supply_id
  group by supplies.supply_id, supplies.subscription_id, supplies.pool, supplies.quantity
),

kept_in_pools as (
  select subscription_id, pool, sum(left_quantity) as left_quantity from kept group by subscription_id, pool
),

ended as (
  select subscription_id, pool, sum(quantity) as quantity
  from movements
  where paid_by is null and movement_kind not in ('grant', 'purchase')
  group by subscription_id, pool
)

select supply_id as broken, left_quantity, quantity as expected
from kept
where left_quantity < 0 or left_quantity > quantity
union all
select balances.balance_key, kept_in_pools.left_quantity + coalesce(ended.quantity, 0), balances.remaining_quantity
from balances
join kept_in_pools on kept_in_pools.subscription_id = balances.subscription_id and kept_in_pools.pool = balances.pool
left join ended on ended.subscription_id = balances.subscription_id and ended.pool = balances.pool
where kept_in_pools.left_quantity + coalesce(ended.quantity, 0) <> balances.remaining_quantity
union all
select movements.movement_id, null, movements.quantity
from movements
where movements.movement_kind = 'overflow'
  and movements.quantity < 0
  and movements.undoes_movement_id is null
  and movements.paid_by is null
  and not exists (
    select 1 from movements as over where over.cause_id = movements.cause_id and over.movement_kind = 'overage' and over.quantity > 0
  )
