-- Grain: one row per exported record of a ticket, with what it and the history beside it show of the ticket.
-- What was not shown is not measurable. Where a record of the ticket was refused, or two records contradict each other, it shows less.
with
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
acts as (select * from {{ ref('int_helpdesk__acts') }}),
histories as (select * from {{ ref('int_helpdesk__histories') }}),
gaps as (select * from {{ ref('stg_helpdesk__gaps') }}),
messages as (select * from {{ ref('stg_helpdesk__messages') }}),
statuses as (select * from {{ ref('ticket_statuses') }}),
shown_records as (select * from {{ ref('int_helpdesk__shown_records') }}),
shown_sources as (select * from {{ ref('int_helpdesk__shown_sources') }}),
unmarked_tickets as (select * from {{ ref('int_helpdesk__unmarked_tickets') }}),
tickets_with_unnamed_level as (select * from {{ ref('stg_helpdesk__unnamed_levels') }}),

-- What was said in a chat is no message of an export, and the first answer may stand there.
tickets_with_chat as (select distinct source, ticket_id from messages where message_kind = 'chat'),

-- One unmarked comment leaves a whole file without first responses: only the tickets without an answer would be left, all of them breached.
unmarked_batches as (select distinct source, batch_id from unmarked_tickets),

-- The first answer in the list of messages that stands in a record, and the date of it that the same record gives.
answers as (
  select
    source,
    ticket_id,
    batch_id,
    line_number,
    min(case when act_kind = 'comment' and actor_kind = 'agent' and is_public then event_at end) as first_listed_at,
    min(case when act_kind = 'date' then event_at end) as dated_at
  from acts
  where event_type = 'message' and version_at is not null
  group by source, ticket_id, batch_id, line_number
),

-- The dates of a resolution that stand in a record.
record_dates as (
  select distinct source, ticket_id, batch_id, line_number
  from acts
  where act_kind = 'date' and event_type = 'status_changed' and value in ('solved', 'closed')
),

described as (
  select
    versions.*,
    statuses.phase,
    record_dates.ticket_id is not null as has_resolution_date,
    sources.is_evidence_declared,
    sources.names_submitted_level,
    sources.has_bots,
    sources.declares_debug,
    tickets_with_unnamed_level.ticket_id is not null as is_level_unnamed,
    coalesce(histories.is_whole, true) as is_history_whole,
    coalesce(histories.is_log and histories.is_whole, false) as is_log_whole,
    coalesce(histories.is_declared_whole, false) as is_history_declared,
    tickets_with_chat.ticket_id is not null as has_chat,
    coalesce(gaps.is_in_messages, false) as has_gap_in_messages,
    coalesce(gaps.is_in_statuses, false) as has_gap_in_statuses,
    coalesce(gaps.is_in_debug, false) as has_gap_in_debug,
    coalesce(gaps.is_in_assignments, false) as has_gap_in_assignments,
    coalesce(shown_sources.has_assignments, 0) = 1 as source_has_assignments,
    coalesce(shown_records.has_messages, 0) = 1 as has_messages,
    coalesce(shown_records.has_statuses, 0) = 1 as has_statuses,
    coalesce(shown_sources.has_messages, 0) = 1 as source_has_messages,
    coalesce(shown_sources.has_statuses, 0) = 1 as source_has_statuses,
    sources.is_journal_whole and coalesce(shown_sources.has_messages, 0) = 1 as is_journal_shown,
    {{ has_evidence('versions.evidence', 'unmarked_messages') }} and sources.unmarked_comments is not null as is_list_marked,
    unmarked_batches.batch_id is not null as is_in_unmarked_batch,
    answers.first_listed_at is not null as has_listed_answer,
    -- A message can be deleted, or go to another ticket: then the vendor's own date is of an answer that is not in the list.
    versions.evidence is not null
    and {{ has_evidence('versions.evidence', 'response_date') }}
    and not sources.has_bots
    and answers.dated_at is not null
    and (
      answers.first_listed_at is null
      or {{ epoch_seconds('answers.dated_at') }} + 60 < {{ epoch_seconds('answers.first_listed_at') }}
    ) as is_list_contradicted
  from versions
  join sources on sources.source = versions.source
  left join histories on histories.source = versions.source and histories.ticket_id = versions.ticket_id
  left join gaps on gaps.source = versions.source and gaps.exported_ticket_id = versions.exported_ticket_id
  left join shown_records on shown_records.source = versions.source and shown_records.ticket_id = versions.ticket_id
  left join shown_sources on shown_sources.source = versions.source
  left join tickets_with_chat on tickets_with_chat.source = versions.source and tickets_with_chat.ticket_id = versions.ticket_id
  left join unmarked_batches on unmarked_batches.source = versions.source and unmarked_batches.batch_id = versions.batch_id
  left join statuses on statuses.ticket_status = versions.ticket_status
  left join record_dates
    on record_dates.source = versions.source
    and record_dates.ticket_id = versions.ticket_id
    and record_dates.batch_id = versions.batch_id
    and record_dates.line_number = versions.line_number
  left join tickets_with_unnamed_level
    on tickets_with_unnamed_level.source = versions.source and tickets_with_unnamed_level.ticket_id = versions.ticket_id
  left join answers
    on answers.source = versions.source
    and answers.ticket_id = versions.ticket_id
    and answers.batch_id = versions.batch_id
    and answers.line_number = versions.line_number
),

