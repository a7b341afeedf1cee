-- Grain: one row per person and span of time on one side, half-open, of a source.
-- The first exported version holds before it too. Versions of one instant, or without one, that contradict each other show no side and
-- no address: neither the order in which they landed nor their words say which of them is the later one.
with
people as (select * from {{ source('raw', 'people') }}),
roles as (select * from {{ ref('person_roles') }}),

versions as (
  select
    people.source,
    people.person_id,
    people.updated_at,
    case when count(distinct coalesce(roles.actor_kind, people.role)) = 1 then max(roles.actor_kind) end as actor_kind,
    case when count(distinct people.person) = 1 then max(people.person) end as person,
    case when count(distinct people.organization_id) = 1 then max(people.organization_id) end as organization_id
  from people
  left join roles on roles.role = people.role
  group by people.source, people.person_id, people.updated_at
)

select
  source,
  person_id,
  person,
  organization_id,
  actor_kind,
  -- Before this instant, or where there is none, the side is only what the person was when exported.
  updated_at as evidenced_from,
  case when row_number() over of_person = 1 then timestamp '1970-01-01 00:00:00' else updated_at end as valid_from,
  coalesce(lead(updated_at) over of_person, timestamp '{{ var("open_end") }}') as valid_to
from versions
window of_person as (partition by source, person_id order by updated_at nulls first)
