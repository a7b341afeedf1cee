-- A movement that takes another back names one that exists in the same pool and stands above it in the statement.
with
movements as (select * from {{ ref('fct_entitlement_movements') }})

select undoing.movement_id, undoing.undoes_movement_id
from movements as undoing
left join movements as undone
  on undone.movement_id = undoing.undoes_movement_id
  and undone.subscription_id = undoing.subscription_id
  and undone.pool = undoing.pool
  and undone.statement_line < undoing.statement_line
where undoing.undoes_movement_id is not null
  and undone.movement_id is null