read as (
  select
    described.*,
    not is_list_contradicted
    and not is_in_unmarked_batch
    and (
      is_log_whole
      or is_journal_shown
      or is_list_marked
      or ({{ has_evidence('evidence', 'messages') }} and (not is_evidence_declared or source_has_messages))
      or ({{ has_evidence('evidence', 'messages_if_any') }} and has_messages)
    ) as shows_messages,
    evidence is not null
    and {{ has_evidence('evidence', 'response_date') }}
    and not {{ has_evidence('evidence', 'messages') }}
    and not has_bots
    and not ({{ has_evidence('evidence', 'first_messages') }} and has_listed_answer and not is_list_contradicted) as uses_response_date
  from described
),

-- A resolution that rests on the dates of a record alone is believed where the status of that record agrees.
contradicted as (
  select
    read.*,
    case
      when version_kind is not null
        or evidence is null
        or not {{ has_evidence('evidence', 'resolution') }}
        or (has_statuses and is_history_whole)
        then null
      when phase in ('running', 'waiting') and has_resolution_date then 'resolution_contradicted'
      when phase = 'ended' and not has_resolution_date then 'closed_without_date'
    end as resolution_contradiction
  from read
)

select
  ticket_id,
  exported_ticket_id,
  source,
  record_id,
  customer_id,
  requester,
  opener,
  channel,
  case when not is_level_unnamed then severity end as severity,
  case when not is_level_unnamed then severity_given end as severity_given,
  subject,
  ticket_type,
  ticket_status,
  version_kind,
  names_submitted_level,
  is_history_whole,
  is_history_declared,
  {{ has_evidence('evidence', 'history') }} and evidence is not null as is_history_inside,
  (
    shows_messages
    or uses_response_date
    or {{ has_evidence('evidence', 'first_response') }}
    or ({{ has_evidence('evidence', 'first_messages') }} and has_listed_answer and not is_list_contradicted)
  )
  and not has_chat
  and not has_gap_in_messages as is_first_response_observed,
  -- Where the submission is a window, only a first answer can be judged: a clock that another event starts is not known.
  shows_messages and latest_submitted_at = submitted_at and not has_chat and not has_gap_in_messages as is_messages_observed,
  (
    is_log_whole
    or is_history_declared
    or (evidence is not null and {{ has_evidence('evidence', 'history') }})
    or ({{ has_evidence('evidence', 'statuses') }} and (not is_evidence_declared or source_has_statuses))
    or ({{ has_evidence('evidence', 'statuses_if_any') }} and has_statuses)
  )
  and is_history_whole
  and not has_gap_in_statuses as is_statuses_observed,
  (
    is_log_whole
    or (evidence is not null and {{ has_evidence('evidence', 'history') }} and is_history_whole)
    or ({{ has_evidence('evidence', 'resolution') }} and reopen_count = 0)
    or ({{ has_evidence('evidence', 'resolution_if_any') }} and has_statuses)
  )
  and not has_gap_in_statuses as is_resolution_observed,
  (
    is_log_whole
    or {{ has_evidence('evidence', 'debug') }}
    or (evidence is not null and {{ has_evidence('evidence', 'history') }} and declares_debug)
  )
  and not has_gap_in_debug as is_debug_observed,
  -- A source without one such change may have left all of them out.
  (
    is_log_whole
    or is_history_declared
    or (evidence is not null and {{ has_evidence('evidence', 'history') }})
    or {{ has_evidence('evidence', 'assignments') }}
  )
  and is_history_whole
  and source_has_assignments
  and not has_gap_in_statuses
  and not has_gap_in_assignments as is_assignments_observed,
  uses_response_date,
  -- The date of a first answer is a message where nothing better is in the record.
  evidence is not null and {{ has_evidence('evidence', 'response_date') }} and not uses_response_date as drops_response_date,
  resolution_contradiction,
  -- Cancelled, as the record alone says.
  phase = 'cancelled' and not has_statuses as is_cancelled,
  has_resolution_date,
  is_never_reopened and not has_gap_in_statuses as is_never_reopened,
  is_deleted,
  update_number,
  exported_update_number,
  place,
  submitted_at,
  latest_submitted_at,
  updated_at,
  latest_updated_at,
  source_file,
  line_number,
  batch_id,
  known_at
from contradicted
