-- Grain: one row per month basis, month, customer, plan, obligation, severity in force and group. Counts only: a rate is formed where it
-- is read (pipeline/reporting/compliance.py), so that every cut of the rows divides the same sums.
-- `settled`: the month in which the verdict fell; what still runs stands in the month of as_of. `submitted`: the month of submission.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
tickets as (select ticket_id, group_name from {{ ref('dim_tickets') }}),
customers as (select * from {{ ref('dim_customers') }}),
months as (select * from {{ ref('dim_months') }}),

cut as (
  select 'settled' as month_basis, compliance_month as month, obligations.* from obligations
  union all
  select 'submitted' as month_basis, submitted_month as month, obligations.* from obligations
)

select
  cut.month_basis || ':' || cut.month || ':' || coalesce(customers.customer_id, '-') || ':' || coalesce(cut.plan_version, '-') || ':'
    || cut.obligation || ':' || coalesce(cast(cut.severity_in_force as string), '-') || coalesce(':' || tickets.group_name, '')
    as compliance_key,
  cut.month_basis,
  cut.month,
  -- Null for an unknown customer: the ticket keeps the name that its source gave.
  customers.customer_id,
  max(customers.customer_name) as customer_name,
  max(cut.plan) as plan,
  cut.plan_version,
  cut.obligation,
  max(cut.obligation_kind) as obligation_kind,
  cut.severity_in_force as severity,
  -- Null where the ticket had none, or its source does not say it.
  tickets.group_name,
  cut.time_zone,
  {{ count_statuses('cut') }},
  months.is_month_running,
  max(cut.as_of) as as_of
from cut
join months on months.time_zone = cut.time_zone and months.month = cut.month
left join customers on customers.customer_id = cut.customer_id
left join tickets on tickets.ticket_id = cut.ticket_id
group by
  cut.month_basis, cut.month, customers.customer_id, cut.plan_version, cut.obligation, cut.severity_in_force, tickets.group_name,
  cut.time_zone, months.is_month_running
