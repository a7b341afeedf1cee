-- Grain: one row per purchased pack, counted or not: as the contract records have it.
select
  purchase_id,
  customer_id,
  subscription_id,
  pool,
  quantity,
  purchased_at,
  expires_at,
  returned_at,
  source_file,
  line_number
from {{ source('raw', 'purchases') }}
