-- Grain: one row per ticket of which a record was refused: which part of it is missing.
with
gaps as (select * from {{ source('raw', 'gaps') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
records as (select * from {{ ref('stg_helpdesk__records') }})

select
  gaps.source,
  coalesce(gaps.ticket_id, records.ticket_id) as exported_ticket_id,
  max(case when gaps.evidence is null or gaps.evidence = 'messages' then 1 else 0 end) = 1 as is_in_messages,
  -- A record's field history is read only where sla.yml says that all of it is exported.
  max(case when (gaps.evidence is null or gaps.evidence = 'statuses') and (gaps.record_id is null or sources.is_audit_whole) then 1 else 0 end) = 1
    as is_in_statuses,
  max(case when gaps.evidence is null or gaps.evidence in ('debug', 'bugs') then 1 else 0 end) = 1 as is_in_debug,
  max(case when gaps.evidence is null or gaps.evidence = 'assignments' then 1 else 0 end) = 1 as is_in_assignments
from gaps
join sources on sources.source = gaps.source
left join records on records.source = gaps.source and records.record_id = gaps.record_id
where coalesce(gaps.ticket_id, records.ticket_id) is not null
group by gaps.source, coalesce(gaps.ticket_id, records.ticket_id)
