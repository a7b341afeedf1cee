-- Grain: one row per source, column and reason for which records were refused.
select
  source || ':' || coalesce(column_name, '') || ':' || reason as refused_key,
  source,
  column_name,
  reason,
  count(*) as refused_count
from {{ ref('stg_helpdesk__refused') }}
group by source, column_name, reason
