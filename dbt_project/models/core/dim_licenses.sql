-- Grain: one row per dated status of a subscription's licence; outside of these dates the status of the term holds. Half-open.
select
  subscription_id,
  license_status,
  valid_from,
  valid_to,
  source_file,
  line_number
from {{ source('raw', 'licenses') }}
