-- Grain: one row per customer and month in which a promise to it was settled, submitted or still ran: the index of reports.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
customers as (select * from {{ ref('dim_customers') }}),

months as (
  select customer_id, compliance_month as month, cast(null as varchar) as submitted_ticket_id, as_of from obligations
  union all
  select customer_id, submitted_month, ticket_id, as_of from obligations
)

select
  customers.customer_id || ':' || months.month as report_key,
  customers.customer_id,
  customers.customer_name,
  customers.time_zone,
  customers.locale,
  months.month,
  count(distinct months.submitted_ticket_id) as tickets_submitted_count,
  max(months.as_of) as as_of
from months
join customers on customers.customer_id = months.customer_id
group by customers.customer_id, customers.customer_name, customers.time_zone, customers.locale, months.month
