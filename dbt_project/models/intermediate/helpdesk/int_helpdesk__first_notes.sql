-- Grain: one row per author of a source who ever wrote an internal note: the first one. A customer can write none.
with
notes as (
  select source, author_id, event_at as first_noted_at
  from {{ ref('stg_helpdesk__messages') }}
  where message_kind = 'comment' and not is_public and author_id is not null
  {{ and_rows_of_basis('int_helpdesk__first_notes', 'source, author_id, first_noted_at') }}
)

select source, author_id, min(first_noted_at) as first_noted_at
from notes
group by source, author_id
