-- Grain: one row per plan and dated version, with what holds for the whole version.
select
  plan_version,
  plan,
  plan_title,
  time_zone,
  required_license_status,
  maximum_contacts,
  valid_from,
  valid_to
from {{ source('raw', 'plan_versions') }}
