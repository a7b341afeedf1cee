-- Grain: one row per ticket and suspicion about it, for people to review; each says what it did to the figures.
-- These are not failures: the build publishes them. What is wrong, not merely suspicious, fails a test instead.
with
tickets as (select * from {{ ref('dim_tickets') }}),
contacts as (select * from {{ source('raw', 'contacts') }}),
customers_with_contacts as (select distinct customer_id from contacts),

excluded as (
  select
    ticket_id,
    customer_id,
    exclusion_reason as finding,
    case exclusion_reason
      when 'unknown_customer' then 'the source names the customer ' || coalesce(customer_id, 'not at all')
      when 'unknown_severity' then 'the source gives the severity ' || coalesce(severity_given, 'not at all')
      when 'unsupported_channel' then 'the ticket came through ' || coalesce(channel, 'a channel that is not named')
      else 'subscription ' || coalesce(subscription_id, 'none at that instant')
    end as evidence,
    case exclusion_reason
      when 'unknown_severity' then 'its promises are not measurable; it draws on no pool'
      else 'its promises are not covered; it draws on no pool'
    end as effect
  from tickets
  where exclusion_reason is not null
),

unlisted as (
  select
    tickets.ticket_id,
    tickets.customer_id,
    'unlisted_requester' as finding,
    'requester ' || coalesce(tickets.requester, 'not named') as evidence,
    'none: the ticket is judged and counted like any other' as effect
  from tickets
  join customers_with_contacts on customers_with_contacts.customer_id = tickets.customer_id
  left join contacts
    on contacts.customer_id = tickets.customer_id
    and contacts.contact = tickets.requester
    and contacts.valid_from <= tickets.submitted_at
    and tickets.submitted_at < contacts.valid_to
  where contacts.contact is null
)

select finding || ':' || ticket_id as finding_key, finding, ticket_id, customer_id, evidence, effect
from (
  select * from excluded
  union all
  select * from unlisted
) as all_findings
