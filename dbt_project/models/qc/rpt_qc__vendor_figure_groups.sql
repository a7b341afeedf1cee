-- Grain: one row per group of differences of one cause that follow each other in time, of one source, figure and clock.
with
figures as (select * from {{ ref('rpt_qc__vendor_figures') }} where group_key is not null)

select
  group_key,
  source,
  figure,
  obligation,
  clock_kind,
  difference_reason,
  who_is_right,
  count(distinct ticket_id) as ticket_count,
  min(happened_at) as first_at,
  max(happened_at) as last_at,
  min(difference_seconds) as least_difference_seconds,
  max(difference_seconds) as greatest_difference_seconds
from figures
group by group_key, source, figure, obligation, clock_kind, difference_reason, who_is_right
