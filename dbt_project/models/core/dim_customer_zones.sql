-- Grain: one row per customer and time zone in which its months are read: that of its promises, and of its terms whose licence the plan serves.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),

zones as (
  select customer_id, time_zone from obligations where customer_id is not null
  union
  -- Also of a customer that never had a ticket.
  select terms.customer_id, plan_versions.time_zone
  from terms
  join plan_versions on plan_versions.plan_version = terms.plan_version
  where terms.is_license_counted
    and terms.license_status = coalesce(plan_versions.required_license_status, terms.license_status)
)

select
  customer_id || ':' || time_zone as customer_zone_key,
  customer_id,
  time_zone
from zones
