-- Grain: one row per redemption of an assistance and contradiction between its record (or event), its term, its plan and its ticket.
with
builds as (select * from {{ ref('dim_builds') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
pools as (select * from {{ ref('dim_plan_pools') }} where is_redeemed),
tickets as (select * from {{ ref('dim_tickets') }}),
events as (select * from {{ ref('fct_ticket_events') }} where event_type = 'assistance_redeemed'),
redemptions as (select * from {{ ref('dim_redemptions') }}),

-- Terms that stack share one account, and with it what can be redeemed.
accounts as (
  select account_id, min(term_starts_at) as account_starts_at, max(term_ends_at) as account_ends_at from terms group by account_id
),

told as (
  select
    redemptions.*,
    terms.plan_version,
    terms.term_starts_on,
    terms.term_ends_on,
    case
      when pools.pool is null and terms.plan_version is not null then 'redemption_of_absent_pool'
      when redemptions.redeemed_at < accounts.account_starts_at or redemptions.redeemed_at >= accounts.account_ends_at then 'redemption_outside_term'
    end as term_finding,
    case
      when redemptions.ticket_id is not null and tickets.ticket_id is null then 'redemption_on_unknown_ticket'
      when coalesce(tickets.customer_id, redemptions.customer_id) <> redemptions.customer_id then 'redemption_on_foreign_ticket'
    end as ticket_finding
  from redemptions
  cross join builds
  join terms on terms.subscription_id = redemptions.subscription_id
  join accounts on accounts.account_id = terms.account_id
  left join tickets on tickets.ticket_id = redemptions.ticket_id
  left join pools on pools.plan_version = terms.plan_version and pools.pool = redemptions.pool
  where redemptions.redeemed_at <= builds.as_of
),

misplaced as (
  select
    term_finding as finding,
    redemption_id as record_id,
    ticket_id,
    customer_id,
    subscription_id,
    pool || ' redeemed at ' || cast(redeemed_at as string) || '; the term runs ' || cast(term_starts_on as string) || ' to '
    || cast(term_ends_on as string) || ' under ' || coalesce(plan_version, 'no plan version') as evidence,
    case term_finding when 'redemption_of_absent_pool' then 'it counts nowhere' else 'it still counts as used in this term' end as effect,
    source_file,
    line_number
  from told
  where term_finding is not null
  union all
  select
    ticket_finding,
    redemption_id,
    ticket_id,
    customer_id,
    subscription_id,
    pool || ' redeemed with ticket ' || ticket_id
    || case ticket_finding when 'redemption_on_unknown_ticket' then ', which no export holds' else ', which is not a ticket of this customer' end,
    'none: it is counted as used in the term that the record names',
    source_file,
    line_number
  from told
  where ticket_finding is not null
),

unplanned as (
  select
    'assistance_not_in_plan' as finding,
    events.ticket_id || ':' || events.event_id as record_id,
    events.ticket_id,
    events.customer_id,
    tickets.subscription_id,
    'assistance ' || coalesce(events.value, 'not named') || ' redeemed at ' || cast(events.event_at as string) || ' under '
    || coalesce(terms.plan_version, 'no plan term') as evidence,
    'it counts nowhere' as effect,
    events.source_file,
    events.line_number
  from events
  join tickets on tickets.ticket_id = events.ticket_id
  left join terms on terms.subscription_id = tickets.subscription_id
  left join pools on pools.plan_version = terms.plan_version and pools.pool = events.value
  where pools.pool is null
)

select finding || ':' || record_id as finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number
from (
  select * from misplaced
  union all
  select * from unplanned
) as found
