-- Grain: one row per person of a mapped source: the last version that was exported.
with
people as (select * from {{ source('raw', 'canonical_people') }}),
batches as (select * from {{ source('raw', 'batches') }}),
ranked as (
  select
    people.*,
    row_number() over (
      partition by people.source, people.person_id order by batches.landed_at desc, people.batch_id desc, people.line_number desc
    ) as version_rank
  from people
  join batches on batches.batch_id = people.batch_id
)

select source, person_id, person, actor_kind
from ranked
where version_rank = 1
