-- Grain: one row per person and stretch of time in one role, half-open, of a source.
-- The first exported version holds before it too. Two versions of one instant that name different roles name none.
with
people as (select * from {{ source('raw', 'people') }}),
roles as (select * from {{ ref('person_roles') }}),

versions as (
  select
    people.source,
    people.person_id,
    people.updated_at,
    case when count(distinct people.role) = 1 then max(people.role) end as role,
    max(people.person) as person,
    max(people.organization_id) as organization_id
  from people
  group by people.source, people.person_id, people.updated_at
)

select
  versions.source,
  versions.person_id,
  versions.person,
  versions.organization_id,
  roles.actor_kind,
  case when row_number() over of_person = 1 then timestamp '1970-01-01 00:00:00' else versions.updated_at end as valid_from,
  coalesce(lead(versions.updated_at) over of_person, timestamp '{{ var("open_end") }}') as valid_to
from versions
left join roles on roles.role = versions.role
window of_person as (partition by versions.source, versions.person_id order by versions.updated_at nulls first)
