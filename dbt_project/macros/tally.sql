{# The counts of promises by status, for every mart that sums them. What an AI alone met in time is counted among the others as well. The bounds
   of a rate, which not measurable promises leave open: as few and as many met as there could be, of everything that could count. #}
{% macro count_statuses(promises) -%}
count(case when {{ promises }}.status = 'met' then 1 end) as met_count,
  count(case when {{ promises }}.status = 'breached' then 1 end) as breached_count,
  count(case when {{ promises }}.status = 'pending' then 1 end) as pending_count,
  count(case when {{ promises }}.status = 'waived' then 1 end) as waived_count,
  count(case when {{ promises }}.status = 'not_covered' then 1 end) as not_covered_count,
  count(case when {{ promises }}.status = 'not_measurable' then 1 end) as not_measurable_count,
  count(case when {{ promises }}.is_met_only_by_ai then 1 end) as met_only_by_ai_count,
  count(case when {{ promises }}.status_before_waiver = 'met' then 1 end) as raw_met_count,
  count(case when {{ promises }}.status_before_waiver = 'breached' then 1 end) as raw_breached_count,
  count(case when {{ promises }}.status = 'met' or {{ promises }}.could_be = 'met' then 1 end) as lower_met_count,
  count(case when {{ promises }}.status = 'met' or {{ promises }}.could_be in ('met', 'either') then 1 end) as upper_met_count,
  count(case when {{ promises }}.status in ('met', 'breached', 'not_measurable') then 1 end) as bounded_count,
  count(case when {{ promises }}.status_before_waiver = 'met' or {{ promises }}.could_be = 'met' then 1 end) as raw_lower_met_count,
  count(case when {{ promises }}.status_before_waiver = 'met' or {{ promises }}.could_be in ('met', 'either') then 1 end) as raw_upper_met_count,
  count(case when {{ promises }}.status_before_waiver in ('met', 'breached', 'not_measurable') then 1 end) as raw_bounded_count
{%- endmacro %}
