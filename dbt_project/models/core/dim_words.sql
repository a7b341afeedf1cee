-- Grain: one row per word of the plans and calendars and language: what a report prints for it.
select
  word || ':' || language as word_key,
  word,
  language,
  label
from {{ source('raw', 'words') }}
