-- The spine is complete: no promise of any plan file may be missing on any ticket, also where nothing was promised or nothing happened.
with
obligations as (select distinct obligation from {{ source('raw', 'plan_obligations') }}),
expected as (
  select tickets.ticket_id, obligations.obligation
  from {{ ref('dim_tickets') }} as tickets
  cross join obligations
)

select expected.ticket_id, expected.obligation
from expected
left join {{ ref('fct_sla_obligations') }} as rows_found
  on rows_found.ticket_id = expected.ticket_id and rows_found.obligation = expected.obligation
where rows_found.ticket_id is null
