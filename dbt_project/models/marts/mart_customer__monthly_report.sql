-- Grain: one row per customer and month in which a promise to it was settled, submitted or still ran: the index of reports.
with
compliance as (select * from {{ ref('mart_manager__monthly_compliance') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
customers as (select * from {{ ref('dim_customers') }}),

submissions as (
  select customer_id, submitted_month as month, count(distinct ticket_id) as tickets_submitted_count
  from obligations
  group by customer_id, submitted_month
),

months as (
  select customer_id, month, max(as_of) as as_of from compliance group by customer_id, month
)

select
  customers.customer_id || ':' || months.month as report_key,
  customers.customer_id,
  customers.customer_name,
  customers.time_zone,
  customers.locale,
  months.month,
  coalesce(submissions.tickets_submitted_count, 0) as tickets_submitted_count,
  months.as_of
from months
join customers on customers.customer_id = months.customer_id
left join submissions on submissions.customer_id = months.customer_id and submissions.month = months.month
