-- Grain: one row per supply and account that holds it: the one that it was granted or bought for, and, of a pack that outlives that one, each
-- later account of the customer with a number in the same pool that begins before the pack ends. In a gap between terms a pack waits.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
supplies as (select * from {{ ref('int_entitlements__supplies') }}),

-- Packs of a pool that lends in one contract and borrows in another one of the customer stay where they are: neither could be settled first.
two_way_pools as (
  select distinct lending.customer_id, lending.pool
  from pools as lending
  join pools as borrowing on borrowing.customer_id = lending.customer_id and borrowing.overflows_to = lending.pool
  where lending.overflows_to is not null
),

later_stays as (
  select
    supplies.supply_id,
    supplies.customer_id,
    later.subscription_id,
    supplies.pool,
    greatest(later.term_starts_at, supplies.supplied_at) as stays_from,
    false as is_home
  from supplies
  join pools as homes on homes.subscription_id = supplies.subscription_id and homes.pool = supplies.pool
  join pools as later
    on later.customer_id = supplies.customer_id
    and later.pool = supplies.pool
    and later.is_limited
    and later.term_starts_at >= homes.term_ends_at
    and later.term_starts_at < supplies.ends_at
    and supplies.supplied_at < later.term_ends_at
  cross join build_inputs
  left join two_way_pools on two_way_pools.customer_id = supplies.customer_id and two_way_pools.pool = supplies.pool
  where supplies.movement_kind = 'purchase'
    and later.term_starts_at <= build_inputs.as_of
    and two_way_pools.pool is null
),

stays as (
  select supply_id, customer_id, subscription_id, pool, supplied_at as stays_from, true as is_home from supplies
  union all
  select supply_id, customer_id, subscription_id, pool, stays_from, is_home from later_stays
)

select
  stays.supply_id || ':' || stays.subscription_id as stay_key,
  stays.supply_id,
  stays.customer_id,
  stays.subscription_id,
  stays.pool,
  stays.stays_from,
  stays.is_home,
  lag(stays.subscription_id) over in_order as came_from,
  lead(stays.subscription_id) over in_order as goes_to
from stays
join pools on pools.subscription_id = stays.subscription_id and pools.pool = stays.pool
window in_order as (partition by stays.supply_id order by stays.is_home desc, pools.term_starts_at nulls last, pools.subscription_id nulls last)
