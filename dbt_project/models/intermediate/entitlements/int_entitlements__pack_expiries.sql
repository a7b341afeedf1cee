-- Grain: one row per purchased pack that expired before its term ended, with the units that were still in it.
-- Included tickets are drawn first, then packs by earliest expiry. With Q_j the units of the first j packs to expire and V_j what had been
-- drawn beyond the grant by then, the units that expired up to pack k are max(0, max over j <= k of (Q_j - V_j)).
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
purchases as (select * from {{ source('raw', 'purchases') }}),
pools as (select * from {{ ref('int_entitlements__pools') }}),
draws as (select * from {{ ref('int_entitlements__draws') }}),

packs as (
  select
    purchases.purchase_id,
    purchases.customer_id,
    purchases.subscription_id,
    purchases.pool,
    purchases.quantity as pack_quantity,
    pools.quantity as granted_quantity,
    purchases.expires_at
  from purchases
  join pools on pools.subscription_id = purchases.subscription_id and pools.pool = purchases.pool
  cross join build_inputs
  where purchases.expires_at <= build_inputs.as_of
    and purchases.expires_at < pools.term_ends_at
    and not pools.is_unlimited
    and pools.is_stated
),

drawn as (
  select packs.purchase_id, coalesce(sum(draws.drawn_quantity), 0) as drawn_quantity
  from packs
  left join draws
    on draws.subscription_id = packs.subscription_id and draws.pool = packs.pool and draws.happened_at < packs.expires_at
  group by packs.purchase_id
),

beyond_grant as (
  select
    packs.*,
    sum(packs.pack_quantity) over expiring as packs_quantity,
    -- A unit that is given back after a pack expired does not fill that pack again.
    max(greatest(drawn.drawn_quantity - packs.granted_quantity, 0)) over expiring as drawn_beyond_grant
  from packs
  join drawn on drawn.purchase_id = packs.purchase_id
  window expiring as (
    partition by packs.subscription_id, packs.pool order by packs.expires_at, packs.purchase_id
    rows between unbounded preceding and current row
  )
),

cumulated as (
  select
    beyond_grant.*,
    max(greatest(packs_quantity - drawn_beyond_grant, 0)) over (
      partition by subscription_id, pool order by expires_at, purchase_id rows between unbounded preceding and current row
    ) as expired_until_now
  from beyond_grant
)

select
  purchase_id,
  customer_id,
  subscription_id,
  pool,
  cast(expired_until_now - coalesce(
    lag(expired_until_now) over (partition by subscription_id, pool order by expires_at, purchase_id), 0
  ) as bigint) as expired_quantity,
  expires_at
from cumulated
