-- Grain: one row per ticket, obligation, cycle and reading (int_promises__cycles), also when nothing happened: the spine of all verdicts.
-- A ticket has a row for every obligation that any plan file declares, so that a promise which was not made is shown as not made.
with
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }}),
plan_obligations as (select * from {{ source('raw', 'plan_obligations') }}),
plan_moments as (select * from {{ source('raw', 'plan_moments') }}),
plan_pauses as (select * from {{ source('raw', 'plan_pauses') }}),
moment_kinds as (select * from {{ ref('ticket_moments') }}),
cycles as (select * from {{ ref('int_promises__cycles') }}),
over_quota_tickets as (select * from {{ ref('int_entitlements__over_quota_tickets') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
ends as (select * from {{ ref('int_helpdesk__ends') }}),

obligations as (select distinct obligation from plan_obligations),

needed_evidence as (
  select
    plan_moments.plan_version,
    plan_moments.obligation,
    max(case when plan_moments.role = 'start' and moment_kinds.evidence_kind = 'debug' then 1 else 0 end) as start_needs_debug,
    max(case when plan_moments.role = 'start' and moment_kinds.evidence_kind = 'messages' then 1 else 0 end) as start_needs_messages,
    max(case when plan_moments.role = 'start' and plan_moments.moment <> 'submitted' then 1 else 0 end) as starts_after_submission,
    max(case when plan_moments.role = 'start' and moment_kinds.evidence_kind = 'statuses'
      and plan_moments.moment <> 'reopened' then 1 else 0 end) as start_needs_statuses,
    max(case when plan_moments.role = 'start' and plan_moments.moment not in ('submitted', 'reopened') then 1 else 0 end) as starts_otherwise,
    max(case when plan_moments.role = 'stop' and plan_moments.moment = 'ai_message' then 1 else 0 end) as stops_on_ai,
    max(case when plan_moments.role = 'stop' and moment_kinds.evidence_kind = 'debug' then 1 else 0 end) as stop_needs_debug,
    max(case when plan_moments.role = 'stop' and moment_kinds.evidence_kind = 'messages' then 1 else 0 end) as stop_needs_messages,
    max(case when plan_moments.role = 'stop' and moment_kinds.evidence_kind = 'statuses' then 1 else 0 end) as stop_needs_statuses,
    max(case when plan_moments.role = 'stop' and moment_kinds.evidence_kind = 'resolution' then 1 else 0 end) as stop_needs_resolution
  from plan_moments
  join moment_kinds on moment_kinds.moment = plan_moments.moment
  group by plan_moments.plan_version, plan_moments.obligation
),

obligations_with_pauses as (select distinct plan_version, obligation from plan_pauses),

-- A vendor's public message within the window of the submission is the opening text, or the first answer; so is an AI's where the plan
-- takes one for an answer.
tickets_with_doubtful_opening as (
  select
    moments.ticket_id,
    max(case when events.actor_kind = 'agent' then 1 else 0 end) as is_of_agent,
    max(case when events.actor_kind = 'ai' then 1 else 0 end) as is_of_ai
  from moments
  join events on events.ticket_id = moments.ticket_id and events.event_id = moments.event_id
  join ticket_terms on ticket_terms.ticket_id = moments.ticket_id
  where moments.moment = 'opener_message'
    and events.actor_kind in ('agent', 'ai')
    and events.is_public
    and not events.is_opening
    and moments.moment_epoch > ticket_terms.submitted_epoch
  group by moments.ticket_id
),

submissions as (select ticket_id, event_id from moments where moment = 'submitted')

select
  ticket_terms.ticket_id,
  obligations.obligation,
  coalesce(cycles.cycle_number, 1) as cycle_number,
  ticket_terms.ticket_id || ':' || obligations.obligation || ':' || cast(coalesce(cycles.cycle_number, 1) as string)
    || case when cycles.reading <> 'plan' then ':' || cycles.reading else '' end as obligation_key,
  coalesce(cycles.reading, 'plan') as reading,
  ticket_terms.source,
  ticket_terms.customer_id,
  ticket_terms.subscription_id,
  ticket_terms.plan,
  ticket_terms.plan_version,
  ticket_terms.time_zone,
  ticket_terms.availability_clock,
  ticket_terms.severity_raised,
  ticket_terms.severity_lowered,
  ticket_terms.severity_submitted,
  ticket_terms.severity_exported,
  ticket_terms.is_severity_known,
  ticket_terms.level_doubtful_from_epoch,
  ticket_terms.level_unordered_from_epoch,
  ticket_terms.submitted_at,
  ticket_terms.submitted_epoch,
  plan_obligations.kind as obligation_kind,
  cycles.starts_epoch,
  -- The clock started within these two; at the first instant of a submission that is a window, at the last one of an event.
  cycles.earliest_start_epoch,
  case
    when cycles.starting_event_id = ticket_terms.ticket_id || ':submitted' then least(ticket_terms.latest_submitted_epoch, ticket_terms.read_until_epoch)
    else cycles.starts_epoch
  end as latest_start_epoch,
  cycles.starts_order,
  cycles.order_unknown_from_epoch,
  cycles.stopped_epoch,
  cycles.stops_order,
  cycles.stopping_event_id,
  -- The ticket ended in the second of the stop, and no order of the two is known.
  cycles.stopped_epoch = ends.ended_epoch and ends.order_space <> events.order_space as is_end_unordered,
  case
    when (
        tickets_with_doubtful_opening.is_of_agent = 1
        or (
          tickets_with_doubtful_opening.is_of_ai = 1
          and coalesce(cycles.reading, 'plan') <> 'humans_alone'
          and (needed_evidence.stops_on_ai = 1 or cycles.reading = 'with_ai')
        )
      )
      and needed_evidence.stop_needs_messages = 1 and needed_evidence.starts_after_submission = 0 then cycles.starts_epoch
    when cycles.stopped_epoch is not null then cycles.earliest_stop_epoch
    else ending_events.earliest_epoch
  end as earliest_stop_epoch,
  coalesce(events.moves_with_submission, false) as moves_with_submission,
  ends.ended_epoch,
  ends.ending_reason,
  -- The instant up to which the clock is read: the stop, else the end of the ticket, else the data's own horizon.
  coalesce(cycles.stopped_epoch, ends.ended_epoch, ticket_terms.read_until_epoch) as read_until_epoch,
  plan_obligations.cycles as cycle_rule,
  coalesce(obligations_with_pauses.obligation is not null or plan_obligations.cycles = 'resume', false) as has_pauses,
  -- A ticket that is known never to have been reopened has no gap between two turns, and a plan without pauses needs no evidence of any.
  coalesce(
    not ticket_terms.is_statuses_observed
    and (
      obligations_with_pauses.obligation is not null
      or (plan_obligations.cycles = 'resume' and not (ticket_terms.is_never_reopened and needed_evidence.starts_otherwise = 0))
    ),
    false
  ) as is_pause_unobserved,
  case
    when ticket_terms.exclusion_reason is not null then ticket_terms.exclusion_reason
    when plan_obligations.obligation is null then 'no_such_promise'
    when over_quota_tickets.ticket_id is not null and not ticket_terms.is_over_quota_covered then 'over_quota'
    when (needed_evidence.start_needs_debug = 1 and not ticket_terms.is_debug_observed)
      or (needed_evidence.start_needs_messages = 1 and not ticket_terms.is_messages_observed)
      or (needed_evidence.start_needs_statuses = 1 and not ticket_terms.is_statuses_observed)
      then 'start_not_observed'
    when needed_evidence.stop_needs_resolution = 1 and ticket_terms.is_resolved_before_submission and submissions.event_id is not null
      then 'stop_before_start'
    when needed_evidence.stop_needs_resolution = 1 and ticket_terms.resolution_contradiction is not null
      then ticket_terms.resolution_contradiction
    when (needed_evidence.stop_needs_debug = 1 and not ticket_terms.is_debug_observed)
      -- A source may show the first answer alone: enough for what runs from the submission, and for nothing later.
      or (
        needed_evidence.stop_needs_messages = 1
        and not ticket_terms.is_messages_observed
        and not (ticket_terms.is_first_response_observed and needed_evidence.starts_after_submission = 0)
      )
      or (needed_evidence.stop_needs_statuses = 1 and not ticket_terms.is_statuses_observed)
      or (needed_evidence.stop_needs_resolution = 1 and not ticket_terms.is_resolution_observed)
      then 'stop_not_observed'
    when needed_evidence.stop_needs_messages = 1 and ticket_terms.is_answered_before_submission and submissions.event_id is not null
      then 'stop_before_start'
    when cycles.ticket_id is null and ticket_terms.is_opened_by_vendor
      and needed_evidence.stop_needs_messages = 1 and needed_evidence.starts_after_submission = 0 then 'opened_by_vendor'
    when cycles.ticket_id is null then 'not_started'
    when not ticket_terms.is_severity_known then 'unknown_severity'
  end as exclusion_reason
from ticket_terms
cross join obligations
left join plan_obligations
  on plan_obligations.plan_version = ticket_terms.plan_version and plan_obligations.obligation = obligations.obligation
left join needed_evidence
  on needed_evidence.plan_version = ticket_terms.plan_version and needed_evidence.obligation = obligations.obligation
left join obligations_with_pauses
  on obligations_with_pauses.plan_version = ticket_terms.plan_version
  and obligations_with_pauses.obligation = obligations.obligation
left join cycles on cycles.ticket_id = ticket_terms.ticket_id and cycles.obligation = obligations.obligation
left join submissions on submissions.ticket_id = cycles.ticket_id and submissions.event_id = cycles.starting_event_id
left join over_quota_tickets on over_quota_tickets.ticket_id = ticket_terms.ticket_id
left join ends on ends.ticket_id = ticket_terms.ticket_id
left join tickets_with_doubtful_opening on tickets_with_doubtful_opening.ticket_id = ticket_terms.ticket_id
left join events on events.ticket_id = cycles.ticket_id and events.event_id = cycles.stopping_event_id
left join events as ending_events
  on ending_events.ticket_id = ends.ticket_id and ending_events.event_id = ends.event_id
