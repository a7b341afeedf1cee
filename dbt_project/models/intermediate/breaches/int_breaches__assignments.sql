-- Grain: one row per change of the group or the assignee of a ticket with a breach, once however often it was exported, in order.
-- The order decides who holds the ticket afterwards, and no second of a clock.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
tickets_with_breach as (
  select distinct ticket_id from {{ ref('int_promises__verdicts') }} where verdict = 'breached' {{ and_is_rebuilt() }}
),
acts as (
  select acts.*
  from {{ ref('int_helpdesk__acts') }} as acts
  join tickets_with_breach on tickets_with_breach.ticket_id = acts.ticket_id
  where acts.act_kind = 'assignment'
),

numbered as (
  {{ number_assignments('acts') }}
),

ordered as (
  select numbered.*, lag(value) over (partition by ticket_id, event_type order by change_number) as value_left
  from numbered
),

held as (
  select
    ordered.*,
    case when change_number = 1 then value_before else value_left end as held_before,
    -- Whom the ticket had before this change, however long ago.
    coalesce(
      max(value) over (
        partition by ticket_id, event_type order by change_number rows between unbounded preceding and 1 preceding
      ),
      max(case when change_number = 1 then value_before end) over (partition by ticket_id, event_type)
    ) is not null as was_held
  from ordered
)

select
  event_id,
  ticket_id,
  source,
  event_type,
  change_number,
  held_before,
  value as held_by,
  -- The first one to hold a ticket takes it over from no other.
  was_held and held_before is distinct from value as is_handover,
  actor_kind,
  {{ epoch_seconds('event_at') }} as changed_epoch,
  source_file,
  line_number,
  batch_id
from held
