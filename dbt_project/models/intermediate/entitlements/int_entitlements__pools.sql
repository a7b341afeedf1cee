-- Grain: one row per account and pool that tickets draw on or that is redeemed once per term. An account is a subscription term, or several
-- that were declared to stack: it begins with the first and ends with the last of them, and has the plan version of the first.
with
terms as (select * from {{ ref('int_entitlements__terms') }}),
entitlements as (select * from {{ source('raw', 'plan_entitlements') }}),
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),

accounts as (
  select
    account_id,
    max(customer_id) as customer_id,
    min(term_starts_on) as account_starts_on,
    max(term_ends_on) as account_ends_on,
    min(term_starts_at) as account_starts_at,
    max(term_ends_at) as account_ends_at
  from terms
  group by account_id
),

bought as (
  select terms.account_id, terms.customer_id, purchases.pool, purchases.purchased_at, purchases.expires_at, purchases.returned_at
  from purchases
  join terms on terms.subscription_id = purchases.subscription_id
  cross join build_inputs
  where purchases.purchased_at <= build_inputs.as_of
),

-- A pack supplies the account that it was bought for, and every later one of the customer that begins before the pack's own end.
supplied as (
  select account_id, pool from bought
  union
  select later.account_id, bought.pool
  from bought
  join accounts as homes on homes.account_id = bought.account_id
  join accounts as later on later.customer_id = bought.customer_id and later.account_starts_at >= homes.account_ends_at
  cross join build_inputs
  where later.account_starts_at < bought.expires_at
    and bought.purchased_at < later.account_ends_at
    and later.account_starts_at <= build_inputs.as_of
    and (bought.returned_at is null or bought.returned_at > later.account_starts_at or bought.returned_at > build_inputs.as_of)
)

select
  terms.subscription_id,
  terms.customer_id,
  terms.plan,
  terms.plan_version,
  terms.time_zone,
  case
    when build_inputs.as_of < accounts.account_starts_at then 'upcoming'
    when build_inputs.as_of < accounts.account_ends_at then 'current'
    else 'ended'
  end as term_status,
  accounts.account_starts_on as term_starts_on,
  accounts.account_ends_on as term_ends_on,
  accounts.account_starts_at as term_starts_at,
  accounts.account_ends_at as term_ends_at,
  entitlements.pool,
  -- Where the plan states no number, the customer's contract may: as a purchase into the pool. Then the plan adds none to it.
  case when not entitlements.is_stated and supplied.pool is not null then cast(0 as bigint) else entitlements.quantity end as quantity,
  entitlements.is_unlimited,
  entitlements.is_stated or supplied.pool is not null as is_stated,
  not entitlements.is_unlimited and (entitlements.is_stated or supplied.pool is not null) as is_limited,
  entitlements.is_redeemed,
  entitlements.overflows_to
from terms
join accounts on accounts.account_id = terms.subscription_id
cross join build_inputs
join entitlements on entitlements.plan_version = terms.plan_version
left join supplied on supplied.account_id = terms.subscription_id and supplied.pool = entitlements.pool
where not terms.is_stacked
