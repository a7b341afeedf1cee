-- Grain: one row per customer, named representative and start of validity.
select
  customer_id || ':' || contact || ':' || cast(valid_from as varchar) as contact_key,
  customer_id,
  contact,
  valid_from,
  valid_to
from {{ source('raw', 'contacts') }}
