-- Grain: one row per redemption of a once-per-term assistance: from the redemption records, and from events of tickets that no record names.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
redemptions as (select * from {{ source('raw', 'redemptions') }}),
terms as (select * from {{ ref('int_entitlements__terms') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }}),

recorded as (
  select
    'redemption:' || redemptions.redemption_id as movement_id,
    'redemption' as cause_kind,
    redemptions.redemption_id as cause_id,
    terms.account_id as subscription_id,
    redemptions.entitlement as pool,
    redemptions.ticket_id,
    redemptions.redeemed_at as happened_at,
    redemptions.redeemed_at as known_at
  from redemptions
  join terms on terms.subscription_id = redemptions.subscription_id
  cross join build_inputs
  where redemptions.redeemed_at <= build_inputs.as_of
),

told as (
  select
    'redemption:' || events.ticket_id || ':' || events.event_id as movement_id,
    'event' as cause_kind,
    events.event_id as cause_id,
    terms.account_id as subscription_id,
    events.value as pool,
    events.ticket_id,
    events.event_at as happened_at,
    events.known_at
  from events
  join ticket_terms on ticket_terms.ticket_id = events.ticket_id
  join terms on terms.subscription_id = ticket_terms.subscription_id
  left join recorded
    on recorded.ticket_id = events.ticket_id
    and recorded.pool = events.value
    and recorded.subscription_id = terms.account_id
  where events.event_type = 'assistance_redeemed'
    and recorded.movement_id is null
),

-- Saying it twice of one ticket redeems it once.
redeemed as (
  select * from recorded
  union all
  select movement_id, cause_kind, cause_id, subscription_id, pool, ticket_id, happened_at, known_at
  from (
    select
      told.*,
      row_number() over (partition by told.ticket_id, told.pool order by told.happened_at, told.cause_id) as telling_number
    from told
  ) as numbered
  where telling_number = 1
)

select redeemed.*, pools.customer_id
from redeemed
join pools on pools.subscription_id = redeemed.subscription_id and pools.pool = redeemed.pool and pools.is_redeemed
