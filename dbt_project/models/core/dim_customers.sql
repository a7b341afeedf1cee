-- Grain: one row per customer.
select
  customer_id,
  customer_name,
  time_zone,
  locale
from {{ source('raw', 'customers') }}
