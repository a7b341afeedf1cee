-- Grain: one row per event of a ticket that shares its second with another one, and whose place among them its source says.
-- The source's sequence, in this order: the number of the update or a declared sequence, numeric ids that are counted alike, the rows of
-- one file that holds all of them. It is looked for among all events of the second, else among those of one type. A file in which the
-- ticket's events stand from the newest to the oldest does not say which of two in one second came first.
with
acts as (
  select
    source, ticket_id, event_id, event_type, value, act_kind in ('date', 'mark') as is_date, event_at, update_id, update_number, place, batch_id, line_number
  from {{ ref('int_helpdesk__acts') }}
  where act_kind <> 'assignment'
  union all
  select
    source, ticket_id, event_id, event_type, value, false as is_date, event_at, null, update_number, place, batch_id, line_number
  from {{ ref('int_helpdesk__shown_changes') }}
),

seconds as (
  select source, ticket_id, event_at from acts group by source, ticket_id, event_at having min(event_id) <> max(event_id)
),

shared as (
  select
    acts.*,
    regexp_extract(acts.update_id, '^(.*?)([0-9]{1,38})$', 1) as id_series,
    cast(nullif(regexp_extract(acts.update_id, '^(.*?)([0-9]{1,38})$', 2), '') as decimal(38, 0)) as id_number,
    -- The lines of a file are in the order of what they tell; dates that stand in a ticket's own record are so within the record only.
    acts.batch_id || case when acts.is_date then ':' || cast(acts.line_number as string) else '' end as row_group
  from acts
  join seconds on seconds.source = acts.source and seconds.ticket_id = acts.ticket_id and seconds.event_at = acts.event_at
),

-- A date in the record of a ticket that its history tells as well is no second event.
twins as (
  select dates.source, dates.event_id, dates.event_at, min(told.event_id) as told_event_id
  from shared as dates
  join shared as told
    on told.source = dates.source
    and told.ticket_id = dates.ticket_id
    and told.event_at = dates.event_at
    and told.event_type = dates.event_type
    and coalesce(told.value, '') = coalesce(dates.value, '')
    and not told.is_date
  where dates.is_date
  group by dates.source, dates.event_id, dates.event_at
),

steps as (
  select
    acts.source,
    acts.ticket_id,
    acts.batch_id,
    acts.event_at,
    lag(acts.event_at) over (partition by acts.source, acts.ticket_id, acts.batch_id order by acts.line_number nulls last, acts.place nulls last) as event_at_above
  from acts
  join (select distinct source, ticket_id from shared where not is_date and update_number is null and id_number is null) as tickets
    on tickets.source = acts.source and tickets.ticket_id = acts.ticket_id
  where not acts.is_date
),

newest_first as (
  select source, ticket_id, batch_id
  from steps
  group by source, ticket_id, batch_id
  having max(case when event_at > event_at_above then 1 else 0 end) = 0
    and max(case when event_at < event_at_above then 1 else 0 end) = 1
),

-- Where the ids of all events of a second are counted alike, they are its order, and none is looked for among those of one type.
settled as (
  select source, ticket_id, event_at, is_date
  from shared
  group by source, ticket_id, event_at, is_date
  having count(id_number) = count(*) and min(id_series) = max(id_series)
),

scoped as (
  {%- for scope in ["''", 'shared.event_type'] %}
  select shared.*, {{ scope }} || case when shared.is_date then ':date' else '' end as scope
  from shared
  left join twins on twins.source = shared.source and twins.event_id = shared.event_id and twins.event_at = shared.event_at
  {%- if loop.last %}
  left join settled
    on settled.source = shared.source
    and settled.ticket_id = shared.ticket_id
    and settled.event_at = shared.event_at
    and settled.is_date = shared.is_date
  {%- endif %}
  where twins.event_id is null
  {%- if loop.last %}
    and settled.source is null
  {%- else %}
  union all
  {%- endif %}
  {%- endfor %}
),

-- The copies of an event say the same of its number, or one of them says it.
events as (
  select
    source,
    ticket_id,
    event_at,
    scope,
    event_id,
    max(event_type) as event_type,
    max(value) as value,
    max(update_number) as update_number,
    max(id_series) as id_series,
    max(id_number) as id_number,
    max(place) as place
  from scoped
  group by source, ticket_id, event_at, scope, event_id
),

-- Two different changes of one field under one number have none.
doubled as (
  select distinct source, ticket_id, event_at, scope
  from events
  where update_number is not null
  group by source, ticket_id, event_at, scope, event_type, update_number, coalesce(place, 0)
  having min(coalesce(value, '')) <> max(coalesce(value, ''))
),

scopes as (
  select
    events.source,
    events.ticket_id,
    events.event_at,
    events.scope,
    count(*) as event_count,
    count(events.update_number) = count(*) and max(doubled.scope) is null as is_numbered,
    count(events.id_number) = count(*) and min(events.id_series) = max(events.id_series) as is_identified
  from events
  left join doubled
    on doubled.source = events.source
    and doubled.ticket_id = events.ticket_id
    and doubled.event_at = events.event_at
    and doubled.scope = events.scope
  group by events.source, events.ticket_id, events.event_at, events.scope
),

