-- Grain: one row per suspicion about a ticket as a whole, or about a customer whose tickets belong to no contract.
with
tickets as (select * from {{ ref('dim_tickets') }}),
customers as (select * from {{ ref('dim_customers') }}),
contacts as (select * from {{ ref('dim_contacts') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
licenses as (select * from {{ ref('dim_licenses') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
contradictions as (select * from {{ ref('fct_ticket_contradictions') }}),
customers_with_contacts as (select distinct customer_id from contacts),
customers_with_terms as (select distinct customer_id from terms),

-- The term that had ended last when the ticket came.
ended_terms as (
  select tickets.ticket_id, max(terms.term_ends_on) as ended_on
  from tickets
  join terms on terms.customer_id = tickets.customer_id and terms.term_ends_at <= tickets.submitted_at
  where tickets.exclusion_reason = 'no_plan_term'
  group by tickets.ticket_id
),

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
      else 'submitted at ' || cast(tickets.submitted_at as string) || ', subscription ' || coalesce(tickets.subscription_id, 'none')
        || coalesce('; the last term before it has ' || cast(ended_terms.ended_on as string) || ' as term_ends_on, the first day after it', '')
    end as evidence,
    case tickets.exclusion_reason
      when 'unknown_severity' then 'its promises are not measurable; it draws on no pool'
      else 'its promises are not covered; it draws on no pool'
    end as effect,
    tickets.source_file,
    tickets.line_number
  from tickets
  left join terms on terms.subscription_id = tickets.subscription_id
  left join ended_terms on ended_terms.ticket_id = tickets.ticket_id
  left join licenses
    on licenses.subscription_id = tickets.subscription_id
    and licenses.valid_from <= tickets.submitted_at
    and tickets.submitted_at < licenses.valid_to
  -- A contract that contradicts itself is one finding, about the contract.
  -- So are two customers of one ticket.
  left join contradictions on contradictions.ticket_id = tickets.ticket_id and contradictions.contradiction = 'customer_contradicted'
  where tickets.exclusion_reason is not null
    and tickets.exclusion_reason <> 'contract_contradicts'
    and contradictions.ticket_id is null
),

contradicted as (
  select
    contradictions.contradiction_key as finding_key,
    contradictions.contradiction as finding,
    contradictions.ticket_id,
    -- What names two customers is for those who may see both.
    case when contradictions.other_value is null or contradictions.contradiction <> 'customer_changed_later' then contradictions.customer_id end as customer_id,
    case when contradictions.contradiction <> 'customer_changed_later' then tickets.subscription_id end as subscription_id,
    case contradictions.contradiction
      when 'customer_changed_later'
        then 'submitted for ' || contradictions.value || '; more than seven days later the source names ' || contradictions.other_value
      when 'customer_contradicted' then 'two files name ' || contradictions.value || ' in records of one instant'
      when 'event_without_ticket'
        then cast(contradictions.event_count as string) || ' events of a ticket that no export of ' || contradictions.source
          || ' holds, the first at ' || contradictions.value
      when 'records_contradict' then 'two records of one version differ in:' || contradictions.value
      when 'merge_not_declared'
        then 'the helpdesk wrote at ' || contradictions.other_value || ' that the ticket was merged into ' || contradictions.value
          || '; no sign that events.merged of ' || contradictions.source || ' in sla.yml declares shows it'
      else 'submitted at ' || contradictions.value || ' and at ' || contradictions.other_value
    end as evidence,
    case contradictions.contradiction
      when 'customer_changed_later'
        then 'none: verdicts, unit and text stay with ' || contradictions.value || '; nothing is drawn from ' || contradictions.other_value
      when 'customer_contradicted' then 'the ticket is of neither: its promises are not covered, it draws on no pool'
      when 'event_without_ticket' then 'none of them is judged or counted'
      when 'records_contradict' then 'what they say differently is not known'
      when 'merge_not_declared'
        then 'judged and counted like any other ticket; declare a tag, status or field that your merges set, such as {merged: {field: tags, value: merged}}'
      when 'id_with_two_submissions'
        then 'one ticket, judged from ' || cast(tickets.submitted_at as string) || ' on with the events of both; if they are two tickets, one is missing'
      else 'the ticket is judged from ' || cast(tickets.submitted_at as string) || ' on'
    end as effect,
    contradictions.source_file,
    contradictions.line_number
  from contradictions
  left join tickets on tickets.ticket_id = contradictions.ticket_id
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
    || {{ joined_texts('obligations.obligation', ', ') }},
    'these promises are not measurable; export a column that counts the events and declare it as sequence',
    tickets.source_file,
    tickets.line_number
  from tickets
  join obligations on obligations.ticket_id = tickets.ticket_id and obligations.status_reason = 'order_unknown'
  group by tickets.ticket_id, tickets.customer_id, tickets.subscription_id, tickets.source_file, tickets.line_number
),

without_terms as (
  select
    'customer_without_subscription:' || customers.customer_id,
    'customer_without_subscription',
    cast(null as string) as ticket_id,
    customers.customer_id,
    cast(null as string) as subscription_id,
    cast(count(*) as string) || ' tickets and not one subscription',
    'none of its tickets is covered; none draws on a pool',
    cast(null as string) as source_file,
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
  select * from contradicted
  union all
  select * from unlisted
  union all
  select * from unordered
  union all
  select * from without_terms
) as found
