-- Grain: one row per subscription term and pool: what was granted, bought, drawn and given back up to as_of.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
uses as (select * from {{ ref('int_entitlements__uses') }}),
credits as (select * from {{ ref('int_entitlements__credits') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),
redemptions as (select * from {{ source('raw', 'redemptions') }}),
pack_expiries as (select * from {{ ref('int_entitlements__pack_expiries') }}),

use_sums as (
  select subscription_id, pool, count(*) as used_quantity from uses group by subscription_id, pool
  union all
  select redemptions.subscription_id, redemptions.entitlement, count(*)
  from redemptions
  cross join build_inputs
  where redemptions.redeemed_at <= build_inputs.as_of
  group by redemptions.subscription_id, redemptions.entitlement
),

credit_sums as (
  select subscription_id, pool, sum(case movement_kind when 'credit' then 1 else -1 end) as credited_quantity
  from credits
  group by subscription_id, pool
),

purchase_sums as (
  select purchases.subscription_id, purchases.pool, sum(purchases.quantity) as purchased_quantity
  from purchases
  cross join build_inputs
  where purchases.purchased_at <= build_inputs.as_of
  group by purchases.subscription_id, purchases.pool
),

pack_expiry_sums as (
  select subscription_id, pool, sum(expired_quantity) as pack_expired_quantity from pack_expiries group by subscription_id, pool
),

summed as (
  select
    pools.*,
    case when pools.term_status = 'upcoming' and pools.quantity is not null then 0 else pools.quantity end as granted_quantity,
    coalesce(purchase_sums.purchased_quantity, 0) as purchased_quantity,
    coalesce(use_sums.used_quantity, 0) as used_quantity,
    coalesce(credit_sums.credited_quantity, 0) as credited_quantity,
    coalesce(pack_expiry_sums.pack_expired_quantity, 0) as pack_expired_quantity
  from pools
  left join use_sums on use_sums.subscription_id = pools.subscription_id and use_sums.pool = pools.pool
  left join credit_sums on credit_sums.subscription_id = pools.subscription_id and credit_sums.pool = pools.pool
  left join pack_expiry_sums on pack_expiry_sums.subscription_id = pools.subscription_id and pack_expiry_sums.pool = pools.pool
  left join purchase_sums on purchase_sums.subscription_id = pools.subscription_id and purchase_sums.pool = pools.pool
),

-- What a limited pool cannot carry goes to the pool that the plan names for it.
overflowed as (
  select
    summed.*,
    case
      when overflows_to is null or is_unlimited or not is_stated then 0
      else greatest(used_quantity - credited_quantity - granted_quantity - purchased_quantity + pack_expired_quantity, 0)
    end as overflowed_out_quantity
  from summed
),

overflow_sums as (
  select subscription_id, overflows_to as pool, sum(overflowed_out_quantity) as overflowed_in_quantity
  from overflowed
  where overflows_to is not null
  group by subscription_id, overflows_to
),

balanced as (
  select
    overflowed.*,
    coalesce(overflow_sums.overflowed_in_quantity, 0) as overflowed_in_quantity,
    case
      when overflowed.is_unlimited or not overflowed.is_stated then null
      else overflowed.granted_quantity + overflowed.purchased_quantity - overflowed.used_quantity + overflowed.credited_quantity
        - overflowed.pack_expired_quantity + overflowed.overflowed_out_quantity - coalesce(overflow_sums.overflowed_in_quantity, 0)
    end as balance
  from overflowed
  left join overflow_sums
    on overflow_sums.subscription_id = overflowed.subscription_id and overflow_sums.pool = overflowed.pool
)

select
  balanced.*,
  -- `greatest` passes over null, so a pool without a limit is told apart first.
  case when balance > 0 and term_status = 'ended' then balance else 0 end as term_expired_quantity,
  pack_expired_quantity + case when balance > 0 and term_status = 'ended' then balance else 0 end as expired_quantity,
  case
    when balance is null then null
    when balance < 0 or term_status = 'ended' then 0
    else balance
  end as remaining_quantity,
  case when balance < 0 then -balance else 0 end as overage_quantity
from balanced
