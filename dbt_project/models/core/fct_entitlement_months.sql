-- Grain: one row per subscription term, pool and month of the plan's time zone: a month's statement. Opening and movements make the closing.
-- From the month in which the term begins to that of as_of or of its end; where something moved before or after, its months too.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),
plan_months as (select * from {{ ref('dim_months') }}),

moved as (
  select
    subscription_id,
    pool,
    month,
    sum(case when movement_kind = 'grant' then quantity else 0 end) as granted_quantity,
    sum(case when movement_kind in ('purchase', 'return') then quantity else 0 end) as purchased_quantity,
    -sum(case when movement_kind = 'use' then quantity else 0 end) as used_quantity,
    sum(case when movement_kind in ('credit', 'reversal') then quantity else 0 end) as credited_quantity,
    sum(case when movement_kind = 'overflow' then quantity else 0 end) as overflowed_quantity,
    sum(case when movement_kind = 'overage' then quantity else 0 end) as overage_quantity,
    -sum(case when movement_kind = 'expiry' then quantity else 0 end) as expired_quantity,
    sum(case when movement_kind = 'carry_over' then quantity else 0 end) as carried_quantity,
    sum(quantity) as net_quantity
  from movements
  group by subscription_id, pool, month
),

spans as (
  select
    pools.subscription_id,
    pools.pool,
    pools.time_zone,
    {{ local_month('first_months', 'pools.term_starts_at') }} as first_month,
    {{ local_month('last_months', 'least(build_inputs.as_of, pools.term_ends_at)') }} as last_month
  from pools
  cross join build_inputs
  {{ join_zone_month('first_months', 'pools.time_zone', 'pools.term_starts_at') }}
  {{ join_zone_month('last_months', 'pools.time_zone', 'least(build_inputs.as_of, pools.term_ends_at)') }}
  where pools.term_starts_at <= build_inputs.as_of
),

months as (
  select spans.subscription_id, spans.pool, plan_months.month
  from spans
  join plan_months
    on plan_months.time_zone = spans.time_zone
    and plan_months.month >= spans.first_month
    and plan_months.month <= spans.last_month
  union
  select subscription_id, pool, month from moved
),

summed as (
  select
    months.subscription_id,
    months.pool,
    months.month,
    coalesce(moved.granted_quantity, 0) as granted_quantity,
    coalesce(moved.purchased_quantity, 0) as purchased_quantity,
    coalesce(moved.used_quantity, 0) as used_quantity,
    coalesce(moved.credited_quantity, 0) as credited_quantity,
    coalesce(moved.overflowed_quantity, 0) as overflowed_quantity,
    coalesce(moved.overage_quantity, 0) as overage_quantity,
    coalesce(moved.expired_quantity, 0) as expired_quantity,
    coalesce(moved.carried_quantity, 0) as carried_quantity,
    coalesce(moved.net_quantity, 0) as net_quantity,
    sum(coalesce(moved.net_quantity, 0)) over (
      partition by months.subscription_id, months.pool order by months.month nulls last rows between unbounded preceding and current row
    ) as closing_quantity,
    sum(coalesce(moved.overage_quantity, 0)) over (
      partition by months.subscription_id, months.pool order by months.month nulls last rows between unbounded preceding and current row
    ) as overage_to_date_quantity
  from months
  left join moved
    on moved.subscription_id = months.subscription_id and moved.pool = months.pool and moved.month = months.month
)

select
  summed.subscription_id || ':' || summed.pool || ':' || summed.month as month_key,
  summed.subscription_id,
  pools.customer_id,
  pools.plan,
  pools.plan_version,
  summed.pool,
  summed.month,
  case when pools.is_limited then cast(summed.closing_quantity - summed.net_quantity as bigint) end as opening_quantity,
  -- Unlimited and not stated are no number.
  case when pools.quantity is not null then cast(summed.granted_quantity as bigint) end as granted_quantity,
  cast(summed.purchased_quantity as bigint) as purchased_quantity,
  cast(summed.used_quantity as bigint) as used_quantity,
  cast(summed.credited_quantity as bigint) as credited_quantity,
  cast(case when pools.overflows_to is null then -summed.overflowed_quantity else 0 end as bigint) as overflowed_in_quantity,
  cast(case when pools.overflows_to is not null then summed.overflowed_quantity else 0 end as bigint) as overflowed_out_quantity,
  cast(summed.overage_quantity as bigint) as overage_quantity,
  cast(summed.overage_to_date_quantity as bigint) as overage_to_date_quantity,
  cast(summed.expired_quantity as bigint) as expired_quantity,
  cast(summed.carried_quantity as bigint) as carried_quantity,
  case when pools.is_limited then cast(summed.closing_quantity as bigint) end as closing_quantity,
  pools.is_unlimited,
  pools.is_stated,
  pools.is_redeemed,
  pools.term_status,
  pools.term_starts_on,
  pools.term_ends_on
from summed
join pools on pools.subscription_id = summed.subscription_id and pools.pool = summed.pool
