-- What an alert says is consumed and available is what the balance of the same pool says, read from the same movements on another way.
select alerts.alert_key, alerts.consumed_quantity, alerts.available_quantity
from {{ ref('mart_account__alerts') }} as alerts
left join {{ ref('mart_account__entitlement_balances') }} as balances
  on balances.subscription_id = alerts.subscription_id and balances.pool = alerts.pool
where alerts.pool is not null
  and (
    balances.balance_key is null
    or alerts.consumed_quantity <> balances.consumed_quantity
    or alerts.available_quantity <> balances.available_quantity
    or alerts.days_left <> balances.days_left
  )
