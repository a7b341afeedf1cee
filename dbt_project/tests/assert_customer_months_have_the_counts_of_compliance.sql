-- A customer's month must count what the managers' figures count of that customer, bounds included.
with
compliance as (
  select
    customer_id,
    month,
    sum(met_count) as met_count,
    sum(breached_count) as breached_count,
    sum(lower_met_count) as lower_met_count,
    sum(upper_met_count) as upper_met_count,
    sum(bounded_count) as bounded_count
  from {{ ref('mart_manager__monthly_compliance') }}
  where month_basis = 'settled' and customer_id is not null
  group by customer_id, month
),

reports as (
  select customer_id, month, met_count, breached_count, lower_met_count, upper_met_count, bounded_count
  from {{ ref('mart_customer__monthly_report') }}
),

differences as (
  (select * from compliance except select * from reports)
  union all
  -- A month in which tickets were submitted and nothing was settled counts nothing.
  (select * from reports where bounded_count > 0 except select * from compliance)
)

select * from differences
