-- Grain: one row per subscription term that runs, pool that tickets draw on, and plan tried: the balance as it is and as it would be.
-- Quantities of a pool that one of the two plans does not have are null.
{{ config(tags=['plan_comparison']) }}
with
balances as (select * from {{ ref('fct_entitlement_balances') }}),
pools as (select * from {{ ref('dim_plan_pools') }} where not is_redeemed),
trials as (select * from {{ source('raw', 'trial_balances') }}),
plans as (select trial_plan from {{ ref('dim_plan_trials') }}),
tried_accounts as (select * from {{ source('raw', 'tried_accounts') }} where is_compared),

actual as (
  select balances.*, plans.trial_plan
  from balances
  join pools on pools.plan_version = balances.plan_version and pools.pool = balances.pool
  join tried_accounts on tried_accounts.account_id = balances.subscription_id
  cross join plans
),

tried as (
  select trials.*
  from trials
  join pools on pools.plan_version = trials.plan_version and pools.pool = trials.pool
  join tried_accounts on tried_accounts.account_id = trials.subscription_id
),

compared as (
  select
    coalesce(actual.subscription_id, tried.subscription_id) as subscription_id,
    coalesce(actual.customer_id, tried.customer_id) as customer_id,
    coalesce(actual.trial_plan, tried.trial_plan) as trial_plan,
    coalesce(actual.pool, tried.pool) as pool,
    actual.granted_quantity,
    tried.granted_quantity as trial_granted_quantity,
    actual.remaining_quantity,
    tried.remaining_quantity as trial_remaining_quantity,
    actual.overage_quantity,
    tried.overage_quantity as trial_overage_quantity,
    coalesce(actual.is_unlimited, false) as is_unlimited,
    coalesce(tried.is_unlimited, false) as is_trial_unlimited,
    coalesce(actual.is_stated, false) as is_stated,
    coalesce(tried.is_stated, false) as is_trial_stated
  from actual
  full outer join tried
    on tried.subscription_id = actual.subscription_id and tried.pool = actual.pool and tried.trial_plan = actual.trial_plan
)

select
  subscription_id || ':' || pool || ':' || trial_plan as trial_balance_key,
  subscription_id,
  customer_id,
  trial_plan,
  pool,
  granted_quantity,
  trial_granted_quantity,
  remaining_quantity,
  trial_remaining_quantity,
  overage_quantity,
  trial_overage_quantity,
  is_unlimited,
  is_trial_unlimited,
  is_stated,
  is_trial_stated
from compared
