-- Grain: one row per customer and month in which a promise to it was settled, submitted or still ran, or in which one of its terms ran: the
-- index of reports.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
customers as (select * from {{ ref('dim_customers') }}),
customer_months as (select * from {{ ref('dim_customer_months') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
sources as (select * from {{ ref('dim_sources') }}),
builds as (select * from {{ ref('dim_builds') }}),

reported as (
  select customer_id, compliance_month as month, cast(null as string) as submitted_ticket_id, status, could_be, as_of from obligations
  union all
  select customer_id, submitted_month, ticket_id, null, null, as_of from obligations
),

running as (
  select customer_months.*, least(customer_months.ends_at, builds.as_of) as read_until, builds.as_of
  from customer_months
  cross join builds
),

-- Where a customer has asked for nothing yet, every source may be the one that it would have asked in.
customer_sources as (
  select distinct customer_id, source from tickets
  union
  select customers.customer_id, sources.source
  from customers
  cross join sources
  where not exists (select 1 from tickets where tickets.customer_id = customers.customer_id)
),

-- A source of the customer's tickets that lags behind the others leaves a month open that goes on after it. One that has been silent for
-- as long as its rhythm is looked at has ended: nothing more is waited for.
stale_sources as (
  select
    running.customer_id,
    running.month,
    sources.source,
    sources.read_until,
    row_number() over (partition by running.customer_id, running.month order by sources.read_until nulls last, sources.source nulls last) as source_rank
  from running
  join customer_sources on customer_sources.customer_id = running.customer_id
  join sources on sources.source = customer_sources.source and sources.is_lagging
  where sources.read_until < running.read_until
    and {{ epoch_seconds('running.read_until') }} - {{ epoch_seconds('sources.read_until') }} <= {{ var("rhythm_seconds") }}
)

select
  running.customer_month_key as report_key,
  customers.customer_id,
  customers.customer_name,
  customers.time_zone,
  customers.locale,
  running.month,
  count(distinct reported.submitted_ticket_id) as tickets_submitted_count,
  count(case when reported.status = 'met' then 1 end) as met_count,
  count(case when reported.status = 'breached' then 1 end) as breached_count,
  count(case when reported.status = 'met' or reported.could_be = 'met' then 1 end) as lower_met_count,
  count(case when reported.status = 'met' or reported.could_be in ('met', 'either') then 1 end) as upper_met_count,
  count(case when reported.status in ('met', 'breached', 'not_measurable') then 1 end) as bounded_count,
  running.is_month_running,
  stale_sources.source as stale_source,
  stale_sources.read_until as stale_source_read_until,
  running.as_of
from running
join customers on customers.customer_id = running.customer_id
left join reported on reported.customer_id = running.customer_id and reported.month = running.month
left join stale_sources
  on stale_sources.customer_id = running.customer_id and stale_sources.month = running.month and stale_sources.source_rank = 1
group by
  running.customer_month_key, customers.customer_id, customers.customer_name, customers.time_zone, customers.locale, running.month,
  running.is_month_running, running.as_of, stale_sources.source, stale_sources.read_until
