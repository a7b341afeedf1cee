-- Grain: one row per subscription term and plan tried: the same tickets under that plan. Targets and estimates are counted apart.
{{ config(tags=['plan_comparison']) }}
with
terms as (select * from {{ ref('dim_subscription_terms') }}),
customers as (select * from {{ ref('dim_customers') }}),
counts as (select * from {{ ref('fct_plan_trial_counts') }}),
balances as (select * from {{ ref('fct_plan_trial_balances') }}),
verdicts as (select * from {{ ref('fct_plan_trial_verdicts') }}),
builds as (select * from {{ ref('dim_builds') }}),

trials as (
  select distinct terms.subscription_id, tried.trial_plan
  from terms
  cross join (select distinct trial_plan from balances) as tried
  where terms.term_status <> 'upcoming'
),

count_sums as (
  select
    subscription_id,
    trial_plan,
    sum(case when not is_estimate then met_count else 0 end) as target_met_count,
    sum(case when not is_estimate then breached_count else 0 end) as target_breached_count,
    sum(case when is_estimate then met_count else 0 end) as estimate_met_count,
    sum(case when is_estimate then breached_count else 0 end) as estimate_breached_count,
    sum(pending_count) as pending_count,
    sum(case when not is_estimate then trial_met_count else 0 end) as trial_target_met_count,
    sum(case when not is_estimate then trial_breached_count else 0 end) as trial_target_breached_count,
    sum(case when is_estimate then trial_met_count else 0 end) as trial_estimate_met_count,
    sum(case when is_estimate then trial_breached_count else 0 end) as trial_estimate_breached_count,
    sum(trial_pending_count) as trial_pending_count
  from counts
  group by subscription_id, trial_plan
),

balance_sums as (
  select
    subscription_id,
    trial_plan,
    sum(coalesce(overage_quantity, 0)) as overage_quantity,
    sum(coalesce(trial_overage_quantity, 0)) as trial_overage_quantity
  from balances
  group by subscription_id, trial_plan
),

verdict_sums as (
  select subscription_id, trial_plan, count(*) as changed_verdicts_count, count(distinct ticket_id) as changed_tickets_count
  from verdicts
  group by subscription_id, trial_plan
)

select
  trials.subscription_id || ':' || trials.trial_plan as plan_fit_key,
  terms.customer_id,
  customers.customer_name,
  trials.subscription_id,
  terms.plan,
  trials.trial_plan,
  terms.term_status,
  cast(coalesce(count_sums.target_met_count, 0) as bigint) as target_met_count,
  cast(coalesce(count_sums.target_breached_count, 0) as bigint) as target_breached_count,
  cast(coalesce(count_sums.estimate_met_count, 0) as bigint) as estimate_met_count,
  cast(coalesce(count_sums.estimate_breached_count, 0) as bigint) as estimate_breached_count,
  cast(coalesce(count_sums.pending_count, 0) as bigint) as pending_count,
  cast(coalesce(count_sums.trial_target_met_count, 0) as bigint) as trial_target_met_count,
  cast(coalesce(count_sums.trial_target_breached_count, 0) as bigint) as trial_target_breached_count,
  cast(coalesce(count_sums.trial_estimate_met_count, 0) as bigint) as trial_estimate_met_count,
  cast(coalesce(count_sums.trial_estimate_breached_count, 0) as bigint) as trial_estimate_breached_count,
  cast(coalesce(count_sums.trial_pending_count, 0) as bigint) as trial_pending_count,
  cast(coalesce(verdict_sums.changed_verdicts_count, 0) as bigint) as changed_verdicts_count,
  cast(coalesce(verdict_sums.changed_tickets_count, 0) as bigint) as changed_tickets_count,
  cast(coalesce(balance_sums.overage_quantity, 0) as bigint) as overage_quantity,
  cast(coalesce(balance_sums.trial_overage_quantity, 0) as bigint) as trial_overage_quantity,
  terms.plan = trials.trial_plan as is_current_plan,
  terms.term_starts_on,
  terms.term_ends_on,
  builds.as_of
from trials
join terms on terms.subscription_id = trials.subscription_id
join customers on customers.customer_id = terms.customer_id
cross join builds
left join count_sums on count_sums.subscription_id = trials.subscription_id and count_sums.trial_plan = trials.trial_plan
left join balance_sums on balance_sums.subscription_id = trials.subscription_id and balance_sums.trial_plan = trials.trial_plan
left join verdict_sums on verdict_sums.subscription_id = trials.subscription_id and verdict_sums.trial_plan = trials.trial_plan
