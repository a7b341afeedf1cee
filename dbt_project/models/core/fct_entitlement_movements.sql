-- Grain: one row per movement of a pool of a subscription term: grants, purchases, uses, credits, reversals, overflow and expiry.
-- Overflow and expiry are booked with what is known at as_of. Their split into single lines belongs to the full ledger that comes later.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
term_sums as (select * from {{ ref('int_entitlements__term_sums') }}),
uses as (select * from {{ ref('int_entitlements__uses') }}),
credits as (select * from {{ ref('int_entitlements__credits') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),
redemptions as (select * from {{ source('raw', 'redemptions') }}),
pack_expiries as (select * from {{ ref('int_entitlements__pack_expiries') }}),

movements as (
  select
    subscription_id || ':' || pool || ':grant' as movement_id,
    customer_id, subscription_id, pool, 'grant' as movement_kind,
    cast(granted_quantity as bigint) as quantity,
    term_starts_at as happened_at, term_starts_at as known_at,
    cast(null as varchar) as ticket_id, cast(null as varchar) as undoes_movement_id,
    case when is_unlimited then 'unlimited in this term' when not is_stated then 'quantity not stated' else 'included in this term' end as reason,
    0 as movement_rank
  from term_sums
  where term_status <> 'upcoming'
  union all
  select
    'purchase:' || purchases.purchase_id, purchases.customer_id, purchases.subscription_id, purchases.pool, 'purchase',
    purchases.quantity, purchases.purchased_at, purchases.purchased_at, null, null, 'pack purchased', 1
  from purchases
  cross join build_inputs
  where purchases.purchased_at <= build_inputs.as_of
  union all
  select
    'use:' || ticket_id || ':' || pool, customer_id, subscription_id, pool, 'use',
    -1, happened_at, known_at, ticket_id, null, 'ticket submitted', 2
  from uses
  union all
  select
    'use:' || redemptions.redemption_id, redemptions.customer_id, redemptions.subscription_id, redemptions.entitlement, 'use',
    -1, redemptions.redeemed_at, redemptions.redeemed_at, redemptions.ticket_id, null, 'assistance redeemed', 2
  from redemptions
  cross join build_inputs
  where redemptions.redeemed_at <= build_inputs.as_of
  union all
  select
    movement_kind || ':' || ticket_id || ':' || cast(turn_number as varchar), customer_id, subscription_id, pool, movement_kind,
    case movement_kind when 'credit' then 1 else -1 end, happened_at, known_at, ticket_id,
    case movement_kind
      when 'credit' then 'use:' || ticket_id || ':' || pool
      else 'credit:' || ticket_id || ':' || cast(turn_number - 1 as varchar)
    end,
    reason, 3
  from credits
  union all
  select
    subscription_id || ':' || pool || ':overflow_out', customer_id, subscription_id, pool, 'overflow',
    cast(overflowed_out_quantity as bigint), least(term_ends_at, build_inputs.as_of), least(term_ends_at, build_inputs.as_of), null, null,
    'over the pool: taken from ' || overflows_to, 4
  from term_sums
  cross join build_inputs
  where overflowed_out_quantity > 0
  union all
  select
    subscription_id || ':' || pool || ':overflow_in', customer_id, subscription_id, pool, 'overflow',
    cast(-overflowed_in_quantity as bigint), least(term_ends_at, build_inputs.as_of), least(term_ends_at, build_inputs.as_of), null, null,
    'taken here from a pool that was used up', 4
  from term_sums
  cross join build_inputs
  where overflowed_in_quantity > 0
  union all
  select
    subscription_id || ':' || pool || ':expiry', customer_id, subscription_id, pool, 'expiry',
    cast(-term_expired_quantity as bigint), term_ends_at, term_ends_at, null, null, 'term ended', 5
  from term_sums
  where term_expired_quantity > 0
  union all
  select
    'expiry:' || purchase_id, customer_id, subscription_id, pool, 'expiry',
    -expired_quantity, expires_at, expires_at, null, 'purchase:' || purchase_id, 'pack expired', 5
  from pack_expiries
  where expired_quantity > 0
),

limited as (
  select subscription_id, pool from term_sums where not is_unlimited and is_stated
)

select
  movements.movement_id,
  movements.customer_id,
  movements.subscription_id,
  movements.pool,
  movements.movement_kind,
  movements.quantity,
  case when limited.pool is not null then cast(sum(movements.quantity) over (
    partition by movements.subscription_id, movements.pool
    order by movements.happened_at, movements.movement_rank, movements.movement_id
    rows between unbounded preceding and current row
  ) as bigint) end as balance_after,
  movements.movement_rank,
  movements.ticket_id,
  movements.undoes_movement_id,
  movements.reason,
  movements.happened_at,
  movements.known_at
from movements
left join limited on limited.subscription_id = movements.subscription_id and limited.pool = movements.pool
