-- Grain: one row per user: the last version that was exported.
with
users as (select * from {{ source('raw', 'zendesk_users') }}),
ranked as (
  select
    users.*,
    row_number() over (
      partition by users.source, users.user_id order by users.updated_at desc nulls last, users.batch_id desc, users.line_number desc
    ) as version_rank
  from users
)

select source, user_id, role, person, organization_id
from ranked
where version_rank = 1
