-- Grain: one row per ticket that found its pool, and the one that it overflows to, used up when it was submitted.
-- What counts is what was known in that second: packs bought and not expired, units given back. A later credit changes the balance, not this.
with
lines as (
  select ticket_id, movement_kind, quantity, cause_kind from {{ ref('int_entitlements__overflowing_lines') }}
  union all
  select ticket_id, movement_kind, quantity, cause_kind from {{ ref('int_entitlements__receiving_lines') }}
)

select distinct ticket_id
from lines
where movement_kind = 'overage'
  and quantity > 0
  and cause_kind = 'ticket'
