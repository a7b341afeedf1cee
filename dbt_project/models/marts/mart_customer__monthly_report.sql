-- Grain: one row per customer and month in which a promise to it was settled, submitted or still ran: the index of reports.
with
obligations as (select * from {{ ref('fct_sla_obligations') }}),
customers as (select * from {{ ref('dim_customers') }}),
months as (select * from {{ ref('dim_months') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
sources as (select * from {{ ref('dim_sources') }}),
builds as (select * from {{ ref('dim_builds') }}),

reported as (
  select customer_id, compliance_month as month, cast(null as varchar) as submitted_ticket_id, status, could_be, as_of from obligations
  union all
  select customer_id, submitted_month, ticket_id, null, null, as_of from obligations
),

-- Plans of several time zones: the month of the customer runs until it has ended in the last of them.
zones as (select distinct customer_id, time_zone from obligations),

running as (
  select
    zones.customer_id,
    months.month,
    max(case when months.is_month_running then 1 else 0 end) = 1 as is_month_running,
    least(max(months.ends_at), max(builds.as_of)) as read_until
  from zones
  join months on months.time_zone = zones.time_zone
  cross join builds
  group by zones.customer_id, months.month
),

-- A source of the customer's tickets that lags behind the others leaves a month open that goes on after it. One that has been silent for
-- as long as its rhythm is looked at has ended: nothing more is waited for.
stale_sources as (
  select
    running.customer_id,
    running.month,
    sources.source,
    sources.read_until,
    row_number() over (partition by running.customer_id, running.month order by sources.read_until, sources.source) as source_rank
  from running
  join (select distinct customer_id, source from tickets) as customer_sources on customer_sources.customer_id = running.customer_id
  join sources on sources.source = customer_sources.source and sources.is_lagging
  where sources.read_until < running.read_until
    and {{ epoch_seconds('running.read_until') }} - {{ epoch_seconds('sources.read_until') }} <= {{ var("rhythm_seconds") }}
)

select
  customers.customer_id || ':' || reported.month as report_key,
  customers.customer_id,
  customers.customer_name,
  customers.time_zone,
  customers.locale,
  reported.month,
  count(distinct reported.submitted_ticket_id) as tickets_submitted_count,
  count(case when reported.status = 'met' then 1 end) as met_count,
  count(case when reported.status = 'breached' then 1 end) as breached_count,
  count(case when reported.status = 'met' or reported.could_be = 'met' then 1 end) as lower_met_count,
  count(case when reported.status = 'met' or reported.could_be in ('met', 'either') then 1 end) as upper_met_count,
  count(case when reported.status in ('met', 'breached', 'not_measurable') then 1 end) as bounded_count,
  running.is_month_running,
  stale_sources.source as stale_source,
  stale_sources.read_until as stale_source_read_until,
  max(reported.as_of) as as_of
from reported
join customers on customers.customer_id = reported.customer_id
join running on running.customer_id = reported.customer_id and running.month = reported.month
left join stale_sources
  on stale_sources.customer_id = reported.customer_id and stale_sources.month = reported.month and stale_sources.source_rank = 1
group by
  customers.customer_id, customers.customer_name, customers.time_zone, customers.locale, reported.month, running.is_month_running,
  stale_sources.source, stale_sources.read_until
