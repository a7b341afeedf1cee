-- Grain: one row per cause for which records were refused or tickets could not be judged, and one without a cause for all of each kind.
-- Not judged is a ticket to which no promise applies because of a finding, and one with a promise that is not measurable.
with
sources as (select * from {{ ref('dim_sources') }}),
refused as (select * from {{ ref('fct_refused_records') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),

unjudged as (
  select ticket_id, cast(null as string) as obligation, exclusion_reason as cause from tickets where exclusion_reason is not null
  union
  select obligations.ticket_id, obligations.obligation, obligations.status_reason
  from obligations
  join tickets on tickets.ticket_id = obligations.ticket_id
  where obligations.status = 'not_measurable' and tickets.exclusion_reason is null
),

sums as (
  select
    (select coalesce(sum(records_read), 0) from sources) as records_read,
    (select coalesce(sum(records_refused), 0) from sources) as records_refused,
    (select count(*) from tickets) as ticket_count,
    (select count(distinct ticket_id) from unjudged) as unjudged_count
),

causes as (
  select 'record' as what, column_name as part, reason as cause, sum(refused_count) as affected_count from refused group by column_name, reason
  union all
  select 'ticket', obligation, cause, count(distinct ticket_id) from unjudged group by obligation, cause
)

select
  causes.what || ':' || coalesce(causes.part, '') || ':' || causes.cause as unjudged_key,
  causes.what,
  causes.part,
  causes.cause,
  cast(causes.affected_count as bigint) as affected_count,
  cast(case when causes.what = 'record' then sums.records_read else sums.ticket_count end as bigint) as whole_count
from causes
cross join sums
union all
select 'record', 'record', null, null, cast(records_refused as bigint), cast(records_read as bigint) from sums
union all
select 'ticket', 'ticket', null, null, cast(unjudged_count as bigint), cast(ticket_count as bigint) from sums
