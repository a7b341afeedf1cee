-- Grain: one row per ticket and span of time, half-open, in which it was open with one status, severity and age.
-- Only tickets whose history of statuses is recorded: of another one it is not known how long it was open.
-- Open: neither solved nor closed, deleted, merged or cancelled. Age: whole days of 24 hours since the submission.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
tickets as (select * from {{ ref('dim_tickets') }} where is_statuses_observed {{ and_is_rebuilt() }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where moment like 'status:%' and not is_after_end),
phases as (select * from {{ ref('ticket_statuses') }}),
severity_changes as (select * from {{ ref('int_ticket_timeline__severity_changes') }}),
ticket_ends as (select * from {{ ref('int_helpdesk__ends') }}),
ages as (select * from {{ ref('backlog_ages') }}),

submissions as (
  select
    tickets.*,
    {{ epoch_seconds('tickets.submitted_at') }} as submitted_epoch,
    coalesce(plan_versions.time_zone, 'UTC') as time_zone
  from tickets
  left join plan_versions on plan_versions.plan_version = tickets.plan_version
),

-- A ticket is new until the first status that is recorded. A cancellation counts where it is the end.
status_points as (
  select ticket_id, submitted_epoch as at_epoch, 0 as point_rank, cast(0 as bigint) as point_order, 'new' as set_status from submissions
  union all
  select
    submissions.ticket_id,
    greatest(moments.moment_epoch, submissions.submitted_epoch) as at_epoch,
    1 as point_rank,
    moments.moment_order as point_order,
    case when phases.phase in ('running', 'waiting') then phases.ticket_status else 'ended' end as set_status
  from moments
  join submissions on submissions.ticket_id = moments.ticket_id
  left join phases on phases.ticket_status = substr(moments.moment, 8)
  where moments.moment <> 'status:cancelled'
  union all
  select
    submissions.ticket_id,
    greatest(ticket_ends.ended_epoch, submissions.submitted_epoch) as at_epoch,
    2 as point_rank,
    cast(0 as bigint) as point_order,
    'ended' as set_status
  from ticket_ends
  join submissions on submissions.ticket_id = ticket_ends.ticket_id
),

last_points as (
  select ticket_id, at_epoch, set_status
  from (
    select
      status_points.*,
      row_number() over (partition by ticket_id order by at_epoch desc, point_rank desc, point_order desc) as place
    from status_points
  ) as ranked
  where place = 1
),

points as (
  select ticket_id, at_epoch, point_rank, point_order, set_status, cast(null as integer) as set_severity, cast(null as integer) as set_age
  from status_points
  union all
  select ticket_id, submitted_epoch, 3, 0, null, severity_submitted, 0 from submissions
  union all
  select
    submissions.ticket_id,
    greatest(severity_changes.changed_epoch, submissions.submitted_epoch),
    4,
    severity_changes.change_number,
    null,
    severity_changes.severity,
    null
  from severity_changes
  join submissions on submissions.ticket_id = severity_changes.ticket_id
  union all
  -- A ticket that has ended and was not reopened grows no older.
  select submissions.ticket_id, submissions.submitted_epoch + ages.age_days_from * {{ var('day_seconds') }}, 5, 0, null, null, ages.age_days_from
  from submissions
  join last_points on last_points.ticket_id = submissions.ticket_id
  cross join build_inputs
  join ages
    on ages.age_days_from > 0
    and submissions.submitted_epoch + ages.age_days_from * {{ var('day_seconds') }}
    < case when last_points.set_status = 'ended' then last_points.at_epoch else {{ epoch_seconds('build_inputs.as_of') }} + 1 end
),

-- What a point does not set stays as the one before left it.
runs as (
  select
    points.*,
    count(set_status) over before_and_here as status_run,
    count(set_severity) over before_and_here as severity_run,
    count(set_age) over before_and_here as age_run,
    row_number() over (partition by ticket_id, at_epoch order by point_rank desc, point_order desc) as place_in_second
  from points
  window before_and_here as (
    partition by ticket_id order by at_epoch nulls last, point_rank nulls last, point_order nulls last rows between unbounded preceding and current row
  )
),

states as (
  select
    runs.*,
    max(set_status) over (partition by ticket_id, status_run) as ticket_status,
    max(set_severity) over (partition by ticket_id, severity_run) as severity,
    max(set_age) over (partition by ticket_id, age_run) as age_days_from
  from runs
),

-- The last state of a second is the one in which the ticket was left.
spans as (
  select
    states.*,
    ticket_status <> 'ended' as is_open,
    coalesce(lag(ticket_status) over in_order <> 'ended', false) as was_open,
    row_number() over in_order as span_number,
    lead(at_epoch) over in_order as ends_epoch,
    lead(ticket_status) over in_order as next_status
  from states
  where place_in_second = 1
  window in_order as (partition by ticket_id order by at_epoch nulls last)
)

select
  spans.ticket_id || ':' || cast(spans.span_number as string) as span_key,
  spans.ticket_id,
  submissions.customer_id,
  submissions.plan,
  submissions.time_zone,
  cast(spans.span_number as integer) as span_number,
  spans.ticket_status,
  cast(spans.severity as integer) as severity,
  cast(spans.age_days_from as integer) as age_days_from,
  case when spans.span_number = 1 then 'opened' when spans.was_open then 'changed' else 'reopened' end as start_kind,
  case when spans.ends_epoch is null then 'open' when spans.next_status = 'ended' then 'ended' else 'changed' end as end_kind,
  {{ instant_from_epoch('spans.at_epoch') }} as starts_at,
  case when spans.ends_epoch is null then timestamp '{{ var("open_end") }}' else {{ instant_from_epoch('spans.ends_epoch') }} end as ends_at
from spans
join submissions on submissions.ticket_id = spans.ticket_id
where spans.is_open
