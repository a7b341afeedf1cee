-- Grain: one row per customer, named representative and start of validity.
select
  customer_id || ':' || contact || ':' || cast(valid_from as string) as contact_key,
  customer_id,
  contact,
  valid_from,
  valid_to,
  source_file,
  line_number
from {{ source('raw', 'contacts') }}
