-- Grain: one row per organization: the last version that was exported.
with
organizations as (select * from {{ source('raw', 'organizations') }}),
ranked as (
  select
    organizations.*,
    row_number() over (
      partition by organizations.source, organizations.organization_id
      order by organizations.updated_at desc nulls last, organizations.batch_id desc, organizations.line_number desc
    ) as version_rank
  from organizations
)

select source, organization_id, external_id, organization_name
from ranked
where version_rank = 1
