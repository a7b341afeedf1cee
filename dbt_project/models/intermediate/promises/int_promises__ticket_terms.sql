-- Grain: one row per ticket: the term and plan version in force when it was submitted, and why nothing is promised where that is so.
-- Half-open: a ticket in the second in which a term ends belongs to the next one. A trial judges the tickets of the accounts that it needs.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
customers as (select * from {{ source('raw', 'customers') }}),
subscriptions as (select * from {{ source('raw', 'subscriptions') }}),
licenses as (select * from {{ source('raw', 'licenses') }}),
plan_versions as (select * from {{ source('raw', 'plan_versions') }}),
channels as (select * from {{ source('raw', 'plan_channels') }}),
licenses_not_counted as (select * from {{ source('raw', 'plan_licenses_not_counted') }}),
severities as (select * from {{ source('raw', 'plan_severities') }}),
{%- if var('is_trial') %}
tried_accounts as (select * from {{ source('raw', 'tried_accounts') }}),
{%- endif %}

-- One row that contradicts another leaves open what was agreed with that customer alone.
contradicted as (select distinct customer_id from subscriptions where contradiction is not null),

termed as (
  select
    tickets.*,
    customers.customer_id is not null as is_customer_known,
    contradicted.customer_id is not null as is_contract_contradicted,
    subscriptions.subscription_id,
    subscriptions.account_id,
    -- A licence that is suspended inside its term has a dated status; the term and its pools go on.
    coalesce(licenses.license_status, subscriptions.license_status) as license_status,
    subscriptions.license_type,
    plan_versions.plan,
    plan_versions.plan_version,
    plan_versions.time_zone,
    plan_versions.availability_clock,
    plan_versions.is_default_channel_supported,
    plan_versions.required_license_status,
    plan_versions.severity_raised,
    plan_versions.severity_lowered,
    plan_versions.is_over_quota_covered
  from tickets
  left join customers on customers.customer_id = tickets.customer_id
  left join contradicted on contradicted.customer_id = tickets.customer_id
  left join subscriptions
    on subscriptions.customer_id = tickets.customer_id
    and subscriptions.covers_from_at <= tickets.submitted_at
    and tickets.submitted_at < subscriptions.term_ends_at
  left join licenses
    on licenses.subscription_id = subscriptions.subscription_id
    and licenses.valid_from <= tickets.submitted_at
    and tickets.submitted_at < licenses.valid_to
  left join plan_versions
    on plan_versions.plan = subscriptions.plan
    and plan_versions.valid_from <= tickets.submitted_at
    and tickets.submitted_at < plan_versions.valid_to
)

select
  termed.ticket_id,
  termed.source,
  termed.customer_id,
  termed.subscription_id,
  termed.plan,
  termed.plan_version,
  coalesce(termed.time_zone, 'UTC') as time_zone,
  termed.availability_clock,
  termed.severity_raised,
  termed.severity_lowered,
  coalesce(termed.is_over_quota_covered, true) as is_over_quota_covered,
  termed.severity_submitted,
  termed.severity_exported,
  termed.level_doubtful_from_epoch,
  termed.level_unordered_from_epoch,
  termed.submitted_at,
  termed.submitted_epoch,
  termed.latest_submitted_epoch,
  termed.is_first_response_observed,
  termed.is_messages_observed,
  termed.is_statuses_observed,
  termed.is_resolution_observed,
  termed.is_never_reopened,
  termed.is_debug_observed,
  termed.is_answered_before_submission,
  termed.is_resolved_before_submission,
  termed.resolution_contradiction,
  termed.is_opened_by_vendor,
  termed.read_until_epoch,
  licenses_not_counted.license_type is null as is_license_counted,
  severities.severity is not null as is_severity_known,
  case
    when not termed.is_customer_known then 'unknown_customer'
    when termed.is_contract_contradicted then 'contract_contradicts'
    when termed.plan_version is null then 'no_plan_term'
    when termed.license_status <> termed.required_license_status or licenses_not_counted.license_type is not null
      then 'no_active_license'
    -- A source that names no channel is no evidence of an unsupported one.
    when termed.channel is not null and not coalesce(channels.is_supported, termed.is_default_channel_supported)
      then 'unsupported_channel'
  end as exclusion_reason
from termed
{%- if var('is_trial') %}
join tried_accounts on tried_accounts.account_id = termed.account_id
{%- endif %}
left join channels on channels.plan_version = termed.plan_version and channels.channel = termed.channel
left join licenses_not_counted
  on licenses_not_counted.plan_version = termed.plan_version and licenses_not_counted.license_type = termed.license_type
left join severities on severities.plan_version = termed.plan_version and severities.severity = termed.severity_submitted
