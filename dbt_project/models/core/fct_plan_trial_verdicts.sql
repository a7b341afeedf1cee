-- Grain: one row per promise of a ticket (obligation and cycle) and plan tried under which its verdict would be another one.
-- The same tickets, judged by the same models; only differences are kept. Tickets outside every term, and
-- of terms that have ended, are not tried. Terms that stack share the subscription_id of the first, as they share its pools.
{{ config(tags=['plan_comparison']) }}
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
trials as (select * from {{ source('raw', 'trial_obligations') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
plans as (select trial_plan from {{ ref('dim_plan_trials') }}),
tried_accounts as (select * from {{ source('raw', 'tried_accounts') }} where is_compared),

actual as (
  select obligations.*, plans.trial_plan
  from obligations
  cross join plans
),

compared as (
  select
    coalesce(actual.obligation_key, trials.obligation_key) as obligation_key,
    coalesce(actual.trial_plan, trials.trial_plan) as trial_plan,
    coalesce(actual.ticket_id, trials.ticket_id) as ticket_id,
    coalesce(actual.obligation, trials.obligation) as obligation,
    coalesce(actual.cycle_number, trials.cycle_number) as cycle_number,
    actual.obligation_kind,
    trials.obligation_kind as trial_obligation_kind,
    actual.clause,
    trials.clause as trial_clause,
    actual.clock_name,
    trials.clock_name as trial_clock_name,
    actual.target_seconds,
    trials.target_seconds as trial_target_seconds,
    actual.elapsed_seconds,
    trials.elapsed_seconds as trial_elapsed_seconds,
    actual.status,
    trials.status as trial_status,
    actual.status_reason,
    trials.status_reason as trial_status_reason,
    actual.due_at,
    trials.due_at as trial_due_at,
    coalesce(actual.submitted_at, trials.submitted_at) as submitted_at
  from actual
  full outer join trials on trials.obligation_key = actual.obligation_key and trials.trial_plan = actual.trial_plan
)

select
  compared.obligation_key || ':' || compared.trial_plan as trial_verdict_key,
  compared.obligation_key,
  compared.ticket_id,
  tickets.customer_id,
  terms.account_id as subscription_id,
  terms.plan,
  compared.trial_plan,
  compared.obligation,
  compared.cycle_number,
  compared.obligation_kind,
  compared.trial_obligation_kind,
  compared.clause,
  compared.trial_clause,
  compared.clock_name,
  compared.trial_clock_name,
  compared.target_seconds,
  compared.trial_target_seconds,
  compared.elapsed_seconds,
  compared.trial_elapsed_seconds,
  compared.status,
  compared.trial_status,
  compared.status_reason,
  compared.trial_status_reason,
  compared.due_at,
  compared.trial_due_at,
  compared.submitted_at
from compared
join tickets on tickets.ticket_id = compared.ticket_id
join terms on terms.subscription_id = tickets.subscription_id
join tried_accounts on tried_accounts.account_id = terms.account_id
where coalesce(compared.status, '-') <> coalesce(compared.trial_status, '-')
