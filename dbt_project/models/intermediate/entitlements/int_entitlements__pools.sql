-- Grain: one row per subscription term and pool that tickets draw on or that is redeemed once per term.
with
terms as (select * from {{ ref('int_entitlements__terms') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }}),
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),

supplied as (
  select distinct purchases.subscription_id, purchases.pool
  from {{ source('raw', 'purchases') }} as purchases
  cross join build_inputs
  where purchases.purchased_at <= build_inputs.as_of
)

select
  terms.subscription_id,
  terms.customer_id,
  terms.plan,
  terms.plan_version,
  terms.term_status,
  terms.term_starts_on,
  terms.term_ends_on,
  terms.term_starts_at,
  terms.term_ends_at,
  entitlements.pool,
  -- Where the plan states no number, the customer's contract may: as a purchase into the pool. Then the plan adds none to it.
  case when not entitlements.is_stated and supplied.pool is not null then 0 else entitlements.quantity end as quantity,
  entitlements.is_unlimited,
  entitlements.is_stated or supplied.pool is not null as is_stated,
  entitlements.is_redeemed,
  entitlements.overflows_to
from terms
join entitlements on entitlements.plan_version = terms.plan_version
left join supplied on supplied.subscription_id = terms.subscription_id and supplied.pool = entitlements.pool
