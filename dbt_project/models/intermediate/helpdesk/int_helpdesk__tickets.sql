-- Grain: one row per ticket known at as_of: its last exported version, and the severity that it was submitted with.
-- Some kinds of helpdesk name the submitted severity. Elsewhere, and where the record names none, it is the first one that the history
-- shows: a ticket has a severity from its submission on. Without a history it is that of the oldest version; when a later one became another,
-- it is unknown.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
horizons as (select * from {{ source('raw', 'source_horizons') }}),
ticket_versions as (select * from {{ ref('int_helpdesk__versions') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
ends as (select * from {{ ref('int_helpdesk__ends') }}),

-- A status without a mapping could be a pause, so such a ticket shows no history of statuses.
tickets_with_unmapped_status as (
  select distinct events.ticket_id
  from events
  left join {{ ref('ticket_statuses') }} as known on known.ticket_status = events.value
  where events.event_type = 'status_changed' and known.ticket_status is null and events.value <> 'deleted'
),

-- A person whose side (vendor or customer) is unknown may have answered.
tickets_with_unknown_author as (
  select distinct ticket_versions.ticket_id
  from ticket_versions
  join events on events.ticket_id = ticket_versions.ticket_id and events.source = ticket_versions.source
  where events.event_type = 'message'
    and events.is_public
    and not events.is_opening
    and events.actor_kind = 'unknown'
    and events.event_at > ticket_versions.submitted_at
    and coalesce(events.actor, '') not in (coalesce(ticket_versions.requester, ' '), coalesce(ticket_versions.opener, ' '))
),

-- Of rows of one version in one file the last one counts; what those of different files then say differently is not known.
last_rows as (
  select *
  from (
    select
      ticket_versions.*,
      row_number() over (
        partition by source, ticket_id, update_number, updated_at, batch_id order by line_number desc
      ) as row_rank
    from ticket_versions
  ) as numbered
  where row_rank = 1
),

agreed as (
  select
    last_rows.*,
    {%- for column in ['customer_id', 'requester', 'channel', 'severity', 'ticket_status', 'submitted_at'] %}
    coalesce(min({{ column }}) over of_version <> max({{ column }}) over of_version, false) as is_{{ column }}_contradicted{{ ',' if not loop.last }}
    {%- endfor %}
  from last_rows
  window of_version as (partition by source, ticket_id, update_number, updated_at)
),

ranked as (
  select
    ticket_versions.*,
    case when not ticket_versions.is_severity_contradicted then ticket_versions.severity end as level,
    row_number() over (
      partition by ticket_versions.source, ticket_versions.ticket_id
      -- A version written after as_of counts only where no earlier one was exported.
      order by
        case when ticket_versions.updated_at <= build_inputs.as_of then 0 else 1 end,
        ticket_versions.update_number desc, ticket_versions.updated_at desc,
        -- One version in two forms, such as a full export and a page without comments: the one that shows more.
        case when ticket_versions.is_messages_observed then 0 else 1 end,
        case when ticket_versions.is_first_response_observed then 0 else 1 end,
        case when ticket_versions.is_resolution_observed then 0 else 1 end,
        ticket_versions.submitted_at nulls last, coalesce(ticket_versions.subject, ''), coalesce(ticket_versions.ticket_type, ''),
        coalesce(ticket_versions.opener, ''), coalesce(ticket_versions.severity_given, ''),
        ticket_versions.batch_id nulls last, ticket_versions.line_number nulls last
    ) as version_rank,
    min(ticket_versions.known_at) over (partition by ticket_versions.source, ticket_versions.ticket_id) as first_known_at
  from agreed as ticket_versions
  cross join build_inputs
),

-- A ticket belongs to the customer that it had first, corrected where a record within seven days of the submission names another. Where two files
-- name two customers at one instant, nothing says which of them is the later one.
customer_rows as (
  select
    last_rows.*,
    case
      when {{ epoch_seconds('last_rows.updated_at') }}
        <= {{ epoch_seconds('last_rows.submitted_at') }} + {{ var("customer_correction_seconds") }} then 0
      else 1
    end as correction_rank
  from last_rows
  cross join build_inputs
  where last_rows.customer_id is not null and last_rows.updated_at <= build_inputs.as_of
),

customers as (
  select
    source,
    ticket_id,
    case when first_named = last_named then first_named end as customer_id,
    case when first_named <> last_named then first_named || ' and ' || last_named end as contradicted_customers
  from (
    select
      source,
      ticket_id,
      min(customer_id) as first_named,
      max(customer_id) as last_named,
      row_number() over (
        partition by source, ticket_id
        order by
          min(correction_rank) nulls last,
          case when min(correction_rank) = 0 then -{{ epoch_seconds('updated_at') }} else {{ epoch_seconds('updated_at') }} end nulls last,
          case when min(correction_rank) = 0 then -update_number else update_number end nulls last
      ) as customer_rank
    from customer_rows
    group by source, ticket_id, updated_at, update_number
  ) as ranked_customers
  where customer_rank = 1
),

-- What a later customer wrote is none of the first one's: requester and text are those of its own last record.
own_records as (
  select source, ticket_id, requester, subject
  from (
    select
      customer_rows.source,
      customer_rows.ticket_id,
      customer_rows.requester,
      customer_rows.subject,
      row_number() over (
        partition by customer_rows.source, customer_rows.ticket_id
        order by
          customer_rows.update_number desc, customer_rows.updated_at desc, coalesce(customer_rows.requester, ''),
          coalesce(customer_rows.subject, ''), customer_rows.batch_id nulls last, customer_rows.line_number nulls last
      ) as record_rank
    from customer_rows
    join customers
      on customers.source = customer_rows.source
      and customers.ticket_id = customer_rows.ticket_id
      and customers.customer_id = customer_rows.customer_id
  ) as ranked_records
  where record_rank = 1
),

-- The vendor opened it by a public message to the customer: nothing is owed before the customer writes. Where the customer wrote in that
-- second as well, it is the customer's text that opened the ticket.
tickets_opened_by_vendor as (
  select events.source, events.ticket_id
  from events
  join (select distinct source, ticket_id, submitted_at from ticket_versions) as submissions
    on submissions.source = events.source and submissions.ticket_id = events.ticket_id
  where events.event_type = 'message'
    and events.is_public
    and events.actor_kind in ('agent', 'customer')
    and not events.is_date
    and (events.is_opening or events.event_at = submissions.submitted_at)
  group by events.source, events.ticket_id
  having min(events.actor_kind) = 'agent' and max(events.actor_kind) = 'agent'
),

-- An answer or a resolution that is dated before the submission contradicts it.
tickets_with_early_stop as (
  select
    events.source,
    events.ticket_id,
    max(case when events.event_type = 'message' then 1 else 0 end) as has_early_answer,
    max(case when events.event_type = 'status_changed' then 1 else 0 end) as has_early_resolution
  from events
  join (
    select
      source,
      ticket_id,
      -- Of two submissions that no precision explains the later one is before nothing that answers.
      case when max(submitted_at) > min(latest_submitted_at) then max(submitted_at)
        else min(submitted_at) end as submitted_at
    from ticket_versions
    group by source, ticket_id
  ) as submissions
    on submissions.source = events.source and submissions.ticket_id = events.ticket_id
  where events.event_at < submissions.submitted_at
    and (
      (events.event_type = 'message' and events.is_public and events.actor_kind = 'agent')
      or (events.event_type = 'status_changed' and events.value in ('solved', 'closed'))
    )
  group by events.source, events.ticket_id
),


-- A level that is given to a ticket after its end says nothing of the ticket.
first_severities as (
  select ticket_id, cast(value as integer) as severity, event_epoch
  from (
    select events.ticket_id, events.value, events.event_epoch, row_number() over (partition by events.ticket_id order by events.event_order) as severity_rank
    from events
    left join ends on ends.ticket_id = events.ticket_id
    where events.event_type = 'severity_changed' and (ends.ended_at is null or events.event_at <= ends.ended_at)
  ) as numbered
  where severity_rank = 1
),

-- Two levels that were set in one second, and no order of the two is known.
unordered_levels as (
  select ticket_id, min(event_epoch) as unordered_epoch
  from (
    select ticket_id, event_epoch
    from events
    where event_type = 'severity_changed'
    group by ticket_id, event_epoch
    having min(order_space) <> max(order_space) and min(value) <> max(value)
  ) as seconds
  group by ticket_id
),

-- Copies of an event that contradict each other. Where an answer that no copy contradicts stands before them, the first response is known.
first_contradictions as (
  select
    copies.ticket_id,
    min(case when copies.event_type = 'message' then copies.event_at end) as message_at,
    min(case when copies.event_type in ('status_changed', 'merged', 'deleted', 'restored') then copies.event_at end) as status_at,
    min(case when copies.event_type = 'severity_changed' then copies.event_at end) as severity_at,
    min(case when copies.event_type not in ('message', 'status_changed', 'merged', 'deleted', 'restored', 'severity_changed') then copies.event_at end)
      as debug_at
  from {{ ref('int_helpdesk__exported_events') }} as copies
  cross join build_inputs
  where copies.is_contradicted and copies.event_at <= build_inputs.as_of
  group by copies.ticket_id
),

first_answers as (
  select ticket_id, min(event_at) as answered_at
  from events
  where event_type = 'message' and is_public and actor_kind = 'agent' and not is_opening and not is_contradicted
  group by ticket_id
),

levels as (
  select
    source,
    ticket_id,
    severity,
    updated_at,
    first_value(severity) over (partition by source, ticket_id order by update_number nulls last, updated_at nulls last) as oldest_severity
  from (
    select
      last_rows.source,
      last_rows.ticket_id,
      last_rows.update_number,
      last_rows.updated_at,
      case when min(last_rows.severity) = max(last_rows.severity) then max(last_rows.severity) end as severity
    from last_rows
    cross join build_inputs
    where last_rows.severity is not null and last_rows.updated_at <= build_inputs.as_of
    group by last_rows.source, last_rows.ticket_id, last_rows.update_number, last_rows.updated_at
  ) as agreed_levels
  where severity is not null
),

level_changes as (
  select source, ticket_id, min(updated_at) as shown_at from levels where severity <> oldest_severity group by source, ticket_id
),

oldest_levels as (
  select
    levels.source,
    levels.ticket_id,
    max(levels.oldest_severity) as severity,
    max(case when levels.updated_at < level_changes.shown_at then levels.updated_at end) as held_until,
    max(level_changes.shown_at) as changed_until
  from levels
  left join level_changes on level_changes.source = levels.source and level_changes.ticket_id = levels.ticket_id
  group by levels.source, levels.ticket_id
)

select
  ranked.ticket_id,
  ranked.source,
  case
    when customers.contradicted_customers is null
      then coalesce(customers.customer_id, case when not ranked.is_customer_id_contradicted then ranked.customer_id end)
  end as customer_id,
  customers.contradicted_customers,
  -- The customer that the last record names, where it is another one.
  case when not ranked.is_customer_id_contradicted and ranked.customer_id <> customers.customer_id then ranked.customer_id end as customer_named_later,
  case
    when ranked.customer_id <> customers.customer_id then own_records.requester
    when not ranked.is_requester_contradicted then ranked.requester
  end as requester,
  ranked.opener,
  case when not ranked.is_channel_contradicted then ranked.channel end as channel,
  -- A row of a log names the level of its instant.
  case when ranked.names_submitted_level and ranked.version_kind is null then coalesce(ranked.level, first_severities.severity)
    else coalesce(first_severities.severity, oldest_levels.severity, ranked.level) end as severity_submitted,
  -- From here on another level may have been in force; null where the history or a single level leaves no doubt.
  case when not (ranked.names_submitted_level and ranked.version_kind is null) and first_severities.ticket_id is null and oldest_levels.changed_until is not null
    then {{ epoch_seconds('coalesce(oldest_levels.held_until, ranked.submitted_at)') }} end as level_doubtful_from_epoch,
  -- From here on the order of two levels of one second is not known.
  case
    when first_contradictions.severity_at is not null then {{ epoch_seconds('ranked.submitted_at') }}
    when unordered_levels.unordered_epoch = first_severities.event_epoch and not (ranked.names_submitted_level and ranked.version_kind is null and ranked.level is not null)
      then {{ epoch_seconds('ranked.submitted_at') }}
    else unordered_levels.unordered_epoch
  end as level_unordered_from_epoch,
  ranked.level as severity_exported,
  ranked.severity_given,
  case when ranked.customer_id <> customers.customer_id then own_records.subject else ranked.subject end as subject,
  ranked.ticket_type,
  case when not ranked.is_ticket_status_contradicted then ranked.ticket_status end as ticket_status,
  ranked.is_first_response_observed
  and tickets_with_unknown_author.ticket_id is null
  and (first_contradictions.message_at is null or coalesce(first_answers.answered_at <= first_contradictions.message_at, false))
    as is_first_response_observed,
  ranked.is_messages_observed and tickets_with_unknown_author.ticket_id is null and first_contradictions.message_at is null
    as is_messages_observed,
  ranked.is_statuses_observed and tickets_with_unmapped_status.ticket_id is null and first_contradictions.status_at is null
    as is_statuses_observed,
  ranked.is_resolution_observed
  and first_contradictions.status_at is null
  and not (ranked.is_ticket_status_contradicted and not ranked.is_statuses_observed) as is_resolution_observed,
  ranked.is_never_reopened,
  coalesce(tickets_with_early_stop.has_early_answer, 0) = 1 as is_answered_before_submission,
  coalesce(tickets_with_early_stop.has_early_resolution, 0) = 1 as is_resolved_before_submission,
  ranked.resolution_contradiction,
  ranked.is_debug_observed and first_contradictions.debug_at is null as is_debug_observed,
  ranked.is_assignments_observed,
  nullif(
    ''
    {%- for column, word in [('requester', 'requester'), ('channel', 'channel'), ('severity', 'level'), ('ticket_status', 'status')] %}
    || case when ranked.is_{{ column }}_contradicted then ' {{ word }}' else '' end
    {%- endfor %},
    ''
  ) as contradiction,
  tickets_opened_by_vendor.ticket_id is not null as is_opened_by_vendor,
  {{ source_read_until() }} as read_until_epoch,
  ranked.submitted_at,
  {{ epoch_seconds('ranked.submitted_at') }} as submitted_epoch,
  {{ epoch_seconds('ranked.latest_submitted_at') }} as latest_submitted_epoch,
  ranked.updated_at,
  ranked.source_file,
  ranked.line_number,
  ranked.batch_id,
  ranked.first_known_at as known_at
from ranked
cross join build_inputs
left join horizons on horizons.source = ranked.source
left join customers on customers.source = ranked.source and customers.ticket_id = ranked.ticket_id
left join own_records on own_records.source = ranked.source and own_records.ticket_id = ranked.ticket_id
left join tickets_opened_by_vendor
  on tickets_opened_by_vendor.source = ranked.source and tickets_opened_by_vendor.ticket_id = ranked.ticket_id
left join tickets_with_early_stop
  on tickets_with_early_stop.source = ranked.source and tickets_with_early_stop.ticket_id = ranked.ticket_id
left join tickets_with_unmapped_status on tickets_with_unmapped_status.ticket_id = ranked.ticket_id
left join tickets_with_unknown_author on tickets_with_unknown_author.ticket_id = ranked.ticket_id
left join oldest_levels on oldest_levels.source = ranked.source and oldest_levels.ticket_id = ranked.ticket_id
left join first_severities on first_severities.ticket_id = ranked.ticket_id
left join unordered_levels on unordered_levels.ticket_id = ranked.ticket_id
left join first_contradictions on first_contradictions.ticket_id = ranked.ticket_id
left join first_answers on first_answers.ticket_id = ranked.ticket_id
where ranked.version_rank = 1
  and ranked.submitted_at <= build_inputs.as_of
