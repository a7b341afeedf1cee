-- Grain: one row per recorded redemption of an assistance: as the contract records have it.
select
  redemption_id,
  customer_id,
  subscription_id,
  entitlement as pool,
  ticket_id,
  redeemed_at,
  source_file,
  line_number
from {{ source('raw', 'redemptions') }}
