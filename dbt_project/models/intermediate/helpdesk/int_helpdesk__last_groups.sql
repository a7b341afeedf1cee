-- Grain: one row per ticket of which a source shows a change of its group: the group that had it last at as_of.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
acts as (select * from {{ ref('int_helpdesk__acts') }} where act_kind = 'assignment' and event_type = 'group_changed'),

numbered as (
  {{ number_assignments('acts') }}
),

ranked as (
  select ticket_id, value as group_name, change_number, max(change_number) over (partition by ticket_id) as last_number
  from numbered
)

select ticket_id, group_name from ranked where change_number = last_number
