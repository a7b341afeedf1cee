-- Grain: one row per recorded exception, in force or not.
select
  waiver_id,
  ticket_id,
  obligation,
  reason,
  requested_by,
  approved_by,
  approved_at,
  expires_at,
  source_file,
  line_number
from {{ source('raw', 'waivers') }}
