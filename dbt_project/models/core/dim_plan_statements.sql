-- Grain: one row per plan version and rule or reading in words: what a report lists beside its figures.
select
  plan_version || ':' || statement as plan_statement_key,
  plan_version,
  statement,
  value as statement_value,
  clause,
  clause_text,
  note,
  is_reading
from {{ source('raw', 'plan_statements') }}
