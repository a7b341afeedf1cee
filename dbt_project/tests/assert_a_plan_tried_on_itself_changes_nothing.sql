-- Under the plan that a term has, a trial must say what the build says, column by column: verdicts with their clocks, and balances.
{{ config(tags=['plan_comparison']) }}
{% set judged %}
  obligation_key, plan_version, clause, obligation_kind, clock_name, status, status_reason, could_be, status_by_humans, status_with_ai,
  target_seconds, elapsed_seconds, due_at,
  stopped_at, settled_at
{% endset %}
{% set counted %}
  balance_key, plan_version, granted_quantity, purchased_quantity, used_quantity, credited_quantity, overflowed_in_quantity,
  overflowed_out_quantity, expired_quantity, remaining_quantity, overage_quantity, is_unlimited, is_stated
{% endset %}
with
tried_accounts as (select * from {{ source('raw', 'tried_accounts') }}),

actual_obligations as (
  select {{ judged }}
  from {{ ref('fct_sla_obligations') }}
  where plan in (select trial_plan from {{ ref('dim_plan_trials') }})
    and subscription_id in (
      select terms.subscription_id
      from {{ ref('dim_subscription_terms') }} as terms
      join tried_accounts on tried_accounts.account_id = terms.account_id
    )
),

tried_obligations as (
  select {{ judged }}
  from {{ source('raw', 'trial_obligations') }} as trials
  where exists (
    select 1 from {{ ref('fct_sla_obligations') }} as actual
    where actual.obligation_key = trials.obligation_key and actual.plan = trials.trial_plan
  )
),

actual_balances as (
  select {{ counted }}
  from {{ ref('fct_entitlement_balances') }}
  where plan in (select trial_plan from {{ ref('dim_plan_trials') }})
    and subscription_id in (select account_id from tried_accounts)
),

tried_balances as (
  select {{ counted }}
  from {{ source('raw', 'trial_balances') }} as trials
  where subscription_id in (select account_id from tried_accounts) and exists (
    select 1 from {{ ref('fct_entitlement_balances') }} as actual
    where actual.balance_key = trials.balance_key and actual.plan = trials.trial_plan
  )
)

select obligation_key as broken from (select * from actual_obligations except select * from tried_obligations) as missing_obligations
union all
select obligation_key from (select * from tried_obligations except select * from actual_obligations) as other_obligations
union all
select balance_key from (select * from actual_balances except select * from tried_balances) as missing_balances
union all
select balance_key from (select * from tried_balances except select * from actual_balances) as other_balances
