-- Grain: one row per ticket of which a source shows a change of its group: the group that had it last at as_of.
-- The order within one second is that of int_breaches__assignments.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
acts as (select * from {{ ref('int_helpdesk__acts') }} where act_kind = 'assignment' and event_type = 'group_changed'),

copies as (
  select
    acts.*,
    cast(nullif(regexp_extract(acts.update_id, '^(.*?)([0-9]{1,38})$', 2), '') as decimal(38, 0)) as id_number,
    row_number() over (
      partition by acts.source, acts.event_id
      order by
        acts.version_at desc nulls last, acts.event_at nulls last, coalesce(acts.value_before, ''), coalesce(acts.value, ''),
        acts.batch_id nulls last, acts.line_number nulls last
    ) as copy_rank
  from acts
  cross join build_inputs
  where acts.event_at <= build_inputs.as_of
),

ranked as (
  select
    ticket_id,
    value as group_name,
    row_number() over (
      partition by ticket_id
      order by
        event_at desc, update_number desc nulls first, id_number desc nulls first, line_number desc, place desc nulls last, event_id desc
    ) as change_rank
  from copies
  where copy_rank = 1
)

select ticket_id, group_name from ranked where change_rank = 1
