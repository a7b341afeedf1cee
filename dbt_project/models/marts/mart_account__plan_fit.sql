-- Grain: one row per subscription term that runs and plan tried: the same tickets under that plan. Targets and estimates are counted apart.
-- Terms that stack are tried as one, for they share their pools: one row, of the first. Where a plan had no version in force when the
-- term began, its pools and so its overage cannot be said.
{{ config(tags=['plan_comparison']) }}
with
terms as (select * from {{ ref('dim_subscription_terms') }}),
customers as (select * from {{ ref('dim_customers') }}),
counts as (select * from {{ ref('fct_plan_trial_counts') }}),
balances as (select * from {{ ref('fct_plan_trial_balances') }}),
verdicts as (select * from {{ ref('fct_plan_trial_verdicts') }}),
builds as (select * from {{ ref('dim_builds') }}),
plans as (select * from {{ ref('dim_plan_trials') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),

accounts as (
  select
    account_id,
    min(term_starts_on) as term_starts_on,
    max(term_ends_on) as term_ends_on,
    min(term_starts_at) as term_starts_at,
    max(term_ends_at) as term_ends_at
  from terms
  group by account_id
),

trials as (
  select
    terms.subscription_id,
    terms.customer_id,
    terms.plan,
    terms.plan_version,
    plans.trial_plan,
    plan_versions.plan_version as trial_plan_version,
    case when builds.as_of < accounts.term_ends_at then 'current' else 'ended' end as term_status,
    accounts.term_starts_on,
    accounts.term_ends_on,
    builds.as_of
  from terms
  join accounts on accounts.account_id = terms.subscription_id
  cross join plans
  cross join builds
  left join plan_versions
    on plan_versions.plan = plans.trial_plan
    and plan_versions.valid_from <= accounts.term_starts_at
    and accounts.term_starts_at < plan_versions.valid_to
  where accounts.term_starts_at <= builds.as_of and builds.as_of < accounts.term_ends_at
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
    {%- for side in ['', 'trial_'] %}
    {%- for kind, chosen in [('target', 'not is_estimate'), ('estimate', 'is_estimate')] %}
    {%- for bound in ['lower_met_count', 'upper_met_count', 'bounded_count'] %}
    sum(case when {{ chosen }} then {{ side }}{{ bound }} else 0 end) as {{ side }}{{ kind }}_{{ bound }},
    {%- endfor %}
    {%- endfor %}
    {%- endfor %}
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
  trials.customer_id,
  customers.customer_name,
  trials.subscription_id,
  trials.plan,
  trials.plan_version,
  trials.trial_plan,
  trials.trial_plan_version,
  trials.term_status,
  cast(coalesce(count_sums.target_met_count, 0) as bigint) as target_met_count,
  cast(coalesce(count_sums.target_breached_count, 0) as bigint) as target_breached_count,
  cast(coalesce(count_sums.estimate_met_count, 0) as bigint) as estimate_met_count,
  cast(coalesce(count_sums.estimate_breached_count, 0) as bigint) as estimate_breached_count,
  cast(coalesce(count_sums.pending_count, 0) as bigint) as pending_count,
  {%- for side in ['', 'trial_'] %}
  {%- for kind, chosen in [('target', 'not is_estimate'), ('estimate', 'is_estimate')] %}
  {%- for bound in ['lower_met_count', 'upper_met_count', 'bounded_count'] %}
  cast(coalesce(count_sums.{{ side }}{{ kind }}_{{ bound }}, 0) as bigint) as {{ side }}{{ kind }}_{{ bound }},
  {%- endfor %}
  {%- endfor %}
  {%- endfor %}
  cast(coalesce(count_sums.trial_target_met_count, 0) as bigint) as trial_target_met_count,
  cast(coalesce(count_sums.trial_target_breached_count, 0) as bigint) as trial_target_breached_count,
  cast(coalesce(count_sums.trial_estimate_met_count, 0) as bigint) as trial_estimate_met_count,
  cast(coalesce(count_sums.trial_estimate_breached_count, 0) as bigint) as trial_estimate_breached_count,
  cast(coalesce(count_sums.trial_pending_count, 0) as bigint) as trial_pending_count,
  cast(coalesce(verdict_sums.changed_verdicts_count, 0) as bigint) as changed_verdicts_count,
  cast(coalesce(verdict_sums.changed_tickets_count, 0) as bigint) as changed_tickets_count,
  -- Null means not assessed.
  cast(case when trials.plan_version is not null then coalesce(balance_sums.overage_quantity, 0) end as bigint) as overage_quantity,
  cast(case when trials.trial_plan_version is not null then coalesce(balance_sums.trial_overage_quantity, 0) end as bigint)
    as trial_overage_quantity,
  trials.plan = trials.trial_plan as is_current_plan,
  trials.term_starts_on,
  trials.term_ends_on,
  trials.as_of
from trials
join customers on customers.customer_id = trials.customer_id
left join count_sums on count_sums.subscription_id = trials.subscription_id and count_sums.trial_plan = trials.trial_plan
left join balance_sums on balance_sums.subscription_id = trials.subscription_id and balance_sums.trial_plan = trials.trial_plan
left join verdict_sums on verdict_sums.subscription_id = trials.subscription_id and verdict_sums.trial_plan = trials.trial_plan
