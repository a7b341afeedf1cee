-- Under the plan that a term has, a trial must say what the build says: the same verdicts and the same balances.
{{ config(tags=['plan_comparison']) }}
select trial_verdict_key as broken
from {{ ref('fct_plan_trial_verdicts') }}
where plan = trial_plan
union all
select balances.trial_balance_key
from {{ ref('fct_plan_trial_balances') }} as balances
join {{ ref('dim_subscription_terms') }} as terms on terms.subscription_id = balances.subscription_id
where terms.plan = balances.trial_plan
  and (
    coalesce(balances.remaining_quantity, -1) <> coalesce(balances.trial_remaining_quantity, -1)
    or balances.overage_quantity <> balances.trial_overage_quantity
  )
