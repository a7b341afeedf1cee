-- Grain: one row per dated note of reference/annotations.csv.
select
  source_file || ':' || cast(line_number as string) as annotation_key,
  noted_on,
  substr(cast(noted_on as string), 1, 7) as month,
  note,
  customer_id,
  source_file,
  line_number
from {{ source('raw', 'annotations') }}
