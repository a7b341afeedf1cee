-- The classes of a month sum to its breaches, in every cut of the managers' figures.
with
classed as (
  select compliance_month as month, plan_version, obligation, count(*) as breached_count
  from {{ ref('fct_sla_breaches') }}
  group by compliance_month, plan_version, obligation
),

counted as (
  select month, plan_version, obligation, sum(breached_count) as breached_count
  from {{ ref('mart_manager__monthly_compliance') }}
  where month_basis = 'settled'
  group by month, plan_version, obligation
)

select coalesce(counted.month, classed.month) as month
from counted
full join classed
  on classed.month = counted.month
  and classed.plan_version = counted.plan_version
  and classed.obligation = counted.obligation
where coalesce(counted.breached_count, 0) <> coalesce(classed.breached_count, 0)
