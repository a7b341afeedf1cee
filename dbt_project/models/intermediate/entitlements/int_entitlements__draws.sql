-- Grain: one row per change of what is drawn from a pool, at the instant at which it happened and as it was known then.
-- What a limited pool cannot carry when a ticket comes is drawn from the pool that it overflows to; a credit takes that back first. A pack of
-- the overflowing pool counts here until the term ends, also after it expired.
with
uses as (select * from {{ ref('int_entitlements__uses') }}),
credits as (select * from {{ ref('int_entitlements__credits') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),

changes as (
  select
    subscription_id, pool, ticket_id, cast(1 as bigint) as drawn_quantity, cast(0 as bigint) as supplied_quantity, happened_at,
    2 as change_rank, ticket_id as change_id
  from uses
  union all
  select subscription_id, pool, null, case movement_kind when 'credit' then -1 else 1 end, 0, happened_at, 1, event_id from credits
  union all
  select subscription_id, pool, null, 0, quantity, purchased_at, 0, purchase_id from purchases
),

running as (
  select
    changes.*,
    pools.overflows_to,
    not pools.is_unlimited and pools.is_stated and pools.overflows_to is not null as can_overflow,
    pools.quantity,
    sum(changes.drawn_quantity - changes.supplied_quantity) over (
      partition by changes.subscription_id, changes.pool order by changes.happened_at, changes.change_rank, changes.change_id
      rows between unbounded preceding and current row
    ) as drawn_after
  from changes
  join pools on pools.subscription_id = changes.subscription_id and pools.pool = changes.pool
),

split as (
  select
    running.*,
    case when can_overflow then
      greatest(drawn_after - quantity, 0) - greatest(drawn_after - drawn_quantity + supplied_quantity - quantity, 0)
    else 0 end as overflowed_quantity
  from running
)

select
  subscription_id,
  pool,
  ticket_id,
  change_id,
  change_rank,
  cast(drawn_quantity - overflowed_quantity as bigint) as drawn_quantity,
  happened_at
from split
where drawn_quantity <> overflowed_quantity
union all
select subscription_id, overflows_to, ticket_id, change_id, change_rank, cast(overflowed_quantity as bigint), happened_at
from split
where overflowed_quantity <> 0
