{#
  The complete lines of some pools, in closed form: the changes that records stand for, and what follows from them.

  `changes` is a relation like int_entitlements__changes; settled are the pools that overflow when `shortage_kind` is `overflow`, and those
  that do not when it is `overage`. With raw(t) the running sum of a limited pool:
  - what it cannot carry is max(0, -raw(t)); each unit of it is a line `shortage_kind`, taken back by a later line when raw rises again;
  - from the end of the account on, max(0, raw(t)) has expired.
  A supply that ends earlier loses what the pool still holds beyond the supplies that are drawn after it, at most its own units.
  Lines rest on sums in order of event time, so any order of arrival gives the same lines. Only the ends of one pool's supplies, which are
  few, are worked out one after the other.
#}
{% macro settle_pools(changes, shortage_kind) %}
with recursive
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
pools as (
  select * from {{ ref('int_entitlements__pools') }} where overflows_to is {{ 'not null' if shortage_kind == 'overflow' else 'null' }}
),
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
changes as (
  select recorded.*
  from {{ changes }} as recorded
  join pools on pools.subscription_id = recorded.subscription_id and pools.pool = recorded.pool
),

ending_supplies as (
  select
    supplies.*,
    row_number() over (partition by supplies.subscription_id, supplies.pool order by supplies.ends_at, supplies.supply_id) as end_number
  from supplies
  join pools on pools.subscription_id = supplies.subscription_id and pools.pool = supplies.pool
  cross join build_inputs
  where pools.is_limited
    and not supplies.is_drawn_first
    and supplies.ends_at < pools.term_ends_at
    and supplies.ends_at <= build_inputs.as_of
),

held as (
  select ending_supplies.supply_id, coalesce(sum(changes.quantity), 0) as held_quantity
  from ending_supplies
  left join changes
    on changes.subscription_id = ending_supplies.subscription_id
    and changes.pool = ending_supplies.pool
    and (changes.happened_at < ending_supplies.ends_at or (changes.happened_at = ending_supplies.ends_at and changes.change_rank = 0))
  group by ending_supplies.supply_id
),

drawn_later as (
  select ending_supplies.supply_id, coalesce(sum(later.quantity), 0) as drawn_later_quantity
  from ending_supplies
  left join supplies as later
    on later.subscription_id = ending_supplies.subscription_id
    and later.pool = ending_supplies.pool
    and not later.is_drawn_first
    and (later.ends_at > ending_supplies.ends_at or (later.ends_at = ending_supplies.ends_at and later.supply_id > ending_supplies.supply_id))
    and (
      later.supplied_at < ending_supplies.ends_at
      or (later.supplied_at = ending_supplies.ends_at and later.movement_kind = 'grant')
    )
  group by ending_supplies.supply_id
),

measured_ends as (
  select ending_supplies.*, held.held_quantity - drawn_later.drawn_later_quantity as exposed_quantity
  from ending_supplies
  join held on held.supply_id = ending_supplies.supply_id
  join drawn_later on drawn_later.supply_id = ending_supplies.supply_id
),

expired as (
  select
    measured_ends.*,
    cast(least(quantity, greatest(exposed_quantity, 0)) as bigint) as expired_quantity,
    cast(least(quantity, greatest(exposed_quantity, 0)) as bigint) as expired_until_now
  from measured_ends
  where end_number = 1
  union all
  select
    measured_ends.*,
    cast(least(measured_ends.quantity, greatest(measured_ends.exposed_quantity - expired.expired_until_now, 0)) as bigint),
    expired.expired_until_now
      + cast(least(measured_ends.quantity, greatest(measured_ends.exposed_quantity - expired.expired_until_now, 0)) as bigint)
  from expired
  join measured_ends
    on measured_ends.subscription_id = expired.subscription_id
    and measured_ends.pool = expired.pool
    and measured_ends.end_number = expired.end_number + 1
),

supply_ends as (
  select
    'expiry:' || supply_id as movement_id, customer_id, subscription_id, pool, 'expiry' as movement_kind,
    -expired_quantity as quantity,
    1 as change_rank, supply_id as change_id, cause_kind, cause_id, cast(null as varchar) as ticket_id, cast(null as varchar) as undoes_movement_id,
    case movement_kind when 'purchase' then 'pack expired' else 'stacked term ended' end as reason,
    ends_at as happened_at, ends_at as known_at
  from expired
),

account_ends as (
  select
    'end:' || pools.subscription_id || ':' || pools.pool as movement_id, pools.customer_id, pools.subscription_id, pools.pool,
    'end' as movement_kind, cast(0 as bigint) as quantity, 6 as change_rank, pools.pool as change_id, 'term' as cause_kind, pools.subscription_id as cause_id,
    cast(null as varchar) as ticket_id, cast(null as varchar) as undoes_movement_id, 'term ended' as reason,
    pools.term_ends_at as happened_at, pools.term_ends_at as known_at
  from pools
  cross join build_inputs
  where pools.is_limited
    and pools.term_ends_at <= build_inputs.as_of
    and exists (select 1 from changes where changes.subscription_id = pools.subscription_id and changes.pool = pools.pool)
),

all_changes as (
  select * from changes
  union all
  select * from supply_ends where quantity < 0
  union all
  select * from account_ends
),

running as (
  select
    all_changes.*,
    pools.is_limited,
    pools.overflows_to,
    pools.term_ends_at,
    sum(all_changes.quantity) over so_far as raw_after,
    row_number() over (
      partition by all_changes.subscription_id, all_changes.pool
      order by all_changes.happened_at, all_changes.change_rank, all_changes.change_id, all_changes.movement_id
    ) as change_number
  from all_changes
  join pools on pools.subscription_id = all_changes.subscription_id and pools.pool = all_changes.pool
  window so_far as (
    partition by all_changes.subscription_id, all_changes.pool
    order by all_changes.happened_at, all_changes.change_rank, all_changes.change_id, all_changes.movement_id
    rows between unbounded preceding and current row
  )
),

measured as (
  select
    running.*,
    greatest(-(raw_after - quantity), 0) as short_before,
    greatest(-raw_after, 0) as short_after,
    case when happened_at > term_ends_at then greatest(raw_after - quantity, 0) else 0 end as expired_before,
    case when happened_at > term_ends_at or movement_kind = 'end' then greatest(raw_after, 0) else 0 end as expired_after
  from running
  where is_limited
),

-- Every unit that a pool was ever short of has a number; a later line that takes one back takes the highest.
unit_numbers as (
  select subscription_id, pool, row_number() over (partition by subscription_id, pool order by change_number) as unit_number
  from measured
  where quantity < 0 and short_after > 0
),

shortage_steps as (
  select
    measured.*,
    unit_numbers.unit_number,
    measured.short_after > measured.short_before as is_raised,
    '{{ shortage_kind }}:' || measured.movement_id || ':' || cast(unit_numbers.unit_number as varchar) as step_id
  from measured
  join unit_numbers
    on unit_numbers.subscription_id = measured.subscription_id
    and unit_numbers.pool = measured.pool
    and unit_numbers.unit_number > least(measured.short_before, measured.short_after)
    and unit_numbers.unit_number <= greatest(measured.short_before, measured.short_after)
  where measured.short_before <> measured.short_after
),

shortage_lines as (
  select
    step_id as movement_id, customer_id, subscription_id, pool, '{{ shortage_kind }}' as movement_kind,
    cast(case when is_raised then 1 else -1 end as bigint) as quantity,
    change_rank, change_id, cause_kind, cause_id, ticket_id,
    -- At one level, raising and taking back alternate.
    case when not is_raised then lag(step_id) over (partition by subscription_id, pool, unit_number order by change_number) end
      as undoes_movement_id,
    {%- if shortage_kind == 'overflow' %}
    case when is_raised then 'pool used up: taken from ' || overflows_to else 'unit free again: given back to ' || overflows_to end as reason,
    {%- else %}
    case when is_raised then 'over the included number' else 'settled by: ' || reason end as reason,
    {%- endif %}
    happened_at, known_at, change_number, case when is_raised then -1 else 1 end as place,
    -- What was short last is taken back first.
    case when is_raised then unit_number else -unit_number end as place_number
  from shortage_steps
),

expiry_steps as (
  select measured.*, expired_after - expired_before as expired_quantity, 'expiry:' || movement_id as step_id
  from measured
  where expired_after <> expired_before
),

-- A unit that is drawn after the end comes back from the line in which it expired: the latest one that reached its level.
undone_expiries as (
  select
    undoing.movement_id,
    max(taken.change_number) as taken_number
  from expiry_steps as undoing
  join expiry_steps as taken
    on taken.subscription_id = undoing.subscription_id
    and taken.pool = undoing.pool
    and taken.change_number < undoing.change_number
    and taken.expired_before < undoing.expired_before
    and taken.expired_after >= undoing.expired_before
  where undoing.expired_quantity < 0
  group by undoing.movement_id
),

expiry_lines as (
  select
    expiry_steps.step_id as movement_id, expiry_steps.customer_id, expiry_steps.subscription_id, expiry_steps.pool,
    'expiry' as movement_kind, cast(-expiry_steps.expired_quantity as bigint) as quantity, expiry_steps.change_rank, expiry_steps.change_id,
    expiry_steps.cause_kind, expiry_steps.cause_id, expiry_steps.ticket_id, taken.step_id as undoes_movement_id,
    case
      when expiry_steps.movement_kind = 'end' then expiry_steps.reason
      when expiry_steps.expired_quantity > 0 then 'given back after the term ended'
      else 'drawn after the term ended: not expired'
    end as reason,
    expiry_steps.happened_at, expiry_steps.known_at, expiry_steps.change_number,
    case when expiry_steps.expired_quantity > 0 then 2 else -2 end as place, cast(0 as bigint) as place_number
  from expiry_steps
  left join undone_expiries on undone_expiries.movement_id = expiry_steps.movement_id
  left join expiry_steps as taken
    on taken.subscription_id = expiry_steps.subscription_id
    and taken.pool = expiry_steps.pool
    and taken.change_number = undone_expiries.taken_number
),

recorded_lines as (
  select
    movement_id, customer_id, subscription_id, pool, movement_kind, cast(quantity as bigint) as quantity, change_rank, change_id, cause_kind, cause_id,
    ticket_id, undoes_movement_id, reason, happened_at, known_at, change_number, 0 as place, cast(0 as bigint) as place_number
  from running
  where movement_kind <> 'end'
),

lines as (
  select * from recorded_lines
  union all
  select * from shortage_lines
  union all
  select * from expiry_lines
)

select
  lines.movement_id,
  lines.customer_id,
  lines.subscription_id,
  lines.pool,
  lines.movement_kind,
  lines.quantity,
  case when pools.is_limited then cast(sum(lines.quantity) over statement as bigint) end as balance_after,
  cast(row_number() over statement as bigint) as statement_line,
  lines.change_rank,
  lines.change_id,
  lines.cause_kind,
  lines.cause_id,
  lines.ticket_id,
  lines.undoes_movement_id,
  lines.reason,
  lines.happened_at,
  lines.known_at
from lines
join pools on pools.subscription_id = lines.subscription_id and pools.pool = lines.pool
window statement as (
  partition by lines.subscription_id, lines.pool
  order by lines.change_number, lines.place, lines.place_number
  rows between unbounded preceding and current row
)
{% endmacro %}
