-- Grain: one row per ticket whose exports also name it by the id of its record.
select source, record_id, min(ticket_id) as ticket_id
from {{ source('raw', 'ticket_versions') }}
where record_id is not null
group by source, record_id
