-- Grain: one row per change of a pool that a record stands for: grants, purchases, uses, redemptions, credits and reversals up to as_of.
-- What follows from them (overflow, overage, expiry) is worked out from here on. change_rank is the order within one instant: what is
-- granted comes first (0), then packs end (1), packs are bought (2), packs go on into the next term (3), units come back (4), units are
-- drawn (5), those of the same second come back (6), and the term ends (7).
with
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
uses as (select * from {{ ref('int_entitlements__uses') }}),
redemptions as (select * from {{ ref('int_entitlements__redemptions') }}),
credits as (select * from {{ ref('int_entitlements__credits') }})

select
  supply_id as movement_id,
  customer_id,
  subscription_id,
  pool,
  movement_kind,
  quantity,
  case movement_kind when 'grant' then 0 else 2 end as change_rank,
  supply_id as change_id,
  cause_kind,
  cause_id,
  cast(null as string) as ticket_id,
  cast(null as string) as undoes_movement_id,
  reason,
  supplied_at as happened_at,
  supplied_at as known_at
from supplies
union all
select
  'use:' || ticket_id, customer_id, subscription_id, pool, 'use', -1, 5, ticket_id, 'ticket', ticket_id, ticket_id, null, 'ticket submitted',
  happened_at, known_at
from uses
union all
select
  movement_id, customer_id, subscription_id, pool, 'use', -1, 5, movement_id, cause_kind, cause_id, ticket_id, null, 'assistance redeemed',
  happened_at, known_at
from redemptions
union all
select
  movement_id, customer_id, subscription_id, pool, movement_kind, case movement_kind when 'credit' then 1 else -1 end,
  case when is_in_second_of_use then 6 else 4 end, ticket_id || ' ' || lpad(cast(turn_number as string), 6, '0'), cause_kind,
  cause_id, ticket_id, undoes_movement_id, reason, happened_at, known_at
from credits
