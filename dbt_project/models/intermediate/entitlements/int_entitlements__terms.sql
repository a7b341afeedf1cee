-- Grain: one row per subscription term, with the plan version in force at its start. Half-open: the term ends where the next may begin.
-- Terms that are declared to stack share the account, and with it the pools, of the first of them.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
subscriptions as (select * from {{ source('raw', 'subscriptions') }}),
plan_versions as (select * from {{ source('raw', 'plan_versions') }}),
licenses_not_counted as (select * from {{ source('raw', 'plan_licenses_not_counted') }})

select
  subscriptions.subscription_id,
  subscriptions.account_id,
  subscriptions.customer_id,
  subscriptions.plan,
  plan_versions.plan_version,
  plan_versions.time_zone,
  subscriptions.license_type,
  subscriptions.license_status,
  case
    when build_inputs.as_of < subscriptions.term_starts_at then 'upcoming'
    when build_inputs.as_of < subscriptions.term_ends_at then 'current'
    else 'ended'
  end as term_status,
  licenses_not_counted.license_type is null as is_license_counted,
  subscriptions.account_id <> subscriptions.subscription_id as is_stacked,
  subscriptions.term_starts_on,
  subscriptions.term_ends_on,
  subscriptions.term_starts_at,
  subscriptions.term_ends_at
from subscriptions
cross join build_inputs
left join plan_versions
  on plan_versions.plan = subscriptions.plan
  and plan_versions.valid_from <= subscriptions.term_starts_at
  and subscriptions.term_starts_at < plan_versions.valid_to
left join licenses_not_counted
  on licenses_not_counted.plan_version = plan_versions.plan_version
  and licenses_not_counted.license_type = subscriptions.license_type
