{#
  The complete lines of some pools, in closed form: the changes that records stand for, and what follows from them.

  `changes` is a relation like int_entitlements__changes; settled are the pools that overflow when `shortage_kind` is `overflow`, and those
  that do not when it is `overage`. With raw(t) the running sum of a limited pool:
  - what it cannot carry is max(0, -raw(t)); each unit of it is a line `shortage_kind`, taken back by a later line when raw rises again;
  - from the end of the account on, max(0, raw(t)) has expired.
  Lines rest on sums in order of event time, so any order of arrival gives the same lines. Only where a pool has more than one supply are
  its changes worked out one after the other: each unit is drawn from one of them as they stand then, and one that ends loses what is left.
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

-- The order in which supplies are drawn; `is_walked`: there is more than the grant of one term, so the units are followed one by one.
ranked_supplies as (
  select
    supplies.*,
    row_number() over (
      partition by supplies.subscription_id, supplies.pool order by supplies.is_drawn_first desc, supplies.expires_at, supplies.supply_id
    ) as draw_number,
    max(case when supplies.is_drawn_first then 0 else 1 end) over (partition by supplies.subscription_id, supplies.pool) = 1 as is_walked,
    not supplies.is_drawn_first and supplies.ends_at < pools.term_ends_at and supplies.ends_at <= build_inputs.as_of as is_ending
  from supplies
  join pools on pools.subscription_id = supplies.subscription_id and pools.pool = supplies.pool
  cross join build_inputs
  where pools.is_limited
),

walked_changes as (
  select
    recorded.*,
    row_number() over (
      partition by recorded.subscription_id, recorded.pool
      order by recorded.happened_at, recorded.change_rank, recorded.change_id, recorded.movement_id
    ) as step_number
  from (
    select changes.movement_id, changes.subscription_id, changes.pool, changes.movement_kind, changes.quantity, changes.change_rank,
      changes.change_id, changes.happened_at, changes.movement_id as supply_id
    from changes
    join (select distinct subscription_id, pool from ranked_supplies where is_walked) as walked
      on walked.subscription_id = changes.subscription_id and walked.pool = changes.pool
    union all
    select case when is_returned then 'return:' else 'expiry:' end || supply_id, subscription_id, pool, 'supply_end', 0, 1, supply_id, ends_at, supply_id
    from ranked_supplies
    where is_walked and is_ending
  ) as recorded
),

-- One row per step and supply. What is over the pool (short_quantity) is settled first; a unit is drawn from the first supply that holds
-- one, and returns to the supply that is drawn last of those that it can have come from: an ended one only where no other can hold it.
walk as (
  select
    subscription_id, pool, supply_id, draw_number, cast(quantity as bigint) as quantity, cast(0 as bigint) as step_number,
    cast(null as varchar) as movement_id, cast(0 as bigint) as left_quantity, cast(0 as bigint) as short_quantity,
    false as is_supplied, false as is_ended, cast(0 as bigint) as moved_quantity, false as is_moved
  from ranked_supplies
  where is_walked
  union all
  select
    subscription_id, pool, supply_id, draw_number, quantity, step_number, movement_id,
    left_quantity + moved_quantity,
    case
      when step_kind = 'supply' then greatest(short_quantity - step_quantity, 0)
      when step_kind = 'draw' and next_draw_number is null then short_quantity + 1
      when step_kind = 'return' and short_quantity > 0 then short_quantity - 1
      else short_quantity
    end,
    is_supplied or (step_kind = 'supply' and is_named),
    is_ended or (step_kind = 'end' and is_named),
    moved_quantity,
    moved_quantity <> 0 or (step_kind = 'supply' and is_named)
  from (
    select
      stepped.*,
      cast(case
        when step_kind = 'supply' and is_named then greatest(step_quantity - short_quantity, 0)
        when step_kind = 'end' and is_named then -left_quantity
        when step_kind = 'draw' and draw_number = next_draw_number then -1
        when step_kind = 'return' and short_quantity = 0 and draw_number = coalesce(returned_draw_number, ended_draw_number) then 1
        else 0
      end as bigint) as moved_quantity
    from (
      select
        walk.subscription_id, walk.pool, walk.supply_id, walk.draw_number, walk.quantity, walked_changes.step_number,
        walked_changes.movement_id, walk.left_quantity, walk.short_quantity, walk.is_supplied, walk.is_ended,
        cast(walked_changes.quantity as bigint) as step_quantity,
        walk.supply_id = walked_changes.supply_id as is_named,
        case
          when walked_changes.movement_kind in ('grant', 'purchase') then 'supply'
          when walked_changes.movement_kind = 'supply_end' then 'end'
          when walked_changes.quantity < 0 then 'draw'
          else 'return'
        end as step_kind,
        min(case when walk.left_quantity > 0 then walk.draw_number end) over one_pool as next_draw_number,
        max(case when walk.is_supplied and not walk.is_ended and walk.left_quantity < walk.quantity then walk.draw_number end)
          over one_pool as returned_draw_number,
        max(case when walk.is_supplied and walk.left_quantity < walk.quantity then walk.draw_number end) over one_pool as ended_draw_number
      from walk
      join walked_changes
        on walked_changes.subscription_id = walk.subscription_id
        and walked_changes.pool = walk.pool
        and walked_changes.step_number = walk.step_number + 1
      window one_pool as (partition by walk.subscription_id, walk.pool)
    ) as stepped
  ) as moved
),

supply_ends as (
  select
    walk.movement_id, ranked_supplies.customer_id, ranked_supplies.subscription_id, ranked_supplies.pool,
    case when ranked_supplies.is_returned then 'return' else 'expiry' end as movement_kind,
    walk.moved_quantity as quantity,
    1 as change_rank, ranked_supplies.supply_id as change_id, ranked_supplies.cause_kind, ranked_supplies.cause_id,
    cast(null as varchar) as ticket_id, cast(null as varchar) as undoes_movement_id,
    case
      when ranked_supplies.is_returned then 'pack returned'
      when ranked_supplies.movement_kind = 'purchase' then 'pack expired'
      else 'stacked term ended'
    end as reason,
    ranked_supplies.ends_at as happened_at, ranked_supplies.ends_at as known_at
  from walk
  join ranked_supplies on ranked_supplies.supply_id = walk.supply_id
  where walk.is_moved and walk.movement_id in ('expiry:' || walk.supply_id, 'return:' || walk.supply_id)
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
  select * from supply_ends
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

-- The supply that a change takes its unit from, returns it to, or is itself. Nothing pays for a unit that is over.
payers as (
  select movement_id, supply_id as paid_by from walk where is_moved
  union all
  select running.movement_id, ranked_supplies.supply_id
  from running
  join ranked_supplies on ranked_supplies.subscription_id = running.subscription_id and ranked_supplies.pool = running.pool
  where not ranked_supplies.is_walked
    and (running.movement_id = ranked_supplies.supply_id or running.raw_after - running.quantity > 0 or running.raw_after > 0)
    and running.movement_kind <> 'end'
  union all
  -- A pool without a number never ends: what its account was first granted pays.
  select running.movement_id, 'grant:' || running.subscription_id || ':' || running.pool
  from running
  where not running.is_limited
),

measured as (
  select
    running.*,
    payers.paid_by,
    greatest(-(raw_after - quantity), 0) as short_before,
    greatest(-raw_after, 0) as short_after,
    case when happened_at > term_ends_at then greatest(raw_after - quantity, 0) else 0 end as expired_before,
    case when happened_at > term_ends_at or movement_kind = 'end' then greatest(raw_after, 0) else 0 end as expired_after
  from running
  left join payers on payers.movement_id = running.movement_id
  where running.is_limited
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
    case when not is_raised then paid_by end as paid_by, happened_at, known_at, change_number, case when is_raised then -1 else 1 end as place,
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
    expiry_steps.paid_by, expiry_steps.happened_at, expiry_steps.known_at, expiry_steps.change_number,
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
    running.movement_id, customer_id, subscription_id, pool, movement_kind, cast(quantity as bigint) as quantity, change_rank, change_id,
    cause_kind, cause_id, ticket_id, undoes_movement_id, reason,
    case when movement_kind not in ('grant', 'purchase') then payers.paid_by end as paid_by,
    happened_at, known_at, change_number, 0 as place, cast(0 as bigint) as place_number
  from running
  left join payers on payers.movement_id = running.movement_id
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
  lines.paid_by,
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
