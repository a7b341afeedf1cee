-- Grain: one row per supply of units to a pool: what a term grants, and every purchase. Units that a supply still holds when it ends expire,
-- or are returned. A pack lives until its own end, past the term that it was bought for too; without one it ends with that term.
-- The included tickets are drawn first, then purchased packs by earliest expiry. Where terms stack, all of them are drawn by earliest expiry.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
terms as (select * from {{ ref('int_entitlements__terms') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),

stacks as (select distinct account_id from terms where is_stacked),

grants as (
  select
    'grant:' || terms.subscription_id || ':' || pools.pool as supply_id,
    'grant' as movement_kind,
    pools.customer_id,
    pools.subscription_id,
    pools.pool,
    -- A pool that the first plan version of a stack does not have cannot be granted by a later one.
    case
      when terms.subscription_id = pools.subscription_id then pools.quantity
      when not entitlements.is_stated and pools.is_stated then 0
      else entitlements.quantity
    end as quantity,
    stacks.account_id is null as is_drawn_first,
    'term' as cause_kind,
    terms.subscription_id as cause_id,
    case
      when pools.is_unlimited then 'unlimited in this term'
      when not entitlements.is_stated then 'the plan states no number'
      else 'included in this term'
    end as reason,
    terms.term_starts_at as supplied_at,
    terms.term_ends_at as expires_at,
    cast(null as timestamp) as returned_at
  from terms
  join pools on pools.subscription_id = terms.account_id
  join entitlements on entitlements.plan_version = terms.plan_version and entitlements.pool = pools.pool
  left join stacks on stacks.account_id = terms.account_id
),

packs as (
  select
    'purchase:' || purchases.purchase_id as supply_id,
    'purchase' as movement_kind,
    pools.customer_id,
    pools.subscription_id,
    pools.pool,
    purchases.quantity,
    false as is_drawn_first,
    'purchase' as cause_kind,
    purchases.purchase_id as cause_id,
    'pack purchased' as reason,
    purchases.purchased_at as supplied_at,
    coalesce(purchases.expires_at, pools.term_ends_at) as expires_at,
    purchases.returned_at
  from purchases
  join terms on terms.subscription_id = purchases.subscription_id
  join pools on pools.subscription_id = terms.account_id and pools.pool = purchases.pool
),

supplies as (
  select * from grants
  union all
  select * from packs
)

select
  supplies.supply_id,
  supplies.movement_kind,
  supplies.customer_id,
  supplies.subscription_id,
  supplies.pool,
  supplies.quantity,
  supplies.is_drawn_first,
  supplies.cause_kind,
  supplies.cause_id,
  supplies.reason,
  supplies.supplied_at,
  supplies.expires_at,
  -- A return that is still to come is not known yet; after the end there is nothing left to return.
  coalesce(supplies.returned_at < supplies.expires_at and supplies.returned_at <= build_inputs.as_of, false) as is_returned,
  case
    when supplies.returned_at < supplies.expires_at and supplies.returned_at <= build_inputs.as_of then supplies.returned_at
    else supplies.expires_at
  end as ends_at
from supplies
cross join build_inputs
where supplies.supplied_at <= build_inputs.as_of
