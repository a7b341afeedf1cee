-- A ticket whose last status is open stands in the backlog at as_of, and no other one.
with
tickets as (select * from {{ ref('dim_tickets') }} where is_statuses_observed {{ and_is_rebuilt() }}),
phases as (select * from {{ ref('ticket_statuses') }}),
ticket_ends as (select * from {{ ref('int_helpdesk__ends') }}),
spans as (select * from {{ ref('fct_ticket_open_spans') }} where end_kind = 'open')

select tickets.ticket_id
from tickets
left join phases on phases.ticket_status = tickets.ticket_status
left join ticket_ends on ticket_ends.ticket_id = tickets.ticket_id
left join spans on spans.ticket_id = tickets.ticket_id
where (spans.ticket_id is not null)
  <> (ticket_ends.ticket_id is null and (tickets.ticket_status is null or coalesce(phases.phase, '-') in ('running', 'waiting')))
