-- Grain: one row per plan version, obligation and severity: the promise in force, with its clause.
with
plan_versions as (select * from {{ source('raw', 'plan_versions') }}),
obligations as (select * from {{ source('raw', 'plan_obligations') }}),
promises as (select * from {{ source('raw', 'plan_promises') }}),
severities as (select * from {{ source('raw', 'plan_severities') }})

select
  promises.plan_version || ':' || promises.obligation || ':' || cast(promises.severity as string) as plan_term_key,
  plan_versions.plan,
  plan_versions.plan_title,
  promises.plan_version,
  promises.obligation,
  obligations.kind as obligation_kind,
  promises.severity,
  severities.severity_label,
  promises.clock_name,
  promises.clause,
  promises.clause_text,
  promises.note,
  plan_versions.source_title,
  plan_versions.time_zone,
  promises.target_seconds,
  plan_versions.valid_from,
  plan_versions.valid_to
from promises
join plan_versions on plan_versions.plan_version = promises.plan_version
join obligations on obligations.plan_version = promises.plan_version and obligations.obligation = promises.obligation
left join severities on severities.plan_version = promises.plan_version and severities.severity = promises.severity
