-- Grain: one row per supply of a pool with a number (a grant or a pack) at as_of: granted = drawn + left + expired + returned.
-- `subscription_id` is the account that holds it now: a pack that outlives its term is in the account of a later one.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
stays as (select * from {{ ref('int_entitlements__stays') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),

paid as (
  select
    paid_by as supply_id,
    -sum(case when movement_kind not in ('expiry', 'return', 'carry_over') then quantity else 0 end) as drawn_quantity,
    -sum(case when movement_kind = 'expiry' then quantity else 0 end) as expired_quantity,
    -sum(case when movement_kind = 'return' then quantity else 0 end) as returned_quantity
  from movements
  where paid_by is not null
  group by paid_by
),

held as (
  select
    supplies.supply_id,
    supplies.movement_kind,
    supplies.customer_id,
    stays.subscription_id,
    supplies.subscription_id as supplied_to,
    supplies.pool,
    supplies.cause_id,
    supplies.quantity,
    supplies.is_drawn_first,
    coalesce(paid.drawn_quantity, 0) as drawn_quantity,
    coalesce(paid.expired_quantity, 0) as expired_quantity,
    coalesce(paid.returned_quantity, 0) as returned_quantity,
    -- The end of a term is one line for all that ends with it, without a payer.
    pools.term_ends_at <= build_inputs.as_of and supplies.ends_at <= pools.term_ends_at as is_ended_with_term,
    supplies.supplied_at,
    supplies.expires_at,
    supplies.ends_at
  from supplies
  join stays on stays.supply_id = supplies.supply_id and stays.goes_to is null
  join pools on pools.subscription_id = stays.subscription_id and pools.pool = stays.pool
  cross join build_inputs
  left join paid on paid.supply_id = supplies.supply_id
  where pools.is_limited
)

select
  supply_id,
  movement_kind as supply_kind,
  customer_id,
  subscription_id,
  supplied_to,
  pool,
  cause_id,
  cast(quantity as bigint) as quantity,
  cast(drawn_quantity as bigint) as drawn_quantity,
  cast(returned_quantity as bigint) as returned_quantity,
  cast(case when is_ended_with_term then quantity - drawn_quantity - returned_quantity else expired_quantity end as bigint) as expired_quantity,
  cast(case when is_ended_with_term then cast(0 as bigint) else quantity - drawn_quantity - expired_quantity - returned_quantity end as bigint) as left_quantity,
  is_drawn_first,
  supplied_at,
  expires_at,
  ends_at
from held
