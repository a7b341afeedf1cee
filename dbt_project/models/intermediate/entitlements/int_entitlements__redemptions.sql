-- Grain: one row per redemption of a once-per-term assistance: from the redemption records, and from events of tickets that no record names.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
redemptions as (select * from {{ source('raw', 'redemptions') }}),
terms as (select * from {{ ref('int_entitlements__terms') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
told_redemptions as (select * from {{ ref('int_entitlements__told_redemptions') }}),

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
    'redemption:' || told_redemptions.ticket_id || ':' || told_redemptions.event_id as movement_id,
    'event' as cause_kind,
    told_redemptions.event_id as cause_id,
    terms.account_id as subscription_id,
    told_redemptions.pool,
    told_redemptions.ticket_id,
    told_redemptions.happened_at,
    told_redemptions.known_at
  from told_redemptions
  join terms on terms.subscription_id = told_redemptions.subscription_id
  left join recorded
    on recorded.ticket_id = told_redemptions.ticket_id
    and recorded.pool = told_redemptions.pool
    and recorded.subscription_id = terms.account_id
  where recorded.movement_id is null
),

-- Saying it twice of one ticket redeems it once.
redeemed as (
  select * from recorded
  union all
  select movement_id, cause_kind, cause_id, subscription_id, pool, ticket_id, happened_at, known_at
  from (
    select
      told.*,
      row_number() over (partition by told.ticket_id, told.pool order by told.happened_at nulls last, told.cause_id nulls last) as telling_number
    from told
  ) as numbered
  where telling_number = 1
)

select redeemed.*, pools.customer_id
from redeemed
join pools on pools.subscription_id = redeemed.subscription_id and pools.pool = redeemed.pool and pools.is_redeemed
