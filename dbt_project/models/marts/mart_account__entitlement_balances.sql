-- Grain: one row per subscription term and pool: what the account team reads.
with
balances as (select * from {{ ref('fct_entitlement_balances') }}),
customers as (select * from {{ ref('dim_customers') }}),
builds as (select * from {{ ref('dim_builds') }})

select
  balances.balance_key,
  balances.customer_id,
  customers.customer_name,
  balances.subscription_id,
  balances.plan,
  balances.plan_version,
  balances.pool,
  balances.term_status,
  balances.granted_quantity,
  balances.purchased_quantity,
  balances.used_quantity,
  balances.credited_quantity,
  balances.overflowed_in_quantity,
  balances.overflowed_out_quantity,
  balances.expired_quantity,
  balances.carried_quantity,
  balances.remaining_quantity,
  balances.overage_quantity,
  -- What the term's pace is read from: how much of it is consumed beside how much of it has passed. Nothing is divided here.
  balances.used_quantity - balances.credited_quantity + balances.overflowed_in_quantity - balances.overflowed_out_quantity as consumed_quantity,
  balances.available_quantity,
  cast({{ epoch_seconds('balances.term_ends_at') }} - {{ epoch_seconds('balances.term_starts_at') }} as bigint) as term_seconds,
  cast(greatest(
    {{ epoch_seconds('least(builds.as_of, balances.term_ends_at)') }} - {{ epoch_seconds('balances.term_starts_at') }}, 0
  ) as bigint) as term_elapsed_seconds,
  -- A begun day is a day left.
  cast(case when balances.term_status = 'current'
    then {{ whole_quotient(epoch_seconds('balances.term_ends_at') ~ ' - ' ~ epoch_seconds('builds.as_of') ~ ' + 86399', '86400') }}
    else 0 end as integer) as days_left,
  balances.is_unlimited,
  balances.is_stated,
  balances.term_starts_on,
  balances.term_ends_on,
  builds.as_of
from balances
join customers on customers.customer_id = balances.customer_id
cross join builds
