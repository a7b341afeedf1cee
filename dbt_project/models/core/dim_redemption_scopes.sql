-- Grain: one row per recorded redemption and item that it says it covered, beside what the plan of its term says of that item.
with
redemption_scopes as (select * from {{ source('raw', 'redemption_scopes') }}),
redemptions as (select * from {{ source('raw', 'redemptions') }}),
terms as (select * from {{ ref('int_entitlements__terms') }}),
plan_scopes as (select * from {{ source('raw', 'plan_scopes') }}),
scoped_pools as (select distinct plan_version, pool from plan_scopes)

select
  redemption_scopes.redemption_id || ':' || redemption_scopes.scope_item as redemption_scope_key,
  redemption_scopes.redemption_id,
  redemption_scopes.scope_item,
  redemption_scopes.quantity as covered_quantity,
  plan_scopes.maximum_quantity,
  plan_scopes.scope_item is not null as is_item_named,
  scoped_pools.pool is not null as is_scope_stated
from redemption_scopes
join redemptions on redemptions.redemption_id = redemption_scopes.redemption_id
join terms on terms.subscription_id = redemptions.subscription_id
left join plan_scopes
  on plan_scopes.plan_version = terms.plan_version
  and plan_scopes.pool = redemptions.entitlement
  and plan_scopes.scope_item = redemption_scopes.scope_item
left join scoped_pools on scoped_pools.plan_version = terms.plan_version and scoped_pools.pool = redemptions.entitlement
