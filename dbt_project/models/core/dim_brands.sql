-- Grain: one row per look of reports: the vendor's own, and one per customer that sla.yml gives another.
select
  coalesce('customer:' || customer_id, 'vendor') as brand_key,
  customer_id,
  vendor_name,
  sender,
  footer,
  logo_kind,
  logo_base64,
  logo_place,
  primary_colour,
  accent_colour
from {{ source('raw', 'brands') }}
