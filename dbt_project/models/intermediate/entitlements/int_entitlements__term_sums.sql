-- Grain: one row per account and pool: the sums of its lines up to as_of, by kind.
with
pools as (select * from {{ ref('int_entitlements__pools') }}),
lines as (
  select subscription_id, pool, movement_kind, quantity, change_rank = 1 as is_supply_end from {{ ref('int_entitlements__overflowing_lines') }}
  union all
  select subscription_id, pool, movement_kind, quantity, change_rank = 1 as is_supply_end from {{ ref('int_entitlements__receiving_lines') }}
),

sums as (
  select
    subscription_id,
    pool,
    sum(case when movement_kind = 'grant' then quantity else 0 end) as granted_quantity,
    sum(case when movement_kind in ('purchase', 'return') then quantity else 0 end) as purchased_quantity,
    -sum(case when movement_kind = 'use' then quantity else 0 end) as used_quantity,
    sum(case when movement_kind in ('credit', 'reversal') then quantity else 0 end) as credited_quantity,
    sum(case when movement_kind = 'overflow' then quantity else 0 end) as overflowed_quantity,
    sum(case when movement_kind = 'overage' then quantity else 0 end) as overage_quantity,
    -sum(case when movement_kind = 'expiry' then quantity else 0 end) as expired_quantity,
    sum(case when movement_kind = 'carry_over' then quantity else 0 end) as carried_quantity,
    sum(case when movement_kind in ('grant', 'purchase', 'return', 'carry_over') or (movement_kind = 'expiry' and is_supply_end) then quantity else 0 end)
      as available_quantity,
    sum(quantity) as balance
  from lines
  group by subscription_id, pool
)

select
  pools.*,
  -- Unlimited and not stated are no number: neither zero nor a sum.
  case when pools.quantity is not null then coalesce(sums.granted_quantity, 0) end as granted_quantity,
  coalesce(sums.purchased_quantity, 0) as purchased_quantity,
  coalesce(sums.used_quantity, 0) as used_quantity,
  coalesce(sums.credited_quantity, 0) as credited_quantity,
  case when pools.overflows_to is null then -coalesce(sums.overflowed_quantity, 0) else 0 end as overflowed_in_quantity,
  case when pools.overflows_to is not null then coalesce(sums.overflowed_quantity, 0) else 0 end as overflowed_out_quantity,
  coalesce(sums.expired_quantity, 0) as expired_quantity,
  coalesce(sums.carried_quantity, 0) as carried_quantity,
  case when pools.is_limited then coalesce(sums.available_quantity, 0) end as available_quantity,
  case when pools.is_limited then coalesce(sums.balance, 0) end as remaining_quantity,
  coalesce(sums.overage_quantity, 0) as overage_quantity
from pools
left join sums on sums.subscription_id = pools.subscription_id and sums.pool = pools.pool
