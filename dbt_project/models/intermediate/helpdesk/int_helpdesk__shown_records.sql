-- Grain: one row per ticket of which an export shows messages or statuses: which of them.
-- A date in the ticket's own record is taken from its history; it does not show the history.
with
acts as (select * from {{ ref('int_helpdesk__acts') }} where act_kind in ('comment', 'created', 'changed', 'event')),
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }} where version_kind = 'update' and ticket_status is not null)

select
  source,
  ticket_id,
  max(case when event_type = 'message' then 1 else 0 end) as has_messages,
  max(case when event_type = 'status_changed' then 1 else 0 end) as has_statuses
from (
  select source, ticket_id, event_type from acts
  union all
  -- Each row of a log shows the status of its instant.
  select source, ticket_id, 'status_changed' as event_type from versions
) as shown
group by source, ticket_id
