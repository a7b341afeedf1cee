-- Grain: one row per person, channel, domain, kind of account or event that sla.yml names, and whether any record shows it.
select
  source || ':' || setting || ':' || name as declared_name_key,
  source,
  setting,
  name,
  is_shown
from {{ ref('stg_helpdesk__declared_names') }}
