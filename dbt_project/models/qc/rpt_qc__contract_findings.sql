-- Grain: one row per contract row (term or purchase) that contradicts another one or its plan, and kind of contradiction.
with
builds as (select * from {{ ref('dim_builds') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
purchases as (select * from {{ ref('dim_purchases') }}),
pools as (select * from {{ ref('dim_plan_pools') }}),

-- A pack is bought for an account: terms that stack share one.
accounts as (
  select account_id, min(term_starts_at) as account_starts_at, max(term_ends_at) as account_ends_at from terms group by account_id
),

successions as (
  select
    terms.*,
    lag(subscription_id) over (partition by customer_id order by term_starts_at nulls last, subscription_id nulls last) as earlier_id,
    lag(license_status) over (partition by customer_id order by term_starts_at nulls last, subscription_id nulls last) as earlier_status,
    lag(term_ends_on) over (partition by customer_id order by term_starts_at nulls last, subscription_id nulls last) as earlier_ends_on
  from terms
),

term_findings as (
  select
    'active_license_after_cancelled' as finding,
    subscription_id,
    customer_id,
    'license active, but the term before it, ' || earlier_id || ' until ' || cast(earlier_ends_on as string) || ', is cancelled' as evidence,
    'none: the tickets of this term are judged and counted, those of the cancelled one are not' as effect,
    subscription_id as record_id,
    source_file,
    line_number
  from successions
  where license_status = 'active' and earlier_status = 'cancelled'
  union all
  select
    'no_plan_version_at_start',
    subscription_id,
    customer_id,
    'plan ' || plan || ' has no version in force on ' || cast(term_starts_on as string),
    'the term has no pools; until a version is in force its tickets are not covered',
    subscription_id,
    source_file,
    line_number
  from terms
  where plan_version is null
  union all
  select
    'term_ends_a_day_early',
    subscription_id,
    customer_id,
    'the term before it, ' || earlier_id || ', has ' || cast(earlier_ends_on as string) || ' as term_ends_on, this one begins on '
    || cast(term_starts_on as string),
    'tickets of ' || cast(earlier_ends_on as string) || ' are not covered: term_ends_on is the first day after a term; write '
    || cast(term_starts_on as string) || ' there if the two follow each other',
    subscription_id,
    source_file,
    line_number
  from successions
  where {{ epoch_seconds('cast(term_starts_on as timestamp)') }} - {{ epoch_seconds('cast(earlier_ends_on as timestamp)') }} = {{ var("day_seconds") }}
  union all
  select
    'contract_contradicts',
    subscription_id,
    customer_id,
    contradiction,
    'no ticket of the customer is covered or counted until one of the lines is corrected',
    subscription_id,
    source_file,
    line_number
  from terms
  where contradiction is not null
),

judged_purchases as (
  select
    purchases.*,
    terms.plan_version,
    terms.term_starts_on,
    terms.term_ends_on,
    case
      when pools.pool is null and terms.plan_version is not null then 'purchase_into_absent_pool'
      when purchases.purchased_at < accounts.account_starts_at then 'purchase_before_term'
      when purchases.purchased_at >= accounts.account_ends_at then 'purchase_after_term'
      when pools.is_unlimited then 'purchase_into_unlimited_pool'
    end as finding
  from purchases
  cross join builds
  join terms on terms.subscription_id = purchases.subscription_id
  join accounts on accounts.account_id = terms.account_id
  left join pools on pools.plan_version = terms.plan_version and pools.pool = purchases.pool
  where purchases.purchased_at <= builds.as_of
),

purchase_findings as (
  select
    finding,
    subscription_id,
    customer_id,
    'purchase ' || purchase_id || ' of ' || cast(quantity as string) || ' ' || pool || ' at ' || cast(purchased_at as string)
    || coalesce(', expires ' || cast(expires_at as string), '') || '; the term runs ' || cast(term_starts_on as string) || ' to '
    || cast(term_ends_on as string) || ' under ' || coalesce(plan_version, 'no plan version') as evidence,
    case finding
      when 'purchase_into_absent_pool' then 'the units count nowhere'
      when 'purchase_before_term' then 'the units are in the balance of the term, from the day of the purchase on'
      when 'purchase_after_term' then case
        when expires_at is null then 'the units were bought for a term that had ended, so they expire at once'
        else 'the units can be drawn in a later term of the customer, until the pack ends'
      end
      else 'none: the pool has no limit that they could raise'
    end as effect,
    purchase_id as record_id,
    source_file,
    line_number
  from judged_purchases
  where finding is not null
)

select
  finding || ':' || record_id as finding_key,
  finding,
  cast(null as string) as ticket_id,
  customer_id,
  subscription_id,
  evidence,
  effect,
  source_file,
  line_number
from (
  select * from term_findings
  union all
  select * from purchase_findings
) as found
