-- Grain: one row per account and pool, with what is settled together with it. Pools of a customer through whose terms a pack goes on are settled
-- together (settlement_id); those that overflow into another pool, in any of these terms, are settled before the others.
with
pools as (select * from {{ ref('int_entitlements__pools') }}),

joined_pools as (
  select distinct customer_id, pool from {{ ref('int_entitlements__stays') }} where not is_home
),

overflowing_pools as (
  select distinct customer_id, pool from pools where overflows_to is not null
)

select
  pools.*,
  case when joined_pools.pool is not null then pools.customer_id || ' ' || pools.pool else pools.subscription_id || ' ' || pools.pool end as settlement_id,
  pools.overflows_to is not null or (joined_pools.pool is not null and overflowing_pools.pool is not null) as is_settled_first
from pools
left join joined_pools on joined_pools.customer_id = pools.customer_id and joined_pools.pool = pools.pool
left join overflowing_pools on overflowing_pools.customer_id = pools.customer_id and overflowing_pools.pool = pools.pool
