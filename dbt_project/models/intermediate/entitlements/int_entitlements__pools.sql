-- Grain: one row per subscription term and pool that tickets draw on or that is redeemed once per term.
with
terms as (select * from {{ ref('int_entitlements__terms') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }})

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
  entitlements.quantity,
  entitlements.is_unlimited,
  entitlements.is_stated,
  entitlements.is_redeemed,
  entitlements.overflows_to
from terms
join entitlements on entitlements.plan_version = terms.plan_version
