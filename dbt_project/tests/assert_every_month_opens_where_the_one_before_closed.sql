-- A month's statement adds up, opens where the month before closed, and the last one closes at the balance that the account team reads.
with
months as (select * from {{ ref('fct_entitlement_months') }} where opening_quantity is not null),
balances as (select * from {{ ref('fct_entitlement_balances') }}),

chained as (
  select
    months.*,
    lag(closing_quantity) over (partition by subscription_id, pool order by month nulls last) as closed_before,
    row_number() over (partition by subscription_id, pool order by month desc) as months_to_go
  from months
)

select chained.month_key, chained.opening_quantity, chained.closing_quantity, balances.remaining_quantity
from chained
left join balances on balances.subscription_id = chained.subscription_id and balances.pool = chained.pool
where chained.opening_quantity <> coalesce(chained.closed_before, 0)
  or chained.closing_quantity <> chained.opening_quantity + chained.granted_quantity + chained.purchased_quantity - chained.used_quantity
    + chained.credited_quantity - chained.overflowed_in_quantity + chained.overflowed_out_quantity + chained.overage_quantity
    - chained.expired_quantity + chained.carried_quantity
  or (chained.months_to_go = 1 and chained.closing_quantity <> coalesce(balances.remaining_quantity, -1))
