-- Grain: one row per suspicion about a ticket as a whole, or about a customer whose tickets belong to no contract.
with
tickets as (select * from {{ ref('dim_tickets') }}),
customers as (select * from {{ ref('dim_customers') }}),
contacts as (select * from {{ ref('dim_contacts') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
licenses as (select * from {{ ref('dim_licenses') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
customers_with_contacts as (select distinct customer_id from contacts),
customers_with_terms as (select distinct customer_id from terms),

excluded as (
  select
    tickets.exclusion_reason || ':' || tickets.ticket_id as finding_key,
    tickets.exclusion_reason as finding,
    tickets.ticket_id,
    tickets.customer_id,
    tickets.subscription_id,
    case tickets.exclusion_reason
      when 'unknown_customer' then 'the source names the customer ' || coalesce(tickets.customer_id, 'not at all')
      when 'unknown_severity' then 'the source gives the severity ' || coalesce(tickets.severity_given, 'not at all')
      when 'unsupported_channel' then 'the ticket came through ' || coalesce(tickets.channel, 'a channel that is not named')
      when 'no_active_license'
        then 'subscription ' || tickets.subscription_id || ' has a licence that is ' || terms.license_type || ', '
          || coalesce(licenses.license_status, terms.license_status)
      else 'submitted at ' || cast(tickets.submitted_at as varchar) || ', subscription ' || coalesce(tickets.subscription_id, 'none')
    end as evidence,
    case tickets.exclusion_reason
      when 'unknown_severity' then 'its promises are not measurable; it draws on no pool'
      else 'its promises are not covered; it draws on no pool'
    end as effect,
    tickets.source_file,
    tickets.line_number
  from tickets
  left join terms on terms.subscription_id = tickets.subscription_id
  left join licenses
    on licenses.subscription_id = tickets.subscription_id
    and licenses.valid_from <= tickets.submitted_at
    and tickets.submitted_at < licenses.valid_to
  -- A contract that contradicts itself is one finding, about the contract.
  where tickets.exclusion_reason is not null and tickets.exclusion_reason <> 'contract_contradicts'
),

unlisted as (
  select
    'unlisted_requester:' || tickets.ticket_id,
    'unlisted_requester',
    tickets.ticket_id,
    tickets.customer_id,
    tickets.subscription_id,
    'requester ' || coalesce(tickets.requester, 'not named'),
    'none: the ticket is judged and counted like any other',
    tickets.source_file,
    tickets.line_number
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

unordered as (
  select
    'order_unknown:' || tickets.ticket_id,
    'order_unknown',
    tickets.ticket_id,
    tickets.customer_id,
    tickets.subscription_id,
    'events of one second without a number, a numeric id, or one file that holds them all; it decides: '
    || string_agg(distinct obligations.obligation, ', ' order by obligations.obligation),
    'these promises are not measurable; export a column that counts the events and declare it as sequence',
    tickets.source_file,
    tickets.line_number
  from tickets
  join obligations on obligations.ticket_id = tickets.ticket_id and obligations.status_reason = 'order_unknown'
  group by tickets.ticket_id, tickets.customer_id, tickets.subscription_id, tickets.source_file, tickets.line_number
),

contradicted as (
  select
    'records_contradict:' || ticket_id,
    'records_contradict',
    ticket_id,
    customer_id,
    subscription_id,
    'two records of one version, or two submissions, differ in:' || contradiction,
    'what they say differently is not known; of two submissions the earlier one counts',
    source_file,
    line_number
  from tickets
  where contradiction is not null
),

without_terms as (
  select
    'customer_without_subscription:' || customers.customer_id,
    'customer_without_subscription',
    cast(null as varchar) as ticket_id,
    customers.customer_id,
    cast(null as varchar) as subscription_id,
    cast(count(*) as varchar) || ' tickets and not one subscription',
    'none of its tickets is covered; none draws on a pool',
    cast(null as varchar) as source_file,
    cast(null as bigint) as line_number
  from customers
  join tickets on tickets.customer_id = customers.customer_id
  left join customers_with_terms on customers_with_terms.customer_id = customers.customer_id
  where customers_with_terms.customer_id is null
  group by customers.customer_id
)

select finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number
from (
  select * from excluded
  union all
  select * from unlisted
  union all
  select * from unordered
  union all
  select * from contradicted
  union all
  select * from without_terms
) as found
