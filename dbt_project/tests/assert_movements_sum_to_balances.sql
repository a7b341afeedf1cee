-- The balance that the account team reads is the sum of the movements behind it, for every pool with a stated limit, and no line of the
-- statement leaves less than nothing; what went over is the sum of the overage lines; and no movement may lie in a pool that has no balance.
with
movements as (select * from {{ ref('fct_entitlement_movements') }}),
balances as (select * from {{ ref('fct_entitlement_balances') }}),

sums as (
  select
    subscription_id,
    pool,
    sum(quantity) as balance,
    sum(case when movement_kind = 'overage' then quantity else 0 end) as overage,
    min(balance_after) as lowest_balance
  from movements
  group by subscription_id, pool
)

select balances.balance_key as broken, balances.remaining_quantity, balances.overage_quantity, sums.balance
from balances
left join sums on sums.subscription_id = balances.subscription_id and sums.pool = balances.pool
where not balances.is_unlimited
  and balances.is_stated
  and (
    balances.remaining_quantity <> coalesce(sums.balance, 0)
    or balances.overage_quantity <> coalesce(sums.overage, 0)
    or sums.lowest_balance < 0
  )
union all
select movements.movement_id, null, null, movements.quantity
from movements
left join balances on balances.subscription_id = movements.subscription_id and balances.pool = movements.pool
where balances.balance_key is null
