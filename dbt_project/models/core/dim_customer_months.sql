-- Grain: one row per customer and month that a report can be made of: a promise was settled, submitted or still ran in it, or a term ran.
-- With plans of several time zones, the month of the customer runs until it has ended in the last of them.
with
builds as (select * from {{ ref('dim_builds') }}),
customers as (select * from {{ ref('dim_customers') }}),
months as (select * from {{ ref('dim_months') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
zones as (select * from {{ ref('dim_customer_zones') }}),

-- Terms whose licence the plan serves.
served as (
  select terms.customer_id, plan_versions.time_zone, terms.term_starts_at, terms.term_ends_at
  from terms
  join plan_versions on plan_versions.plan_version = terms.plan_version
  where terms.is_license_counted
    and terms.license_status = coalesce(plan_versions.required_license_status, terms.license_status)
),

reported as (
  select customer_id, compliance_month as month from obligations
  union
  select customer_id, submitted_month from obligations
  union
  -- Also without a ticket: that is something to report. Before the first ticket of all, nothing is known.
  select served.customer_id, months.month
  from served
  join months
    on months.time_zone = served.time_zone
    and months.starts_at < served.term_ends_at
    and served.term_starts_at < months.ends_at
  cross join builds
  where months.starts_at <= builds.as_of
    and months.month >= (select min(submitted_month) from obligations)
)

select
  customers.customer_id || ':' || reported.month as customer_month_key,
  customers.customer_id,
  reported.month,
  max(case when months.is_month_running then 1 else 0 end) = 1 as is_month_running,
  min(months.starts_at) as starts_at,
  max(months.ends_at) as ends_at
from reported
join customers on customers.customer_id = reported.customer_id
join zones on zones.customer_id = reported.customer_id
join months on months.time_zone = zones.time_zone and months.month = reported.month
group by customers.customer_id, reported.month
