-- Grain: one row per breached obligation whose ticket was handed over between the start of its clock and the first second over its target.
with
verdicts as (select * from {{ ref('int_promises__verdicts') }} where verdict = 'breached' {{ and_is_rebuilt() }}),
assignments as (select * from {{ ref('int_breaches__assignments') }} where is_handover),
holdings as (select * from {{ ref('int_breaches__holdings') }}),

handovers as (
  select
    verdicts.obligation_key,
    verdicts.ticket_id,
    count(distinct assignments.changed_epoch) as handover_count,
    max(assignments.changed_epoch) as last_handover_epoch
  from verdicts
  join assignments
    on assignments.ticket_id = verdicts.ticket_id
    and assignments.changed_epoch > verdicts.starts_epoch
    and assignments.changed_epoch < verdicts.over_epoch
  group by verdicts.obligation_key, verdicts.ticket_id
)

select
  handovers.obligation_key,
  handovers.ticket_id,
  handovers.handover_count,
  handovers.last_handover_epoch,
  cast(coalesce(sum(holdings.counted_before_due_seconds), 0) as bigint) as counted_before_handover_seconds
from handovers
left join holdings
  on holdings.obligation_key = handovers.obligation_key and holdings.from_epoch < handovers.last_handover_epoch
group by handovers.obligation_key, handovers.ticket_id, handovers.handover_count, handovers.last_handover_epoch
