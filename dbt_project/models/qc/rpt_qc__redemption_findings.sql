-- Grain: one row per redemption of an assistance that goes beyond the plan: one too many in its term, or, per item, more than one covers.
with
builds as (select * from {{ ref('dim_builds') }}),
events as (select * from {{ ref('fct_ticket_events') }} where event_type = 'assistance_redeemed'),
balances as (select * from {{ ref('fct_entitlement_balances') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),
scopes as (select * from {{ ref('dim_redemption_scopes') }}),

redemptions as (
  select
    recorded.redemption_id,
    recorded.customer_id,
    recorded.subscription_id,
    recorded.pool,
    recorded.ticket_id,
    recorded.source_file,
    recorded.line_number
  from {{ ref('dim_redemptions') }} as recorded
  cross join builds
  where recorded.redeemed_at <= builds.as_of
),

-- The plan says once per term; where a number is stated or bought, that many.
numbered as (
  select
    movements.*,
    balances.is_stated,
    case when balances.is_stated then balances.granted_quantity + balances.purchased_quantity else 1 end as supplied_quantity,
    row_number() over (partition by movements.subscription_id, movements.pool order by movements.happened_at nulls last, movements.movement_id nulls last) as redemption_number
  from movements
  join balances on balances.subscription_id = movements.subscription_id and balances.pool = movements.pool
  where movements.movement_kind = 'use'
    and movements.cause_kind in ('redemption', 'event')
    and not balances.is_unlimited
    and balances.term_status <> 'upcoming'
),

too_often as (
  select
    'redeemed_too_often' as finding,
    numbered.movement_id as record_id,
    numbered.ticket_id,
    numbered.customer_id,
    numbered.subscription_id,
    numbered.pool || ' redeemed at ' || cast(numbered.happened_at as string) || ', as number ' || cast(numbered.redemption_number as string)
    || ' of the term; ' || case when numbered.is_stated then 'plan and contract supply ' || cast(numbered.supplied_quantity as string)
      else 'the plan says once per term, and no contract record says more' end as evidence,
    case when numbered.is_stated then 'it is counted as used, and shown as overage'
      else 'it is counted as used; there is no stated number that it could exceed in the balance' end as effect,
    coalesce(redemptions.source_file, events.source_file) as source_file,
    coalesce(redemptions.line_number, events.line_number) as line_number
  from numbered
  left join redemptions on numbered.cause_kind = 'redemption' and redemptions.redemption_id = numbered.cause_id
  left join events on numbered.cause_kind = 'event' and events.ticket_id = numbered.ticket_id and events.event_id = numbered.cause_id
  where numbered.redemption_number > numbered.supplied_quantity
),

beyond_scope as (
  select
    'redeemed_beyond_scope',
    scopes.redemption_scope_key,
    redemptions.ticket_id,
    redemptions.customer_id,
    redemptions.subscription_id,
    redemptions.pool || ' covered ' || cast(scopes.covered_quantity as string) || ' ' || scopes.scope_item || '; '
    || case when scopes.is_item_named then 'the plan says up to ' || cast(scopes.maximum_quantity as string)
      else 'the plan names none for it' end,
    'none: it is counted as one redemption, whatever it covered',
    redemptions.source_file,
    redemptions.line_number
  from scopes
  join redemptions on redemptions.redemption_id = scopes.redemption_id
  where scopes.covered_quantity > scopes.maximum_quantity
    or (scopes.is_scope_stated and not scopes.is_item_named and scopes.covered_quantity > 0)
)

select finding || ':' || record_id as finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number
from (
  select * from too_often
  union all
  select * from beyond_scope
) as found
