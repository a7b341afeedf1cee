-- Grain: one row per ticket that found its pool, and the one that it overflows to, used up when it was submitted.
-- What counts is what was known in that second: packs bought and not expired, units given back. A later credit changes the balance, not this.
with
draws as (select * from {{ ref('int_entitlements__draws') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),
pack_expiries as (select * from {{ ref('int_entitlements__pack_expiries') }}),

changes as (
  select subscription_id, pool, ticket_id, drawn_quantity, happened_at, change_rank, change_id from draws
  union all
  select subscription_id, pool, null, -quantity, purchased_at, 0, purchase_id from purchases
  union all
  select subscription_id, pool, null, expired_quantity, expires_at, 0, purchase_id from pack_expiries
),

running as (
  select
    changes.*,
    sum(drawn_quantity) over (
      partition by subscription_id, pool order by happened_at, change_rank, change_id
      rows between unbounded preceding and current row
    ) as drawn_after
  from changes
)

select distinct running.ticket_id
from running
join pools on pools.subscription_id = running.subscription_id and pools.pool = running.pool
where running.ticket_id is not null
  and not pools.is_unlimited
  and pools.is_stated
  and running.drawn_after > pools.quantity
