-- Grain: one row per exported message, or date of a first answer; overlapping exports repeat messages.
{{ config(materialized='table') }}
with
messages as (select * from {{ source('raw', 'ticket_messages') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
records as (select * from {{ ref('stg_helpdesk__records') }})

select
  messages.message_id as event_id,
  messages.source,
  coalesce(messages.ticket_id, records.ticket_id) as exported_ticket_id,
  sources.ticket_prefix || coalesce(messages.ticket_id, records.ticket_id) as ticket_id,
  messages.message_kind,
  messages.is_public,
  sources.unmarked_comments,
  messages.channel,
  messages.author_id,
  messages.author_kind,
  messages.author_address,
  messages.author_role,
  messages.updater_id,
  messages.earliest_at,
  messages.said_at as event_at,
  coalesce(messages.moves_with_submission, false) as moves_with_submission,
  messages.update_id,
  messages.update_number,
  messages.place,
  messages.version_at,
  messages.source_file,
  messages.line_number,
  messages.batch_id,
  batches.landed_at as known_at
from messages
join sources on sources.source = messages.source
join batches on batches.batch_id = messages.batch_id
left join records on records.source = messages.source and records.record_id = messages.record_id
-- A message of a ticket that no export holds.
where coalesce(messages.ticket_id, records.ticket_id) is not null
