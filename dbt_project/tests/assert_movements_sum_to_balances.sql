-- The balance that the account team reads is the sum of the movements behind it, for every pool with a stated limit; and no movement may
-- lie in a pool that has no balance.
with
sums as (
  select subscription_id, pool, sum(quantity) as balance
  from {{ ref('fct_entitlement_movements') }}
  group by subscription_id, pool
)

select balances.balance_key, balances.remaining_quantity, balances.overage_quantity, sums.balance
from {{ ref('fct_entitlement_balances') }} as balances
left join sums on sums.subscription_id = balances.subscription_id and sums.pool = balances.pool
where not balances.is_unlimited
  and balances.is_stated
  and balances.remaining_quantity - balances.overage_quantity <> coalesce(sums.balance, 0)
union all
select movements.movement_id, null, null, movements.quantity
from {{ ref('fct_entitlement_movements') }} as movements
left join {{ ref('fct_entitlement_balances') }} as balances
  on balances.subscription_id = movements.subscription_id and balances.pool = movements.pool
where balances.balance_key is null
