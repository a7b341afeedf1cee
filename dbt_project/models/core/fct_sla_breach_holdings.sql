-- Grain: one row per breached obligation and interval of its clock in which one group and one assignee had the ticket.
select
  holdings.obligation_key || ':' || cast(holdings.holding_number as string) as holding_key,
  holdings.obligation_key,
  obligations.ticket_id,
  obligations.customer_id,
  cast(holdings.holding_number as integer) as holding_number,
  holdings.group_name,
  holdings.assignee,
  holdings.counted_seconds,
  holdings.counted_before_due_seconds,
  {{ instant_from_epoch('holdings.from_epoch') }} as held_from,
  {{ instant_from_epoch('holdings.to_epoch') }} as held_until
from {{ ref('int_breaches__holdings') }} as holdings
join {{ ref('fct_sla_obligations') }} as obligations
  on obligations.obligation_key = holdings.obligation_key and obligations.status = 'breached'
