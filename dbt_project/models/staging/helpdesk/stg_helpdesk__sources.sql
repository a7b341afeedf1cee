-- Grain: one row per source of sla.yml: its settings, and what is particular to its kind of helpdesk (seed helpdesk_traits).
with
sources as (select * from {{ source('raw', 'sources') }}),
traits as (select * from {{ ref('helpdesk_traits') }}),
events as (select * from {{ source('raw', 'source_events') }}),
bots as (select * from {{ source('raw', 'source_bots') }} where bot_kind in ('actor', 'assistant')),

debug_sources as (select distinct source from events where event_type like 'debug%'),

bot_sources as (select distinct source from bots)

select
  sources.source,
  sources.ticket_prefix,
  sources.customer_field,
  sources.customer_constant,
  sources.channel_constant,
  sources.severity_field,
  replace(sources.severity_field, 'custom_field:', '') as severity_field_id,
  sources.severity_name,
  coalesce(sources.unmarked_comments, traits.unmarked_comments) as unmarked_comments,
  sources.is_journal_whole,
  sources.is_audit_whole,
  traits.has_own_levels,
  traits.names_submitted_level,
  traits.is_evidence_declared,
  traits.has_opening_update,
  debug_sources.source is not null as declares_debug,
  bot_sources.source is not null as has_bots
from sources
join traits on traits.source_type = sources.source_type
left join debug_sources on debug_sources.source = sources.source
left join bot_sources on bot_sources.source = sources.source
