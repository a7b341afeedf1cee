-- Grain: one row per ticket that draws on a pool of its term when it is submitted.
-- The level decides the pool: the submitted one, or the one in force where the plan says so. A ticket through a channel that is no
-- support channel, under a licence that is not counted, or outside every term draws nothing. The pools are those that the term was granted
-- with: a plan version that begins in mid-term changes promises, not what was granted.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }} where exclusion_reason is null),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),
terms as (select * from {{ ref('int_entitlements__terms') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }}),
pool_severities as (select * from {{ source('raw', 'plan_pool_severities') }}),

last_severities as (
  select ticket_id, severity
  from (
    select ticket_id, severity, row_number() over (partition by ticket_id order by change_number desc) as change_rank
    from severity_changes
  ) as ranked
  where change_rank = 1
)

select
  tickets.ticket_id,
  ticket_terms.customer_id,
  terms.account_id as subscription_id,
  accounts.plan_version,
  entitlements.pool,
  tickets.submitted_at as happened_at,
  tickets.known_at
from tickets
join ticket_terms on ticket_terms.ticket_id = tickets.ticket_id
join terms on terms.subscription_id = ticket_terms.subscription_id
join terms as accounts on accounts.subscription_id = terms.account_id
left join last_severities on last_severities.ticket_id = tickets.ticket_id
join pool_severities
  on pool_severities.plan_version = accounts.plan_version
join entitlements
  on entitlements.plan_version = pool_severities.plan_version
  and entitlements.pool = pool_severities.pool
  and pool_severities.severity = case entitlements.drawn_by
    when 'in_force' then coalesce(last_severities.severity, tickets.severity_submitted)
    else tickets.severity_submitted
  end
