-- Per supply of a pool with a stated limit: what was granted less what was drawn and expired, and what came back, is what is left of it, in all
-- terms that it goes through: never below zero, never more than was granted. What flows over has a payer, unless nothing is left at all.
with
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),
balances as (select * from {{ ref('fct_entitlement_balances') }} where remaining_quantity is not null),

kept as (
  select supplies.supply_id, supplies.quantity, supplies.quantity + coalesce(sum(movements.quantity), 0) as left_quantity
  from supplies
  join balances on balances.subscription_id = supplies.subscription_id and balances.pool = supplies.pool
  left join movements on movements.customer_id = supplies.customer_id and movements.paid_by = supplies.supply_id
  group by supplies.supply_id, supplies.quantity
)

select supply_id as broken, left_quantity, quantity as expected
from kept
where left_quantity < 0 or left_quantity > quantity
union all
select balance_key, left_quantity, remaining_quantity
from (
  select balances.balance_key, balances.remaining_quantity, coalesce(sum(kept.left_quantity), 0) as left_quantity
  from balances
  left join {{ ref('fct_entitlement_supplies') }} as kept
    on kept.subscription_id = balances.subscription_id and kept.pool = balances.pool
  group by balances.balance_key, balances.remaining_quantity
) as held
where left_quantity <> remaining_quantity
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
