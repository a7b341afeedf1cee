-- Grain: one row per ticket and vendor figure that has a counterpart of ours: what they say, what we say, and why the two differ.
-- A calendar figure is compared with wall time, a figure of business hours with our own clock. The first reason that holds is named;
-- the reasons are the seed vendor_figure_reasons.
with
figures as (select * from {{ ref('fct_vendor_sla_figures') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
events as (select * from {{ ref('fct_ticket_events') }}),

derived_stops as (select distinct event_id, ticket_id from events where is_derived),

compared as (
  select
    figures.*,
    obligations.obligation_key,
    obligations.status_before_waiver,
    obligations.clock_name,
    obligations.target_seconds,
    obligations.starts_at,
    obligations.stopped_at,
    derived_stops.event_id is not null as is_derived,
    case
      when obligations.status_before_waiver not in ('met', 'breached', 'pending') then null
      when figures.figure_kind = 'remaining' then obligations.remaining_seconds
      when figures.figure_kind = 'target' then null
      when figures.clock_kind = 'calendar' and obligations.stopped_at is not null
        then {{ epoch_seconds('obligations.stopped_at') }} - {{ epoch_seconds('obligations.starts_at') }}
      when figures.clock_kind = 'calendar' then null
      else obligations.elapsed_seconds
    end as our_seconds
  from figures
  join obligations
    on obligations.ticket_id = figures.ticket_id
    and obligations.obligation = figures.obligation
    and obligations.cycle_number = figures.cycle_number
  left join derived_stops
    on derived_stops.ticket_id = obligations.ticket_id and derived_stops.event_id = obligations.stopping_event_id
),

measured as (
  select
    compared.*,
    compared.our_seconds - compared.they_seconds as difference_seconds,
    -- The vendor's verdict needs one of ours; what still runs has none unless it is over target already.
    compared.they_breached is not null and compared.status_before_waiver in ('met', 'breached') as is_verdict_compared
  from compared
)

select
  vendor_figure_key,
  ticket_id,
  customer_id,
  figure,
  obligation,
  cycle_number,
  figure_kind,
  clock_kind,
  clock_name,
  obligation_key,
  status_before_waiver,
  they_seconds,
  cast(our_seconds as bigint) as our_seconds,
  cast(difference_seconds as bigint) as difference_seconds,
  unit_seconds,
  goal_seconds,
  target_seconds,
  they_breached,
  case when status_before_waiver in ('met', 'breached') then status_before_waiver = 'breached' end as we_breached,
  case
    when status_before_waiver not in ('met', 'breached', 'pending') then 'ours_not_assessed'
    when is_verdict_compared and they_breached <> (status_before_waiver = 'breached') and goal_seconds <> target_seconds then 'other_goal'
    when difference_seconds = 0 then 'equal'
    when is_derived then 'ours_derived_from_theirs'
    when difference_seconds is null and is_verdict_compared and they_breached = (status_before_waiver = 'breached') then 'equal_verdict'
    when figure_kind = 'remaining' and goal_seconds is null and difference_seconds is not null and abs(difference_seconds) >= unit_seconds
      then 'no_goal_stated'
    when they_started_at <> starts_at then 'different_start'
    when they_stopped_at <> stopped_at then 'different_stop'
    when abs(difference_seconds) < unit_seconds then 'floored_to_the_unit'
    when goal_seconds <> target_seconds and figure_kind = 'remaining' then 'other_goal'
    when difference_seconds is null and not is_verdict_compared then 'nothing_to_compare'
    when difference_seconds is null then 'other_verdict'
    when clock_kind = 'business' then 'their_business_hours'
    else 'unexplained'
  end as difference_reason,
  they_started_at,
  they_stopped_at,
  starts_at,
  stopped_at,
  source,
  source_file,
  line_number,
  batch_id
from measured
