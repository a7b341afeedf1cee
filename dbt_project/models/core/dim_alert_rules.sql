-- Grain: one row per kind of alert and limit that sla.yml sets for it.
select
  alert_kind || ':' || cast(limit_quantity as string) as alert_rule_key,
  alert_kind,
  limit_quantity
from {{ source('raw', 'alert_rules') }}
