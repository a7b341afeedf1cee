-- Grain: one row per update that created a ticket.
select distinct changes.source, changes.update_id, sources.ticket_prefix || changes.ticket_id as ticket_id
from {{ source('raw', 'ticket_changes') }} as changes
join {{ ref('stg_helpdesk__sources') }} as sources on sources.source = changes.source
where changes.change_kind = 'created'
