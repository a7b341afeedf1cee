-- Grain: one row per subscription term that runs, obligation and plan tried: how many promises had which verdict, and would have.
-- Terms that stack share the rows of the first, as they share its pools.
{{ config(tags=['plan_comparison']) }}
with
tickets as (
  select dim_tickets.ticket_id, dim_tickets.customer_id, terms.account_id as subscription_id
  from {{ ref('dim_tickets') }} as dim_tickets
  join {{ ref('dim_subscription_terms') }} as terms on terms.subscription_id = dim_tickets.subscription_id
  join {{ source('raw', 'tried_accounts') }} as tried_accounts on tried_accounts.account_id = terms.account_id and tried_accounts.is_compared
),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
trials as (select * from {{ source('raw', 'trial_obligations') }}),
plans as (select trial_plan from {{ ref('dim_plan_trials') }}),

counted as (
  select
    tickets.subscription_id, tickets.customer_id, plans.trial_plan, obligations.obligation, obligations.is_estimate,
    obligations.status, obligations.could_be, cast(null as string) as trial_status, cast(null as string) as trial_could_be
  from obligations
  join tickets on tickets.ticket_id = obligations.ticket_id
  cross join plans
  union all
  select
    tickets.subscription_id, tickets.customer_id, trials.trial_plan, trials.obligation, trials.is_estimate,
    null, null, trials.status, trials.could_be
  from trials
  join tickets on tickets.ticket_id = trials.ticket_id
)

select
  subscription_id || ':' || obligation || ':' || cast(is_estimate as string) || ':' || trial_plan as trial_count_key,
  subscription_id,
  customer_id,
  trial_plan,
  obligation,
  is_estimate,
  count(case when status = 'met' then 1 end) as met_count,
  count(case when status = 'breached' then 1 end) as breached_count,
  count(case when status = 'pending' then 1 end) as pending_count,
  count(case when status = 'waived' then 1 end) as waived_count,
  count(case when status in ('not_covered', 'not_measurable') then 1 end) as uncounted_count,
  count(case when status = 'met' or could_be = 'met' then 1 end) as lower_met_count,
  count(case when status = 'met' or could_be in ('met', 'either') then 1 end) as upper_met_count,
  count(case when status in ('met', 'breached', 'not_measurable') then 1 end) as bounded_count,
  count(case when trial_status = 'met' then 1 end) as trial_met_count,
  count(case when trial_status = 'breached' then 1 end) as trial_breached_count,
  count(case when trial_status = 'pending' then 1 end) as trial_pending_count,
  count(case when trial_status = 'waived' then 1 end) as trial_waived_count,
  count(case when trial_status in ('not_covered', 'not_measurable') then 1 end) as trial_uncounted_count,
  count(case when trial_status = 'met' or trial_could_be = 'met' then 1 end) as trial_lower_met_count,
  count(case when trial_status = 'met' or trial_could_be in ('met', 'either') then 1 end) as trial_upper_met_count,
  count(case when trial_status in ('met', 'breached', 'not_measurable') then 1 end) as trial_bounded_count
from counted
group by subscription_id, customer_id, trial_plan, obligation, is_estimate
