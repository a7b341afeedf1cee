-- Grain: one row per plan version and pool: what is included, with its clause.
with
plan_versions as (select * from {{ source('raw', 'plan_versions') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }})

select
  entitlements.plan_version || ':' || entitlements.pool as plan_pool_key,
  plan_versions.plan,
  entitlements.plan_version,
  entitlements.pool,
  entitlements.overflows_to,
  entitlements.clause,
  entitlements.clause_text,
  entitlements.note,
  entitlements.quantity as included_quantity,
  entitlements.is_unlimited,
  entitlements.is_stated,
  entitlements.is_redeemed
from entitlements
join plan_versions on plan_versions.plan_version = entitlements.plan_version
