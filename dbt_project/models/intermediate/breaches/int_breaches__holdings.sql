-- Grain: one row per breached obligation and interval of the time that its clock is read in which one group and one assignee had the ticket.
-- The counted seconds of an obligation sum to its elapsed_seconds, those before it was due to its target. An interval is read at its two ends,
-- so it costs the same whether it lasts a minute or a year.
with
verdicts as (select * from {{ ref('int_promises__verdicts') }} where verdict = 'breached' {{ and_is_rebuilt() }}),
pauses as (select * from {{ ref('int_promises__pauses') }}),
clocks as (select * from {{ source('raw', 'clocks') }}),
assignments as (select * from {{ ref('int_breaches__assignments') }}),

-- Of several changes of one second the last one counts.
settled as (
  select
    assignments.*,
    row_number() over (partition by ticket_id, event_type, changed_epoch order by change_number desc) as change_rank
  from assignments
),

tenures as (
  select ticket_id, event_type, held_by, changed_epoch as from_epoch,
    lead(changed_epoch) over (partition by ticket_id, event_type order by changed_epoch nulls last) as to_epoch
  from settled
  where change_rank = 1
  union all
  -- Before the first change the ticket had what that one found.
  select ticket_id, event_type, held_before, null, changed_epoch from assignments where change_number = 1
),

edges as (
  select obligation_key, counts_from_epoch as edge_epoch from verdicts
  union
  select obligation_key, read_until_epoch from verdicts
  union
  select obligation_key, due_epoch from verdicts where due_epoch > counts_from_epoch and due_epoch < read_until_epoch
  union
  select verdicts.obligation_key, assignments.changed_epoch
  from verdicts
  join assignments
    on assignments.ticket_id = verdicts.ticket_id
    and assignments.changed_epoch > verdicts.counts_from_epoch
    and assignments.changed_epoch < verdicts.read_until_epoch
),

clocked as (
  select
    edges.obligation_key, edges.edge_epoch, verdicts.ticket_id, verdicts.counts_from_epoch, verdicts.read_until_epoch, verdicts.due_epoch,
    clocks.*
  from edges
  join verdicts on verdicts.obligation_key = edges.obligation_key
  join clocks on clocks.clock_name = verdicts.clock_name
),

read_edges as (
  select
    clocked.*,
    {{ open_seconds_at('steps', 'clocked', 'clocked.edge_epoch') }} as open_seconds
  from clocked
  {{ join_clock_steps('steps', 'clocked', 'clocked.edge_epoch') }}
),

paused as (
  select
    clocked.*,
    greatest(pauses.pauses_epoch, clocked.counts_from_epoch) as pauses_epoch,
    least(pauses.resumes_epoch, clocked.edge_epoch) as resumes_epoch
  from clocked
  join pauses
    on pauses.obligation_key = clocked.obligation_key
    and pauses.resumes_epoch > clocked.counts_from_epoch
    and pauses.pauses_epoch < clocked.edge_epoch
),

paused_seconds as (
  select
    paused.obligation_key,
    paused.edge_epoch,
    cast(sum(
      {{ open_seconds_at('steps_until', 'paused', 'paused.resumes_epoch') }} - {{ open_seconds_at('steps_from', 'paused', 'paused.pauses_epoch') }}
    ) as bigint) as paused_seconds
  from paused
  {{ join_clock_steps('steps_from', 'paused', 'paused.pauses_epoch') }}
  {{ join_clock_steps('steps_until', 'paused', 'paused.resumes_epoch') }}
  group by paused.obligation_key, paused.edge_epoch
),

counted as (
  select
    read_edges.obligation_key,
    read_edges.ticket_id,
    read_edges.due_epoch,
    read_edges.edge_epoch as from_epoch,
    lead(read_edges.edge_epoch) over of_obligation as to_epoch,
    lead(read_edges.open_seconds - coalesce(paused_seconds.paused_seconds, 0)) over of_obligation
    - (read_edges.open_seconds - coalesce(paused_seconds.paused_seconds, 0)) as counted_seconds
  from read_edges
  left join paused_seconds
    on paused_seconds.obligation_key = read_edges.obligation_key and paused_seconds.edge_epoch = read_edges.edge_epoch
  window of_obligation as (partition by read_edges.obligation_key order by read_edges.edge_epoch nulls last)
),

named as (
  select
    counted.*,
    groups.held_by as group_name,
    assignees.held_by as assignee,
    coalesce(groups.from_epoch, assignees.from_epoch) is not null
    and (counted.from_epoch = groups.from_epoch or counted.from_epoch = assignees.from_epoch) as begins_holding
  from counted
  {%- for alias, event_type in [('groups', 'group_changed'), ('assignees', 'assignee_changed')] %}
  left join tenures as {{ alias }}
    on {{ alias }}.ticket_id = counted.ticket_id
    and {{ alias }}.event_type = '{{ event_type }}'
    and coalesce({{ alias }}.from_epoch <= counted.from_epoch, true)
    and coalesce(counted.from_epoch < {{ alias }}.to_epoch, true)
  {%- endfor %}
  where counted.to_epoch is not null
),

numbered as (
  select
    named.*,
    sum(case when begins_holding then 1 else 0 end) over (partition by obligation_key order by from_epoch nulls last rows between unbounded preceding and current row)
      as holding_number
  from named
)

select
  obligation_key,
  ticket_id,
  -- From 1 on, whether or not the first interval begins with a change.
  row_number() over (partition by obligation_key order by min(from_epoch) nulls last) as holding_number,
  max(group_name) as group_name,
  max(assignee) as assignee,
  cast(sum(counted_seconds) as bigint) as counted_seconds,
  cast(sum(case when from_epoch < due_epoch then counted_seconds else 0 end) as bigint) as counted_before_due_seconds,
  min(from_epoch) as from_epoch,
  max(to_epoch) as to_epoch
from numbered
group by obligation_key, ticket_id, holding_number
