-- Grain: one row per ticket whose history calls custom fields by what people read, where sla.yml names the level's field by its id only.
-- Such a history does not say when the level changed.
select distinct changes.source, sources.ticket_prefix || changes.ticket_id as ticket_id
from {{ source('raw', 'ticket_changes') }} as changes
join {{ ref('stg_helpdesk__sources') }} as sources on sources.source = changes.source
where changes.is_custom_field
  and changes.field_id is null
  and sources.severity_name is null
  and sources.severity_field like 'customfield_%'
