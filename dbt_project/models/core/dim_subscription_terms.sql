-- Grain: one row per subscription term, with the plan version in force at its start. Half-open: the term ends where the next may begin.
with
terms as (select * from {{ ref('int_entitlements__terms') }}),
subscriptions as (select * from {{ source('raw', 'subscriptions') }})

select
  terms.subscription_id,
  terms.account_id,
  terms.customer_id,
  terms.plan,
  terms.plan_version,
  terms.license_type,
  terms.license_status,
  terms.term_status,
  terms.is_license_counted,
  terms.term_starts_on,
  terms.term_ends_on,
  terms.term_starts_at,
  terms.term_ends_at,
  subscriptions.contradiction,
  subscriptions.source_file,
  subscriptions.line_number
from terms
join subscriptions on subscriptions.subscription_id = terms.subscription_id
