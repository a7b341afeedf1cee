-- Grain: one row per ticket that found its pool used up when it was submitted, with nowhere to overflow to.
-- What counts is what was known in that second: packs bought and units given back by then. A later credit changes the balance, not this.
with
uses as (select * from {{ ref('int_entitlements__uses') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
credits as (select * from {{ ref('int_entitlements__credits') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),

movements as (
  select subscription_id, pool, ticket_id, 0 as returned_quantity, 1 as used_quantity, happened_at, 1 as movement_rank from uses
  union all
  select subscription_id, pool, null, quantity, 0, purchased_at, 0 from purchases
  union all
  select subscription_id, pool, null, case movement_kind when 'credit' then 1 else -1 end, 0, happened_at, 0 from credits
),

running as (
  select
    movements.*,
    sum(used_quantity - returned_quantity) over (
      partition by subscription_id, pool order by happened_at, movement_rank, ticket_id
      rows between unbounded preceding and current row
    ) as drawn_quantity
  from movements
)

select distinct running.ticket_id
from running
join pools on pools.subscription_id = running.subscription_id and pools.pool = running.pool
where running.ticket_id is not null
  and not pools.is_unlimited
  and pools.is_stated
  and pools.overflows_to is null
  and running.drawn_quantity > pools.quantity
