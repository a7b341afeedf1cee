-- Grain: one row per ticket and batch with a message of it of which neither the export nor sla.yml says who can see it.
select distinct source, ticket_id, batch_id from {{ ref('int_helpdesk__acts') }} where is_unmarked
