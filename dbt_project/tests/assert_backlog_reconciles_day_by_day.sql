-- Day by day: what was open at the end of the day before, opened, reopened and ended, gives what is open at the end of the day. What is
-- open is counted here from the tickets, on every day on which something changed, and not from what entered and left.
with
changes as (select * from {{ ref('mart_manager__backlog_changes') }}),
spans as (select * from {{ ref('fct_ticket_open_spans') }}),
days as (select * from {{ ref('dim_days') }}),
customers as (select * from {{ ref('dim_customers') }}),

flows as (
  select
    time_zone,
    coalesce(customer_id, '-') as customer_id,
    day,
    sum(entered_count - left_count) as moved,
    sum(opened_count + reopened_count - ended_count) as flowed
  from changes
  group by time_zone, coalesce(customer_id, '-'), day
),

balances as (
  select flows.*, sum(flowed) over (partition by time_zone, customer_id order by day nulls last) as open_count
  from flows
),

-- The last day with a change, for each customer and zone, and the first of each month: counted ticket by ticket.
sample_days as (
  select time_zone, customer_id, max(day) as day from balances group by time_zone, customer_id
  union
  select time_zone, customer_id, min(day) from balances group by time_zone, customer_id, substr(cast(day as string), 1, 7)
),

counted as (
  select sample_days.time_zone, sample_days.customer_id, sample_days.day, count(distinct spans.ticket_id) as open_count
  from sample_days
  join days on days.time_zone = sample_days.time_zone and days.day = sample_days.day
  left join (
    select spans.*, coalesce(customers.customer_id, '-') as known_customer_id
    from spans
    left join customers on customers.customer_id = spans.customer_id
  ) as spans
    on spans.time_zone = sample_days.time_zone
    and spans.known_customer_id = sample_days.customer_id
    and spans.starts_at < days.ends_at
    and spans.ends_at >= days.ends_at
  group by sample_days.time_zone, sample_days.customer_id, sample_days.day
)

select balances.time_zone, balances.customer_id, balances.day
from balances
left join counted
  on counted.time_zone = balances.time_zone and counted.customer_id = balances.customer_id and counted.day = balances.day
where balances.moved <> balances.flowed
  or counted.open_count <> balances.open_count
