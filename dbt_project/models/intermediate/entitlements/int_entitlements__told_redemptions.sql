-- Grain: one row per event of a ticket within a term that says that a once-per-term assistance was redeemed.
with
events as (select * from {{ ref('int_helpdesk__events') }} where event_type = 'assistance_redeemed'),
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }} where subscription_id is not null)

select
  events.ticket_id,
  events.event_id,
  ticket_terms.subscription_id,
  events.value as pool,
  events.event_at as happened_at,
  events.known_at
from events
join ticket_terms on ticket_terms.ticket_id = events.ticket_id
