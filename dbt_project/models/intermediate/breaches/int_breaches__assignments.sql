-- Grain: one row per change of the group or the assignee of a ticket with a breach, once however often it was exported, in order.
-- Within one second the order is that of the number of the update, of numeric ids, and of the rows of a file. It decides who holds the
-- ticket afterwards, and no second of a clock.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
tickets_with_breach as (
  select distinct ticket_id from {{ ref('int_promises__verdicts') }} where verdict = 'breached' {{ and_is_rebuilt() }}
),
acts as (select * from {{ ref('int_helpdesk__acts') }} where act_kind = 'assignment'),

copies as (
  select
    acts.*,
    cast(nullif(regexp_extract(acts.update_id, '^(.*?)([0-9]{1,38})$', 2), '') as decimal(38, 0)) as id_number,
    row_number() over (
      partition by acts.source, acts.event_id
      order by
        acts.version_at desc nulls last, acts.event_at nulls last, coalesce(acts.value_before, ''), coalesce(acts.value, ''), acts.batch_id nulls last, acts.line_number nulls last
    ) as copy_rank
  from acts
  join tickets_with_breach on tickets_with_breach.ticket_id = acts.ticket_id
  cross join build_inputs
  where acts.event_at <= build_inputs.as_of
),

ordered as (
  select
    copies.*,
    row_number() over of_kind as change_number,
    lag(value) over of_kind as value_left
  from copies
  where copy_rank = 1
  window of_kind as (
    partition by ticket_id, event_type
    order by event_at nulls last, update_number nulls last, id_number nulls last, line_number nulls last, place nulls first, event_id nulls last
  )
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
