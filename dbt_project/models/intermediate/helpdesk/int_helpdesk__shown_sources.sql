-- Grain: one row per source whose exports show any message, status, change or assignment: which of them.
with
records as (select * from {{ ref('int_helpdesk__shown_records') }}),
steps as (select * from {{ ref('int_helpdesk__history_steps') }} where act_kind = 'changed'),
assignments as (select * from {{ ref('int_helpdesk__acts') }} where act_kind = 'assignment'),

shown as (
  select source, has_messages, has_statuses, 0 as has_changes, 0 as has_assignments from records
  union all
  select source, 0, 0, 1, 0 from steps
  union all
  select source, 0, 0, 0, 1 from assignments
  {{ and_rows_of_basis('int_helpdesk__shown_sources', 'source, has_messages, has_statuses, has_changes, has_assignments') }}
)

select
  source,
  max(has_messages) as has_messages,
  max(has_statuses) as has_statuses,
  max(has_changes) as has_changes,
  max(has_assignments) as has_assignments
from shown
group by source
