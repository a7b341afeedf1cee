-- Grain: one row per breached obligation that a person touched, or may have touched, between the start of its clock and the first second over
-- its target.
-- A touch is a message (also an internal one), a change of status or level, or an assignment by a person on the vendor's side; the opening is
-- none. It is possible only where the side of the author is unknown, or where its instant is a window that reaches over the target.
with
verdicts as (select * from {{ ref('int_promises__verdicts') }} where verdict = 'breached' {{ and_is_rebuilt() }}),
acts as (
  select ticket_id, actor_kind, {{ epoch_seconds('event_at') }} as act_epoch, {{ epoch_seconds('coalesce(earliest_at, event_at)') }} as earliest_epoch
  from {{ ref('int_helpdesk__acts') }}
  where act_kind in ('comment', 'created', 'changed', 'event', 'assignment') and not is_opening and actor_kind in ('agent', 'unknown')
)

select
  verdicts.obligation_key,
  verdicts.ticket_id,
  min(case when acts.actor_kind = 'agent' and acts.act_epoch < verdicts.over_epoch then acts.act_epoch end) as first_touched_epoch,
  min(acts.earliest_epoch) as first_possible_epoch
from verdicts
join acts
  on acts.ticket_id = verdicts.ticket_id
  and acts.act_epoch >= verdicts.starts_epoch
  and acts.earliest_epoch < verdicts.over_epoch
group by verdicts.obligation_key, verdicts.ticket_id
