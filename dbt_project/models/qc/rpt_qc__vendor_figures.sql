-- Grain: one row per ticket and vendor figure: what they say, what we say, why the two differ, who is right, and the group of like differences.
-- A calendar figure is compared with wall time, a figure of business hours with our own clock. The first reason that holds is named;
-- the reasons are the seed vendor_figure_reasons. Differences of one cause that follow each other in time are one group.
with
figures as (select * from {{ ref('fct_vendor_sla_figures') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
events as (select * from {{ ref('fct_ticket_events') }}),
sources as (select * from {{ ref('dim_sources') }}),
rule_changes as (select * from {{ ref('vendor_rule_changes') }}),
reasons as (select * from {{ ref('vendor_figure_reasons') }}),

stops as (select event_id, ticket_id, max(window_seconds) as window_seconds, bool_or(is_derived) as is_derived from events group by event_id, ticket_id),

compared as (
  select
    figures.*,
    obligations.obligation_key,
    obligations.status_before_waiver,
    obligations.clock_name,
    obligations.target_seconds,
    obligations.remaining_seconds,
    obligations.starts_at,
    obligations.stopped_at,
    coalesce(stops.is_derived, false) as is_derived,
    coalesce(stops.window_seconds, 0) as window_seconds,
    rule_changes.changed_at,
    rule_changes.difference_reason as changed_reason,
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
  join sources on sources.source = figures.source
  left join rule_changes on rule_changes.source_type = sources.source_type
  left join obligations
    on obligations.ticket_id = figures.ticket_id
    and obligations.obligation = figures.obligation
    and obligations.cycle_number = figures.cycle_number
  left join stops on stops.ticket_id = obligations.ticket_id and stops.event_id = obligations.stopping_event_id
),

measured as (
  select
    compared.*,
    compared.our_seconds - compared.they_seconds as difference_seconds,
    coalesce(compared.they_stopped_at, compared.stopped_at, compared.read_at, compared.starts_at) as happened_at,
    -- The vendor's verdict needs one of ours; what still runs has none unless it is over target already, on either side.
    compared.they_breached is not null
      and compared.status_before_waiver in ('met', 'breached')
      and (compared.they_breached or compared.stopped_at is not null or compared.they_stopped_at is not null) as is_verdict_compared
  from compared
),

judged as (
  select
    measured.*,
    is_verdict_compared and they_breached <> (status_before_waiver = 'breached') as is_verdict_other,
    -- Both are cut off: theirs to its unit, ours to the window of the instant at which the clock stopped.
    difference_seconds between -(unit_seconds - 1) and unit_seconds - 1 + window_seconds as is_within_precision
  from measured
),

explained as (
  select
    judged.*,
    case
      when obligation_key is null then 'no_counterpart'
      when status_before_waiver not in ('met', 'breached', 'pending') then 'ours_not_assessed'
      when is_verdict_other and goal_seconds <> target_seconds then 'other_goal'
      when is_verdict_other and goal_seconds is null and not they_breached and coalesce(clock_kind, 'business') = 'business'
        and coalesce(is_within_precision, true) and happened_at >= changed_at then changed_reason
      when is_verdict_other and is_within_precision and abs(remaining_seconds) <= unit_seconds - 1 + window_seconds
        then 'verdict_within_precision'
      -- The same time and another verdict: it was held against another target.
      when is_verdict_other and is_within_precision and goal_seconds is null then 'no_goal_stated'
      when is_verdict_other and is_within_precision then 'other_verdict'
      when difference_seconds = 0 then 'equal'
      when is_derived then 'ours_derived_from_theirs'
      when is_within_precision then 'within_precision'
      when difference_seconds is null and is_verdict_compared and not is_verdict_other then 'equal_verdict'
      when figure_kind = 'remaining' and goal_seconds is null and difference_seconds is not null then 'no_goal_stated'
      when they_started_at <> starts_at then 'different_start'
      when they_stopped_at < coalesce(stopped_at, as_of_end) then 'stop_not_in_export'
      when they_stopped_at > stopped_at then 'different_stop'
      when goal_seconds <> target_seconds and figure_kind = 'remaining' then 'other_goal'
      when difference_seconds is null and not is_verdict_compared then 'nothing_to_compare'
      when difference_seconds is null then 'other_verdict'
      when clock_kind = 'business' then 'their_business_hours'
      else 'unexplained'
    end as difference_reason
  from judged
  cross join (select cast('{{ var("open_end") }}' as timestamp) as as_of_end) as ends
),

told as (
  select
    explained.*,
    reasons.who_is_right,
    reasons.is_difference,
    sum(case when reasons.who_is_right = 'both' then 1 else 0 end) over so_far as agreeing_count
  from explained
  join reasons on reasons.difference_reason = explained.difference_reason
  window so_far as (
    partition by explained.source, explained.figure, explained.obligation, explained.clock_kind
    order by explained.happened_at nulls last, explained.vendor_figure_key
    rows between unbounded preceding and current row
  )
),

differing as (
  select
    told.vendor_figure_key,
    told.source,
    told.figure,
    told.obligation,
    told.clock_kind,
    told.happened_at,
    case
      when lag(difference_reason) over in_time = difference_reason
        and agreeing_count - lag(agreeing_count) over in_time <= {{ var("agreeing_figures_in_group") }} then 0
      else 1
    end as starts_group
  from told
  where is_difference
  window in_time as (partition by source, figure, obligation, clock_kind order by happened_at nulls last, vendor_figure_key)
),

grouped as (
  select
    vendor_figure_key,
    source || ':' || coalesce(figure, '') || ':' || coalesce(obligation, '') || ':' || coalesce(clock_kind, '') || ':' || cast(
      sum(starts_group) over (
        partition by source, figure, obligation, clock_kind order by happened_at nulls last, vendor_figure_key rows between unbounded preceding and current row
      ) as string) as group_key
  from differing
)

select
  told.vendor_figure_key,
  told.ticket_id,
  told.customer_id,
  told.figure,
  told.obligation,
  told.cycle_number,
  told.figure_kind,
  told.clock_kind,
  told.clock_name,
  told.obligation_key,
  told.status_before_waiver,
  told.they_seconds,
  cast(told.our_seconds as bigint) as our_seconds,
  cast(told.difference_seconds as bigint) as difference_seconds,
  told.unit_seconds,
  told.goal_seconds,
  told.target_seconds,
  told.they_breached,
  case when told.status_before_waiver in ('met', 'breached') then told.status_before_waiver = 'breached' end as we_breached,
  told.difference_reason,
  told.who_is_right,
  grouped.group_key,
  told.happened_at,
  told.they_started_at,
  told.they_stopped_at,
  told.starts_at,
  told.stopped_at,
  told.source,
  told.source_file,
  told.line_number,
  told.batch_id
from told
left join grouped on grouped.vendor_figure_key = told.vendor_figure_key
