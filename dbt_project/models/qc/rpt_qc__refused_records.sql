-- Grain: one row per refused record: where it stands, what is wrong with it and what to do. It belongs to no customer yet.
select
  batch_id || ':' || cast(row_number() over (
    partition by batch_id order by line_number nulls last, column_name nulls first, reason nulls last, raw_value nulls first, ticket_id nulls first
  ) as string) as refused_record_key,
  source,
  ticket_id,
  column_name,
  raw_value,
  reason,
  hint,
  source_file,
  line_number,
  batch_id
from {{ ref('stg_helpdesk__refused') }}
