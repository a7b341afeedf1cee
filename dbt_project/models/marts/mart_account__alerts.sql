-- Grain: one row per alert at as_of: a pool whose consumption reached a threshold (the highest that it reached), a pool that is likely
-- to run out, a term that ends soon. Alerts are about current terms only. Unlimited and not stated pools have no part that could be consumed.
-- Built after the forecasts, which the package makes from core. A forecast is as old as the build, so its alert has no raised_at.
{{ config(tags=['after_forecasts']) }}
with
builds as (select * from {{ ref('dim_builds') }}),
rules as (select * from {{ ref('dim_alert_rules') }}),
customers as (select * from {{ ref('dim_customers') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),
forecasts as (select * from {{ source('forecasts', 'mart_account__entitlement_forecasts') }}),

balances as (
  select * from {{ ref('fct_entitlement_balances') }}
  where term_status = 'current' and is_stated and not is_unlimited
),

-- What happens within one second is seen as one: a pool that a pack fills up in the second of a use was not used up in between.
changes as (
  select
    movements.subscription_id,
    movements.pool,
    movements.happened_at,
    sum(case when movements.movement_kind in ('grant', 'purchase', 'return', 'expiry', 'carry_over') then movements.quantity else 0 end) as supplied_quantity,
    -sum(case when movements.movement_kind in ('use', 'credit', 'reversal', 'overflow') then movements.quantity else 0 end) as consumed_quantity
  from movements
  join balances on balances.subscription_id = movements.subscription_id and balances.pool = movements.pool
  group by movements.subscription_id, movements.pool, movements.happened_at
),

states as (
  select
    subscription_id,
    pool,
    happened_at,
    sum(supplied_quantity) over so_far as available_quantity,
    sum(consumed_quantity) over so_far as consumed_quantity,
    row_number() over (partition by subscription_id, pool order by happened_at desc) as state_rank
  from changes
  window so_far as (partition by subscription_id, pool order by happened_at nulls last rows between unbounded preceding and current row)
),

judged as (
  select
    states.*,
    rules.limit_quantity,
    -- In whole numbers, so that no rounding decides: 8 of 10 are 80 %. The first unit of a pool that holds none is all of it.
    states.consumed_quantity > 0 and states.consumed_quantity * 100 >= rules.limit_quantity * states.available_quantity as is_reached
  from states
  join rules on rules.alert_kind = 'threshold_reached'
),

last_states as (
  select
    judged.*,
    max(case when not is_reached then happened_at end) over (partition by subscription_id, pool, limit_quantity) as last_below_at
  from judged
),

reached as (
  select
    subscription_id,
    pool,
    limit_quantity,
    min(case when last_below_at is null or happened_at > last_below_at then happened_at end) as raised_at,
    max(case when state_rank = 1 then consumed_quantity end) as consumed_quantity,
    max(case when state_rank = 1 then available_quantity end) as available_quantity
  from last_states
  group by subscription_id, pool, limit_quantity
  having max(case when state_rank = 1 and is_reached then 1 else 0 end) = 1
),

highest as (
  select *
  from (
    select reached.*, row_number() over (partition by subscription_id, pool order by limit_quantity desc) as threshold_rank
    from reached
  ) as ranked
  where threshold_rank = 1
),

likely_exhausted as (
  select balances.*, forecasts.lasts_ratio, forecasts.exhausted_on_mid
  from forecasts
  join balances on balances.subscription_id = forecasts.subscription_id and balances.pool = forecasts.pool
  join rules on rules.alert_kind = 'likely_to_run_out'
  -- The chance has three digits, so as a decimal number it is exact.
  where forecasts.forecast_status = 'forecast'
    and cast(forecasts.lasts_ratio as decimal(4, 3)) * 100 <= 100 - rules.limit_quantity
),

followers as (
  select terms.subscription_id, min(others.subscription_id) as next_subscription_id
  from terms
  join terms as others
    on others.customer_id = terms.customer_id
    and others.term_starts_at <= terms.term_ends_at
    and terms.term_ends_at < others.term_ends_at
  group by terms.subscription_id
),

-- As many begun days as the rule says before the end, to the second; a shorter term ends soon from its start on.
ending as (
  select
    terms.*,
    rules.limit_quantity,
    greatest(
      {{ instant_from_epoch(epoch_seconds('terms.term_ends_at') ~ ' - rules.limit_quantity * 86400') }}, terms.term_starts_at
    ) as raised_at,
    followers.next_subscription_id
  from terms
  join rules on rules.alert_kind = 'term_ends_soon'
  left join followers on followers.subscription_id = terms.subscription_id
  where terms.term_status = 'current'
),

alerts as (
  select
    'threshold_reached' as alert_kind,
    highest.subscription_id,
    highest.pool,
    case
      when balances.overage_quantity > 0 then 1
      when highest.consumed_quantity >= highest.available_quantity then 2
      else 4
    end as alert_rank,
    highest.limit_quantity,
    highest.consumed_quantity,
    highest.available_quantity,
    balances.overage_quantity,
    cast(null as string) as next_subscription_id,
    cast(null as double) as lasts_ratio,
    cast(null as date) as exhausted_on_mid,
    balances.customer_id,
    balances.plan,
    balances.term_ends_on,
    balances.term_ends_at,
    highest.raised_at
  from highest
  join balances on balances.subscription_id = highest.subscription_id and balances.pool = highest.pool
  union all
  select
    'likely_to_run_out', subscription_id, pool, 3, null,
    used_quantity - credited_quantity + overflowed_in_quantity - overflowed_out_quantity, available_quantity, overage_quantity, null,
    lasts_ratio, exhausted_on_mid, customer_id, plan, term_ends_on, term_ends_at, null
  from likely_exhausted
  union all
  select
    'term_ends_soon', ending.subscription_id, null, 5, ending.limit_quantity, null, null, null, ending.next_subscription_id, null, null,
    ending.customer_id, ending.plan, ending.term_ends_on, ending.term_ends_at, ending.raised_at
  from ending
  cross join builds
  where ending.raised_at <= builds.as_of
)

select
  alerts.alert_kind || ':' || alerts.subscription_id || coalesce(':' || alerts.pool, '') as alert_key,
  alerts.alert_kind,
  alerts.customer_id,
  customers.customer_name,
  alerts.subscription_id,
  alerts.plan,
  alerts.pool,
  alerts.next_subscription_id,
  cast(alerts.alert_rank as integer) as alert_rank,
  case when alerts.alert_kind = 'threshold_reached' then alerts.limit_quantity end as threshold_pct,
  cast(alerts.consumed_quantity as bigint) as consumed_quantity,
  cast(alerts.available_quantity as bigint) as available_quantity,
  alerts.overage_quantity,
  alerts.lasts_ratio,
  alerts.exhausted_on_mid,
  -- A begun day is a day left.
  cast({{ whole_quotient(epoch_seconds('alerts.term_ends_at') ~ ' - ' ~ epoch_seconds('builds.as_of') ~ ' + 86399', '86400') }} as integer)
    as days_left,
  alerts.term_ends_on,
  alerts.raised_at,
  builds.as_of
from alerts
join customers on customers.customer_id = alerts.customer_id
cross join builds
