-- Grain: one row per organization: the last version that was exported.
-- Versions of one instant, or without one, that name it differently show no name and no id.
with
organizations as (select * from {{ source('raw', 'organizations') }}),
ranked as (
  select
    source,
    organization_id,
    case when min(external_id) = max(external_id) then max(external_id) end as external_id,
    case when min(organization_name) = max(organization_name) then max(organization_name) end as organization_name,
    row_number() over (partition by source, organization_id order by updated_at desc nulls last) as version_rank
  from organizations
  group by source, organization_id, updated_at
)

select source, organization_id, external_id, organization_name
from ranked
where version_rank = 1
