-- Grain: one row per ticket known at as_of, in its last exported state, with the term that it belongs to.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }}),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),
statuses as (select * from {{ ref('int_ticket_timeline__status_intervals') }}),
groups as (select * from {{ ref('int_helpdesk__last_groups') }}),

last_severities as (
  select ticket_id, severity
  from (
    select ticket_id, severity, row_number() over (partition by ticket_id order by change_number desc) as change_rank
    from severity_changes
  ) as ranked
  where change_rank = 1
),

last_statuses as (
  select ticket_id, max(ticket_status) as ticket_status from statuses where valid_to_epoch is null group by ticket_id
)

select
  tickets.ticket_id,
  tickets.source,
  tickets.customer_id,
  ticket_terms.subscription_id,
  ticket_terms.plan,
  ticket_terms.plan_version,
  tickets.requester,
  tickets.channel,
  groups.group_name,
  tickets.subject,
  tickets.ticket_type,
  coalesce(last_statuses.ticket_status, tickets.ticket_status) as ticket_status,
  tickets.severity_submitted,
  coalesce(
    last_severities.severity, case when tickets.level_doubtful_from_epoch is not null then tickets.severity_exported end, tickets.severity_submitted
  ) as severity_now,
  tickets.severity_given,
  case when ticket_terms.exclusion_reason is null and not ticket_terms.is_severity_known then 'unknown_severity'
    else ticket_terms.exclusion_reason end as exclusion_reason,
  tickets.is_messages_observed,
  tickets.is_statuses_observed,
  tickets.is_assignments_observed,
  tickets.submitted_at,
  tickets.source_file,
  tickets.line_number,
  tickets.batch_id,
  tickets.known_at
from tickets
join ticket_terms on ticket_terms.ticket_id = tickets.ticket_id
left join last_severities on last_severities.ticket_id = tickets.ticket_id
left join last_statuses on last_statuses.ticket_id = tickets.ticket_id
left join groups on groups.ticket_id = tickets.ticket_id
