-- Grain: one row per customer, month that a report can be made of, and promise (plan, obligation, target, clock and clause, with all levels that
-- share them), and one, without a promise, for what none of them covers.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
statements as (select * from {{ ref('fct_entitlement_months') }}),
reports as (select * from {{ ref('dim_customer_months') }}),
subscription_terms as (select * from {{ ref('dim_subscription_terms') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
plan_terms as (select * from {{ ref('dim_plan_terms') }}),
builds as (select * from {{ ref('dim_builds') }}),

-- Versions of a plan that promise the same are one line of a report.
terms as (
  select
    plan_terms.*,
    plan || ':' || obligation || ':' || obligation_kind || ':' || cast(target_seconds as string) || ':' || clock_name || ':'
      || coalesce(clause, '-') as promise
  from plan_terms
),

-- What runs was promised in every month since its submission, and is counted in one: that of as_of.
placed as (
  select
    customer_id, compliance_month as month, plan_version, obligation, severity_in_force, status, status_before_waiver, could_be,
    is_met_only_by_ai, cast(null as string) as running_key
  from obligations
  union all
  select
    obligations.customer_id, reports.month, obligations.plan_version, obligations.obligation, obligations.severity_in_force,
    null, null, null, null, obligations.obligation_key
  from obligations
  join reports on reports.customer_id = obligations.customer_id and reports.month >= obligations.submitted_month
  where obligations.status = 'pending'
),

versions as (
  select customer_id, month, plan_version from placed
  union
  select customer_id, month, plan_version from statements
  union
  -- What the plan of a term promised in the month, also where nothing happened.
  select subscription_terms.customer_id, reports.month, plan_versions.plan_version
  from subscription_terms
  join reports
    on reports.customer_id = subscription_terms.customer_id
    and reports.starts_at < subscription_terms.term_ends_at
    and subscription_terms.term_starts_at < reports.ends_at
  join plan_versions
    on plan_versions.plan = subscription_terms.plan
    and plan_versions.valid_from < reports.ends_at
    and reports.starts_at < plan_versions.valid_to
),

summary as (
  select
    reports.customer_id,
    reports.month,
    terms.promise,
    terms.plan,
    terms.obligation,
    terms.obligation_kind,
    {{ joined_texts('cast(terms.severity as string)', ',') }} as severities,
    terms.target_seconds,
    terms.clock_name,
    terms.clause,
    min(terms.plan_version) as first_plan_version
  from reports
  join versions on versions.customer_id = reports.customer_id and versions.month = reports.month
  join terms on terms.plan_version = versions.plan_version
  group by
    reports.customer_id, reports.month, terms.promise, terms.plan, terms.obligation, terms.obligation_kind, terms.target_seconds,
    terms.clock_name, terms.clause
  union all
  select customer_id, month, null, null, null, null, null, null, null, null, null from reports
),

counted as (
  select
    placed.*,
    terms.promise
  from placed
  left join terms
    on terms.plan_version = placed.plan_version
    and terms.obligation = placed.obligation
    and terms.severity = placed.severity_in_force
)

select
  summary.customer_id || ':' || summary.month || ':' || coalesce(summary.promise, '-') as customer_promise_key,
  summary.customer_id,
  summary.month,
  summary.promise,
  summary.plan,
  summary.obligation,
  summary.obligation_kind,
  summary.severities,
  summary.target_seconds,
  summary.clock_name,
  summary.clause,
  summary.first_plan_version,
  {{ count_statuses('counted') }},
  count(counted.running_key) as running_count,
  max(builds.as_of) as as_of
from summary
cross join builds
left join counted
  on counted.customer_id = summary.customer_id
  and counted.month = summary.month
  and coalesce(counted.promise, '-') = coalesce(summary.promise, '-')
group by
  summary.customer_id, summary.month, summary.promise, summary.plan, summary.obligation, summary.obligation_kind, summary.severities,
  summary.target_seconds, summary.clock_name, summary.clause, summary.first_plan_version
