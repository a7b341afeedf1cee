-- Grain: one row per suspicion about a ticket or a customer, for people to review; each says what it did to the figures.
-- These are not failures: the build publishes them. What is wrong, not merely suspicious, fails a test instead.
with
tickets as (select * from {{ ref('dim_tickets') }}),
contacts as (select * from {{ ref('dim_contacts') }}),
builds as (select * from {{ ref('dim_builds') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
events as (select * from {{ ref('fct_ticket_events') }}),
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
    -- The reference table takes two spellings that differ in case for one person.
    and lower(contacts.contact) = lower(tickets.requester)
    and contacts.valid_from <= tickets.submitted_at
    and tickets.submitted_at < contacts.valid_to
  where contacts.contact is null
),

early as (
  select
    tickets.ticket_id,
    tickets.customer_id,
    'event_before_ticket' as finding,
    cast(count(*) as varchar) || ' events are dated before the submission, among them ' || min(events.event_type) as evidence,
    'none: what is dated before the ticket answers and delivers nothing' as effect
  from tickets
  join events on events.ticket_id = tickets.ticket_id and events.event_at < tickets.submitted_at
  group by tickets.ticket_id, tickets.customer_id
),

-- The number of representatives can only grow when one becomes valid or a term begins.
counting_instants as (
  select contacts.customer_id, contacts.valid_from as counted_at from contacts
  union
  select terms.customer_id, terms.term_starts_at from terms
),

representatives as (
  select
    counting_instants.customer_id,
    counting_instants.counted_at,
    plan_versions.maximum_contacts,
    count(distinct lower(contacts.contact)) as contact_count
  from counting_instants
  cross join builds
  join terms
    on terms.customer_id = counting_instants.customer_id
    and terms.term_starts_at <= counting_instants.counted_at
    and counting_instants.counted_at < terms.term_ends_at
  join plan_versions
    on plan_versions.plan = terms.plan
    and plan_versions.valid_from <= counting_instants.counted_at
    and counting_instants.counted_at < plan_versions.valid_to
  join contacts
    on contacts.customer_id = counting_instants.customer_id
    and contacts.valid_from <= counting_instants.counted_at
    and counting_instants.counted_at < contacts.valid_to
  where counting_instants.counted_at <= builds.as_of
  group by counting_instants.customer_id, counting_instants.counted_at, plan_versions.maximum_contacts
),

crowded as (
  select
    cast(null as varchar) as ticket_id,
    customer_id,
    'too_many_representatives' as finding,
    cast(max(contact_count) as varchar) || ' representatives at once, the plan names ' || cast(max(maximum_contacts) as varchar) as evidence,
    'none: every ticket is judged and counted' as effect
  from representatives
  where contact_count > maximum_contacts
  group by customer_id
)

select finding || ':' || coalesce(ticket_id, customer_id) as finding_key, finding, ticket_id, customer_id, evidence, effect
from (
  select * from excluded
  union all
  select * from unlisted
  union all
  select * from early
  union all
  select * from crowded
) as all_findings
