-- Grain: one row per subscription term, with the plan version in force at its start. Half-open: the term ends where the next may begin.
select
  subscription_id,
  account_id,
  customer_id,
  plan,
  plan_version,
  license_type,
  license_status,
  term_status,
  is_license_counted,
  term_starts_on,
  term_ends_on,
  term_starts_at,
  term_ends_at
from {{ ref('int_entitlements__terms') }}
