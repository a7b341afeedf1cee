-- Grain: one row per subscription term and pool at as_of. Terms that stack share the row of the first.
{{ config(tags=['plan_dependent']) }}
select
  subscription_id || ':' || pool as balance_key,
  subscription_id,
  customer_id,
  plan,
  plan_version,
  pool,
  term_status,
  cast(granted_quantity as bigint) as granted_quantity,
  cast(purchased_quantity as bigint) as purchased_quantity,
  cast(used_quantity as bigint) as used_quantity,
  cast(credited_quantity as bigint) as credited_quantity,
  cast(overflowed_in_quantity as bigint) as overflowed_in_quantity,
  cast(overflowed_out_quantity as bigint) as overflowed_out_quantity,
  cast(expired_quantity as bigint) as expired_quantity,
  cast(carried_quantity as bigint) as carried_quantity,
  cast(available_quantity as bigint) as available_quantity,
  cast(remaining_quantity as bigint) as remaining_quantity,
  cast(overage_quantity as bigint) as overage_quantity,
  is_unlimited,
  is_stated,
  term_starts_on,
  term_ends_on,
  term_starts_at,
  term_ends_at
from {{ ref('int_entitlements__term_sums') }}
