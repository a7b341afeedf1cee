-- Grain: one row per breached obligation, with the one class that says why: the first of the seed breach_classes that holds.
-- What made the promise stricter or came beyond the plan stands before how the ticket was worked on. Everything is read at the first second
-- over the target, so that a class does not change while the ticket goes on. A class that rests on what did not happen needs evidence that it
-- would be seen; where there is none, the class is evidence_missing.
with
obligations as (select * from {{ ref('fct_sla_obligations') }} where status = 'breached'),
tickets as (select * from {{ ref('dim_tickets') }}),
over_quota_tickets as (select * from {{ ref('int_entitlements__over_quota_tickets') }}),
touches as (select * from {{ ref('int_breaches__touches') }}),
handovers as (select * from {{ ref('int_breaches__handovers') }})

select
  obligations.obligation_key,
  obligations.ticket_id,
  obligations.customer_id,
  obligations.plan,
  obligations.plan_version,
  obligations.obligation,
  obligations.obligation_kind,
  obligations.cycle_number,
  obligations.severity_submitted,
  obligations.severity_in_force,
  obligations.severity_decided,
  obligations.time_zone,
  case
    when over_quota_tickets.ticket_id is not null then 'over_quota'
    when obligations.severity_decided > obligations.severity_submitted
      and obligations.status_as_submitted in ('met', 'pending', 'not_covered') then 'severity_raised'
    when touches.obligation_key is null and tickets.is_messages_observed and tickets.is_assignments_observed then 'no_first_touch'
    when touches.first_touched_epoch is not null
      and handovers.counted_before_handover_seconds > obligations.target_seconds - handovers.counted_before_handover_seconds
      then 'between_teams'
    when touches.first_touched_epoch is not null and tickets.is_assignments_observed then 'worked_on_late'
    else 'evidence_missing'
  end as breach_class,
  obligations.status_as_submitted,
  obligations.target_seconds,
  obligations.elapsed_seconds,
  handovers.counted_before_handover_seconds,
  coalesce(handovers.handover_count, case when tickets.is_assignments_observed then 0 end) as handover_count,
  over_quota_tickets.ticket_id is not null as is_over_quota,
  tickets.is_messages_observed,
  tickets.is_assignments_observed,
  {{ instant_from_epoch('touches.first_touched_epoch') }} as first_touched_at,
  {{ instant_from_epoch('handovers.last_handover_epoch') }} as last_handover_at,
  obligations.breached_at,
  obligations.compliance_month,
  obligations.as_of
from obligations
join tickets on tickets.ticket_id = obligations.ticket_id
left join over_quota_tickets on over_quota_tickets.ticket_id = obligations.ticket_id
left join touches on touches.obligation_key = obligations.obligation_key
left join handovers on handovers.obligation_key = obligations.obligation_key
