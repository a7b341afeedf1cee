-- Grain: one row per person, channel, domain, kind of account or event that sla.yml names, and whether any record shows it.
-- A name that no record shows is often a misspelt one: who it was meant for counts as another person.
with
named as (select * from {{ source('raw', 'source_names') }}),
messages as (select * from {{ ref('stg_helpdesk__messages') }}),
changes as (select * from {{ ref('stg_helpdesk__changes') }}),
people as (select * from {{ source('raw', 'people') }}),

acts as (
  select source, channel, author_id, author_address, author_role, updater_id from messages
  union
  select source, channel, author_id, author_address, author_role, updater_id from changes
),

shown as (
  select source, 'actor' as name_kind, author_id as name from acts
  union
  select source, 'actor', updater_id from acts
  union
  select source, 'actor', author_address from acts
  union
  select source, 'actor', person_id from people
  union
  select source, 'domain', lower(regexp_replace(author_address, '^.*@', '')) from acts
  union
  select source, 'domain', lower(regexp_replace(author_id, '^.*@', '')) from acts
  union
  select source, 'account_type', author_role from acts
  union
  select source, 'channel', channel from acts
  union
  select source, 'event', event_type from changes where change_kind in ('created', 'changed')
),

shown_names as (
  select distinct named.source, named.setting, named.name
  from named
  join shown on shown.source = named.source and shown.name_kind = named.name_kind and shown.name = named.name
  {{ and_rows_of_basis('dim_declared_names', 'source, setting, name', 'is_shown') }}
)

select
  named.source,
  named.setting,
  named.name,
  max(case when shown_names.name is not null then 1 else 0 end) = 1 as is_shown
from named
left join shown_names on shown_names.source = named.source and shown_names.setting = named.setting and shown_names.name = named.name
group by named.source, named.setting, named.name
