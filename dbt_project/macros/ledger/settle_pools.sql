{#
  The complete lines of some pools, in closed form: the changes that records stand for, and what follows from them.

  `changes` is a relation like int_entitlements__changes; settled are the pools of int_entitlements__settlements that are settled first, or the
  others. With raw(t) the running sum of a limited pool:
  - what it cannot carry is max(0, -raw(t)); each unit of it is a line `overflow` (where the pool overflows into another one) or `overage`,
    taken back by a later line when raw rises again;
  - from the end of the account on, max(0, raw(t)) has expired.
  Lines rest on sums in order of event time, so any order of arrival gives the same lines. Only where a pool has more than one supply are
  its changes worked out one after the other: each unit is drawn from one of them as they stand then, and one that ends loses what is left.
  Accounts that a pack goes through are worked out together, step by step: what is left of it is carried into the next account as that begins.
  After an account has ended, a unit that is given back to a pack that lives on goes where the pack is, and one that is taken again comes
  from there.
#}
{% macro settle_pools(changes, is_settled_first) %}
{{ with_recursive() }}
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
pools as (
  select * from {{ ref('int_entitlements__settlements') }} where {{ 'is_settled_first' if is_settled_first else 'not is_settled_first' }}
),
supplies as (select * from {{ ref('int_entitlements__supplies') }}),
stays as (select * from {{ ref('int_entitlements__stays') }}),
changes as (
  select recorded.*
  from {{ changes }} as recorded
  join pools on pools.subscription_id = recorded.subscription_id and pools.pool = recorded.pool
),

-- Every supply in every account that holds it, in the order in which supplies are drawn. `is_walked`: there is more than the grant of one
-- term, so the units are followed one by one. A supply that ends on its own date ends in the account that holds it last.
{{ stage('holdings') }} as (
  select
    stays.supply_id, stays.customer_id, stays.subscription_id, stays.pool, stays.is_home, stays.came_from, stays.stays_from,
    pools.settlement_id, pools.term_starts_at, pools.term_ends_at, pools.is_limited,
    supplies.movement_kind, supplies.quantity, supplies.cause_kind, supplies.cause_id, supplies.is_returned, supplies.ends_at,
    dense_rank() over (
      partition by pools.settlement_id order by supplies.is_drawn_first desc, supplies.expires_at nulls last, supplies.supply_id nulls last
    ) as draw_number,
    max(case when supplies.is_drawn_first then 0 else 1 end) over (partition by pools.settlement_id) = 1 as is_walked,
    stays.goes_to is null
    and not supplies.is_drawn_first
    and (supplies.is_returned or supplies.ends_at <> pools.term_ends_at)
    and supplies.ends_at <= build_inputs.as_of as is_ending
  from stays
  join supplies on supplies.supply_id = stays.supply_id
  join pools on pools.subscription_id = stays.subscription_id and pools.pool = stays.pool
  cross join build_inputs
  -- A pool without a number holds nothing that could run out; only what goes on from it is followed.
  where pools.is_limited or stays.goes_to is not null
){{ end_stage() }},

walked_accounts as (
  select distinct settlement_id, subscription_id, pool, term_starts_at, term_ends_at, is_limited from holdings where is_walked
),

-- What happens in these accounts, step by step. A step names the account, and, of a supply that comes, goes on or ends, the supply.
{{ stage('walked_changes') }} as (
  select
    recorded.*,
    row_number() over (
      partition by recorded.settlement_id
      order by
        recorded.happened_at nulls last, recorded.change_rank, recorded.change_id nulls last, recorded.movement_id nulls last,
        recorded.subscription_id nulls last
    ) as step_number
  from (
    select
      walked.settlement_id, changes.subscription_id, changes.movement_id, changes.movement_id as supply_id, cast(changes.quantity as bigint) as quantity,
      changes.change_rank, changes.change_id, changes.happened_at, changes.known_at, changes.cause_kind, changes.cause_id, changes.ticket_id,
      walked.term_starts_at as account_starts_at,
      case when changes.movement_kind in ('grant', 'purchase') then 'supply' when changes.quantity < 0 then 'draw' else 'return' end as step_kind
    from changes
    join walked_accounts as walked on walked.subscription_id = changes.subscription_id and walked.pool = changes.pool
    where walked.is_limited
      or exists (select 1 from holdings where holdings.supply_id = changes.movement_id and not holdings.is_limited)
    union all
    select
      settlement_id, subscription_id, case when is_returned then 'return:' else 'expiry:' end || supply_id, supply_id, 0,
      1, supply_id, ends_at, ends_at, cause_kind, cause_id, null, term_starts_at, 'end'
    from holdings
    where is_walked and is_ending
    union all
    select
      settlement_id, subscription_id, 'stay:' || supply_id || ':' || subscription_id, supply_id, 0,
      3, supply_id, stays_from, stays_from, cause_kind, cause_id, null, term_starts_at, 'carry'
    from holdings
    where is_walked and not is_home
    union all
    select
      walked.settlement_id, walked.subscription_id, 'end:' || walked.subscription_id || ':' || walked.pool, null, 0,
      7, walked.pool, walked.term_ends_at, walked.term_ends_at, 'term', walked.subscription_id, null, walked.term_starts_at, 'close'
    from walked_accounts as walked
    cross join build_inputs
    where walked.is_limited and walked.term_ends_at <= build_inputs.as_of
  ) as recorded
){{ end_stage() }},

-- One row per step and holding. What is over the account (short_quantity) is settled first; a unit is drawn from the first supply that holds
-- one, and returns to the supply that is drawn last of those that it can have come from: an ended one only where no other can hold it.
{{ fold('walk', 'walked_changes') }} as (
  select
    settlement_id, subscription_id, pool, supply_id, draw_number, term_starts_at, term_ends_at, ends_at, is_home as is_here,
    cast(0 as bigint) as step_number, cast(null as string) as movement_id, cast(0 as bigint) as left_quantity,
    cast(0 as bigint) as drawn_quantity, cast(0 as bigint) as short_quantity, false as is_ended, false as is_closed,
    cast(0 as bigint) as moved_quantity, cast(0 as bigint) as carried_quantity, false as is_paying
  from holdings
  where is_walked
  {{ next_round() }} union all
  select
    settlement_id, subscription_id, pool, supply_id, draw_number, term_starts_at, term_ends_at, ends_at,
    case when step_kind = 'carry' and is_named then is_in_step_account else is_here end,
    step_number,
    movement_id,
    case
      when step_kind = 'end' and is_named then cast(0 as bigint)
      when step_kind = 'carry' and is_named and is_here then cast(0 as bigint)
      when step_kind = 'draw' and is_source then left_quantity - 1
      when is_landing then left_quantity + landing_quantity - settled_quantity
      else left_quantity
    end,
    case
      when step_kind = 'draw' and is_drawer then drawn_quantity + 1
      when step_kind = 'return' and is_target and is_in_landing_account then drawn_quantity - 1 + case when is_landing then settled_quantity else 0 end
      when step_kind = 'return' and is_target then drawn_quantity - 1
      when is_landing then drawn_quantity + settled_quantity
      else drawn_quantity
    end,
    case
      when step_kind = 'draw' and is_in_step_account and not has_source then short_quantity + 1
      when is_in_landing_account then short_quantity - settled_quantity
      else short_quantity
    end,
    is_ended or (step_kind = 'end' and is_named) or (step_kind = 'close' and ends_at <= step_at),
    is_closed or (step_kind = 'close' and is_in_step_account),
    case when step_kind = 'end' and is_named then -left_quantity else cast(0 as bigint) end,
    case
      when step_kind = 'carry' and is_named and is_here then -left_quantity
      when step_kind = 'carry' and is_named and is_in_step_account then landing_quantity
      when step_kind = 'draw' and is_source and not is_in_step_account then cast(-1 as bigint)
      when step_kind = 'draw' and is_drawer and not is_source then cast(1 as bigint)
      when step_kind = 'return' and is_target and not is_in_landing_account then cast(-1 as bigint)
      when step_kind = 'return' and is_landing and not is_in_step_account then cast(1 as bigint)
      else cast(0 as bigint)
    end,
    -- Null where nothing can pay.
    coalesce(
      is_in_step_account
      and ((step_kind = 'supply' and is_named) or (step_kind = 'draw' and is_drawer) or (step_kind = 'return' and is_target)
        or (step_kind = 'end' and is_named and left_quantity > 0)),
      false
    )
  from (
    select
      landed.*,
      -- The row in which what comes is booked.
      is_in_landing_account
      and ((step_kind = 'supply' and is_named) or (step_kind = 'carry' and is_named) or (step_kind = 'return' and is_target_supply))
        as is_landing,
      least(landing_quantity, max(case when is_in_landing_account then short_quantity else 0 end) over (partition by settlement_id)) as settled_quantity
    from (
      select
        targeted.*,
        step_kind = 'return' and is_target_supply and is_in_step_account as is_target,
        case
          when step_kind = 'supply' then subscription_id = step_subscription_id
          when step_kind = 'carry' then subscription_id = step_subscription_id
          when step_kind = 'return' then subscription_id = coalesce(
            max(case when is_target_supply and is_here and not is_ended then subscription_id end) over (partition by settlement_id),
            step_subscription_id
          )
          else false
        end as is_in_landing_account,
        case
          when step_kind = 'supply' then step_quantity
          when step_kind = 'return' then cast(1 as bigint)
          when step_kind = 'carry' then max(case when is_named and is_here then left_quantity else 0 end) over (partition by settlement_id)
          else cast(0 as bigint)
        end as landing_quantity
      from (
        select
          judged.*,
          step_kind = 'draw'
          and case
            when own_draw_number is not null then is_in_step_account and draw_number = own_draw_number
            else short_before = 0 and is_here and draw_number = carried_draw_number
          end as is_source,
          step_kind = 'draw'
          and is_in_step_account
          and draw_number = coalesce(own_draw_number, case when short_before = 0 then carried_draw_number end) as is_drawer,
          coalesce(own_draw_number, case when short_before = 0 then carried_draw_number end) is not null as has_source,
          step_kind = 'return' and short_before = 0 and draw_number = coalesce(living_draw_number, ended_draw_number) as is_target_supply
        from (
          select
            reached.*,
            coalesce(max(case when is_in_step_account then short_quantity end) over one_settlement, 0) as short_before,
            min(case when is_in_step_account and left_quantity > 0 then draw_number end) over one_settlement as own_draw_number,
            min(
              case when is_reached and is_here and not is_ended and left_quantity > 0 and term_starts_at > account_starts_at then draw_number end
            ) over one_settlement as carried_draw_number,
            max(case when is_in_step_account and not is_ended and drawn_quantity > 0 then draw_number end) over one_settlement as living_draw_number,
            max(case when is_in_step_account and drawn_quantity > 0 then draw_number end) over one_settlement as ended_draw_number
          from (
            select
              walk.settlement_id, walk.subscription_id, walk.pool, walk.supply_id, walk.draw_number, walk.term_starts_at, walk.term_ends_at,
              walk.ends_at, walk.is_here, walk.left_quantity, walk.drawn_quantity, walk.short_quantity, walk.is_ended, walk.is_closed,
              walked_changes.step_number, walked_changes.movement_id, walked_changes.step_kind, walked_changes.account_starts_at,
              walked_changes.happened_at as step_at, walked_changes.quantity as step_quantity,
              walked_changes.subscription_id as step_subscription_id,
              walk.subscription_id = walked_changes.subscription_id as is_in_step_account,
              coalesce(walk.supply_id = walked_changes.supply_id, false) as is_named,
              max(case when walk.subscription_id = walked_changes.subscription_id then 1 else 0 end)
                over (partition by walk.settlement_id, walk.supply_id) = 1 as is_reached
            from walk
            join walked_changes
              on walked_changes.settlement_id = walk.settlement_id and walked_changes.step_number = walk.step_number + 1
          ) as reached
          window one_settlement as (partition by settlement_id)
        ) as judged
      ) as targeted
    ) as landed
  ) as moved
){{ end_stage() }},

supply_ends as (
  select
    walk.movement_id, holdings.customer_id, holdings.subscription_id, holdings.pool,
    case when holdings.is_returned then 'return' else 'expiry' end as movement_kind,
    walk.moved_quantity as quantity,
    1 as change_rank, holdings.supply_id as change_id, holdings.cause_kind, holdings.cause_id,
    cast(null as string) as ticket_id, cast(null as string) as undoes_movement_id,
    case
      when holdings.is_returned then 'pack returned'
      when holdings.movement_kind = 'purchase' then 'pack expired'
      else 'stacked term ended'
    end as reason,
    holdings.ends_at as happened_at, holdings.ends_at as known_at,
    walk.movement_id as step_id, 0 as step_place, walk.supply_id as carried_supply_id
  from walk
  join holdings on holdings.supply_id = walk.supply_id and holdings.subscription_id = walk.subscription_id
  where walk.moved_quantity <> 0
),

-- Units of a pack that change accounts: before a unit is drawn from where the pack is, after one is given back to it.
carries as (
  select
    'carry:' || walk.movement_id || case when walk.carried_quantity < 0 then ':out' else ':in' end as movement_id,
    holdings.customer_id, walk.subscription_id, walk.pool, 'carry_over' as movement_kind, walk.carried_quantity as quantity,
    steps.change_rank, steps.change_id, steps.cause_kind, steps.cause_id, steps.ticket_id, cast(null as string) as undoes_movement_id,
    case
      when steps.step_kind = 'carry' and walk.carried_quantity < 0 then 'pack goes on into the next term'
      when steps.step_kind = 'carry' then 'pack of an earlier term'
      when walk.carried_quantity < 0 then 'goes to the term that holds the pack'
      else 'comes from the term that holds the pack'
    end as reason,
    steps.happened_at, steps.known_at,
    walk.movement_id as step_id,
    case
      when walk.subscription_id <> steps.subscription_id or steps.step_kind = 'carry' then 0
      when steps.step_kind = 'draw' then -1
      else 1
    end as step_place,
    walk.supply_id as carried_supply_id
  from walk
  join walked_changes as steps on steps.settlement_id = walk.settlement_id and steps.step_number = walk.step_number
  join holdings on holdings.supply_id = walk.supply_id and holdings.subscription_id = walk.subscription_id
  where walk.carried_quantity <> 0
),

account_ends as (
  select
    'end:' || pools.subscription_id || ':' || pools.pool as movement_id, pools.customer_id, pools.subscription_id, pools.pool,
    'end' as movement_kind, cast(0 as bigint) as quantity, 7 as change_rank, pools.pool as change_id, 'term' as cause_kind, pools.subscription_id as cause_id,
    cast(null as string) as ticket_id, cast(null as string) as undoes_movement_id, 'term ended' as reason,
    pools.term_ends_at as happened_at, pools.term_ends_at as known_at,
    'end:' || pools.subscription_id || ':' || pools.pool as step_id, 0 as step_place, cast(null as string) as carried_supply_id
  from pools
  cross join build_inputs
  where pools.is_limited
    and pools.term_ends_at <= build_inputs.as_of
    and exists (select 1 from changes where changes.subscription_id = pools.subscription_id and changes.pool = pools.pool)
),

all_changes as (
  select
    movement_id, customer_id, subscription_id, pool, movement_kind, quantity, change_rank, change_id, cause_kind, cause_id, ticket_id,
    undoes_movement_id, reason, happened_at, known_at, movement_id as step_id, 0 as step_place, cast(null as string) as carried_supply_id
  from changes
  union all
  select * from supply_ends
  union all
  select * from carries
  union all
  select * from account_ends
),

{{ stage('running') }} as (
  select
    all_changes.*,
    pools.is_limited,
    pools.overflows_to,
    pools.term_ends_at,
    sum(all_changes.quantity) over so_far as raw_after,
    row_number() over (
      partition by all_changes.subscription_id, all_changes.pool
      order by
        all_changes.happened_at nulls last, all_changes.change_rank, all_changes.change_id nulls last, all_changes.step_id nulls last,
        all_changes.step_place nulls last
    ) as change_number
  from all_changes
  join pools on pools.subscription_id = all_changes.subscription_id and pools.pool = all_changes.pool
  window so_far as (
    partition by all_changes.subscription_id, all_changes.pool
    order by
      all_changes.happened_at nulls last, all_changes.change_rank, all_changes.change_id nulls last, all_changes.step_id nulls last,
      all_changes.step_place nulls last
    rows between unbounded preceding and current row
  )
){{ end_stage() }},

-- The supply that a change takes its unit from, returns it to, or is itself. Nothing pays for a unit that is over.
payers as (
  select movement_id, supply_id as paid_by from walk where is_paying
  union all
  select movement_id, carried_supply_id from carries
  union all
  select running.movement_id, supplies.supply_id
  from running
  join supplies on supplies.subscription_id = running.subscription_id and supplies.pool = running.pool
  left join walked_accounts as walked on walked.subscription_id = running.subscription_id and walked.pool = running.pool
  where running.is_limited
    and walked.subscription_id is null
    and (running.movement_id = supplies.supply_id or running.raw_after - running.quantity > 0 or running.raw_after > 0)
    and running.movement_kind <> 'end'
  union all
  -- A pool without a number never ends: what its account was first granted pays.
  select running.movement_id, 'grant:' || running.subscription_id || ':' || running.pool
  from running
  where not running.is_limited and running.movement_kind not in ('purchase', 'carry_over')
),

-- What the end of a walked account has taken: units of packs that live on are not.
taken as (
  select subscription_id, pool, movement_id as step_id, sum(case when is_ended then left_quantity else 0 end) as taken_quantity
  from walk
  where is_closed
  group by subscription_id, pool, movement_id
),

expired as (
  select
    running.movement_id,
    case
      when walked.subscription_id is not null then coalesce(taken.taken_quantity, 0)
      when running.happened_at > running.term_ends_at or running.movement_kind = 'end' then greatest(running.raw_after, 0)
      else 0
    end as expired_after
  from running
  left join walked_accounts as walked on walked.subscription_id = running.subscription_id and walked.pool = running.pool
  left join taken on taken.subscription_id = running.subscription_id and taken.pool = running.pool and taken.step_id = running.step_id
),

{{ stage('measured') }} as (
  select
    running.*,
    payers.paid_by,
    greatest(-(raw_after - quantity), 0) as short_before,
    greatest(-raw_after, 0) as short_after,
    lag(expired.expired_after, 1, 0) over (partition by running.subscription_id, running.pool order by running.change_number) as expired_before,
    expired.expired_after
  from running
  join expired on expired.movement_id = running.movement_id
  left join payers on payers.movement_id = running.movement_id
  where running.is_limited
){{ end_stage() }},

-- Every unit that a pool was ever short of has a number; a later line that takes one back takes the highest.
unit_numbers as (
  select subscription_id, pool, row_number() over (partition by subscription_id, pool order by change_number) as unit_number
  from measured
  where quantity < 0 and short_after > 0
),

-- Nearly every change is of one unit, whose number is the higher of the two; only of more the numbers are looked up.
changed_units as (
  select measured.*, greatest(short_before, short_after) as unit_number
  from measured
  where abs(short_after - short_before) = 1
  union all
  select measured.*, unit_numbers.unit_number
  from measured
  join unit_numbers
    on unit_numbers.subscription_id = measured.subscription_id
    and unit_numbers.pool = measured.pool
    and unit_numbers.unit_number > least(measured.short_before, measured.short_after)
    and unit_numbers.unit_number <= greatest(measured.short_before, measured.short_after)
  where abs(measured.short_after - measured.short_before) > 1
),

shortage_steps as (
  select
    changed_units.*,
    short_after > short_before as is_raised,
    case when overflows_to is not null then 'overflow' else 'overage' end as shortage_kind,
    case when overflows_to is not null then 'overflow:' else 'overage:' end || movement_id || ':' || cast(unit_number as string) as shortage_id
  from changed_units
),

shortage_lines as (
  select
    shortage_id as movement_id, customer_id, subscription_id, pool, shortage_kind as movement_kind,
    cast(case when is_raised then 1 else -1 end as bigint) as quantity,
    change_rank, change_id, cause_kind, cause_id, ticket_id,
    -- At one level, raising and taking back alternate.
    case when not is_raised then lag(shortage_id) over (partition by subscription_id, pool, unit_number order by change_number) end
      as undoes_movement_id,
    case
      when is_raised and overflows_to is not null then 'pool used up: taken from ' || overflows_to
      when is_raised then 'over the included number'
      when overflows_to is not null then 'unit free again: given back to ' || overflows_to
      else 'settled by: ' || reason
    end as reason,
    case when not is_raised then paid_by end as paid_by, happened_at, known_at, change_number, case when is_raised then -1 else 1 end as place,
    -- What was short last is taken back first.
    case when is_raised then unit_number else -unit_number end as place_number
  from shortage_steps
),

expiry_steps as (
  select measured.*, expired_after - expired_before as expired_quantity, 'expiry:' || movement_id as expiry_id
  from measured
  where expired_after <> expired_before
),

-- A unit that is drawn after the end comes back from the line in which it expired: the latest one that reached its level.
undone_expiries as (
  select
    undoing.movement_id,
    max(earlier.change_number) as taken_number
  from expiry_steps as undoing
  join expiry_steps as earlier
    on earlier.subscription_id = undoing.subscription_id
    and earlier.pool = undoing.pool
    and earlier.change_number < undoing.change_number
    and earlier.expired_before < undoing.expired_before
    and earlier.expired_after >= undoing.expired_before
  where undoing.expired_quantity < 0
  group by undoing.movement_id
),

expiry_lines as (
  select
    expiry_steps.expiry_id as movement_id, expiry_steps.customer_id, expiry_steps.subscription_id, expiry_steps.pool,
    'expiry' as movement_kind, cast(-expiry_steps.expired_quantity as bigint) as quantity, expiry_steps.change_rank, expiry_steps.change_id,
    expiry_steps.cause_kind, expiry_steps.cause_id, expiry_steps.ticket_id, earlier.expiry_id as undoes_movement_id,
    case
      when expiry_steps.movement_kind = 'end' then expiry_steps.reason
      when expiry_steps.expired_quantity > 0 then 'given back after the term ended'
      else 'drawn after the term ended: not expired'
    end as reason,
    expiry_steps.paid_by, expiry_steps.happened_at, expiry_steps.known_at, expiry_steps.change_number,
    case when expiry_steps.expired_quantity > 0 then 2 else -2 end as place, cast(0 as bigint) as place_number
  from expiry_steps
  left join undone_expiries on undone_expiries.movement_id = expiry_steps.movement_id
  left join expiry_steps as earlier
    on earlier.subscription_id = expiry_steps.subscription_id
    and earlier.pool = expiry_steps.pool
    and earlier.change_number = undone_expiries.taken_number
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
  order by lines.change_number, lines.place nulls last, lines.place_number nulls last
  rows between unbounded preceding and current row
)
{% endmacro %}