-- A file may repeat an event: its first row counts.
first_rows as (
  select
    scoped.*,
    row_number() over (
      partition by scoped.source, scoped.ticket_id, scoped.event_at, scoped.scope, scoped.row_group, scoped.event_id
      order by scoped.line_number nulls last, scoped.place nulls first
    ) as row_rank
  from scoped
  join scopes
    on scopes.source = scoped.source
    and scopes.ticket_id = scoped.ticket_id
    and scopes.event_at = scoped.event_at
    and scopes.scope = scoped.scope
  where not scopes.is_numbered and not scopes.is_identified
),

rows_of_files as (
  select
    first_rows.*,
    count(*) over (partition by source, ticket_id, event_at, scope, row_group) as event_count,
    count(*) over (partition by source, ticket_id, event_at, scope, row_group, line_number) as line_count,
    row_number() over (
      partition by source, ticket_id, event_at, scope, row_group order by line_number nulls last, place nulls first, event_id nulls last
    ) as row_place
  from first_rows
  where row_rank = 1
),

whole_files as (
  select rows_of_files.source, rows_of_files.ticket_id, rows_of_files.event_at, rows_of_files.scope, rows_of_files.row_group
  from rows_of_files
  join scopes
    on scopes.source = rows_of_files.source
    and scopes.ticket_id = rows_of_files.ticket_id
    and scopes.event_at = rows_of_files.event_at
    and scopes.scope = rows_of_files.scope
    and scopes.event_count = rows_of_files.event_count
  left join newest_first
    on newest_first.source = rows_of_files.source
    and newest_first.ticket_id = rows_of_files.ticket_id
    and newest_first.batch_id = rows_of_files.batch_id
    and not rows_of_files.is_date
  where newest_first.batch_id is null
  group by rows_of_files.source, rows_of_files.ticket_id, rows_of_files.event_at, rows_of_files.scope, rows_of_files.row_group
  -- Two that stand in one line have the order of their places there, where they have one.
  having max(case when rows_of_files.line_count > 1 and rows_of_files.place is null then 1 else 0 end) = 0
),

-- Several files may hold all of them; they say an order where they agree.
row_places as (
  select
    rows_of_files.source,
    rows_of_files.ticket_id,
    rows_of_files.event_at,
    rows_of_files.scope,
    rows_of_files.event_id,
    min(rows_of_files.row_place) as row_place,
    max(rows_of_files.row_place) as last_row_place
  from rows_of_files
  join whole_files
    on whole_files.source = rows_of_files.source
    and whole_files.ticket_id = rows_of_files.ticket_id
    and whole_files.event_at = rows_of_files.event_at
    and whole_files.scope = rows_of_files.scope
    and whole_files.row_group = rows_of_files.row_group
  group by rows_of_files.source, rows_of_files.ticket_id, rows_of_files.event_at, rows_of_files.scope, rows_of_files.event_id
),

agreed as (
  select source, ticket_id, event_at, scope from row_places group by source, ticket_id, event_at, scope having max(last_row_place - row_place) = 0
),

numbered as (
  select
    events.source,
    events.ticket_id,
    events.event_at,
    events.scope,
    events.event_id,
    -- Equal numbers are of one update.
    case
      when scopes.is_numbered or scopes.is_identified then dense_rank() over (
        partition by events.source, events.ticket_id, events.event_at, events.scope
        order by
          case when scopes.is_numbered then cast(events.update_number as decimal(38, 0)) else events.id_number end nulls last, coalesce(events.place, 0)
      )
      when agreed.scope is not null then row_places.row_place
    end as order_number
  from events
  join scopes
    on scopes.source = events.source
    and scopes.ticket_id = events.ticket_id
    and scopes.event_at = events.event_at
    and scopes.scope = events.scope
  left join row_places
    on row_places.source = events.source
    and row_places.ticket_id = events.ticket_id
    and row_places.event_at = events.event_at
    and row_places.scope = events.scope
    and row_places.event_id = events.event_id
  left join agreed
    on agreed.source = events.source
    and agreed.ticket_id = events.ticket_id
    and agreed.event_at = events.event_at
    and agreed.scope = events.scope
),

placed as (
  select
    numbered.*,
    row_number() over (partition by source, event_id, event_at order by scope nulls last) as scope_rank
  from numbered
  where order_number is not null
)

select source, ticket_id, event_id, event_at, scope as order_space, order_number
from placed
where scope_rank = 1
union all
select placed.source, placed.ticket_id, twins.event_id, placed.event_at, placed.scope, placed.order_number
from placed
join twins on twins.source = placed.source and twins.told_event_id = placed.event_id and twins.event_at = placed.event_at
where placed.scope_rank = 1
