{#
  The step function of a clock, forwards (instant -> open seconds) and backwards (open seconds -> instant). Whole numbers only.

  The joins are inner joins on a dense unique key, which DuckDB answers by array look-up (a perfect hash join). They match every
  row exactly once: the key is kept inside the clock's steps, also for null, and the value macros give null for what lies outside.
#}

{% macro join_clock_steps(alias, clocks_alias, epoch_expression) -%}
  join {{ source('raw', 'clock_steps') }} as {{ alias }}
    on {{ alias }}.step_key = {{ clock_step_within(
      clocks_alias ~ '.first_step', clocks_alias ~ '.last_step',
      '(' ~ epoch_expression ~ ') - ' ~ clocks_alias ~ '.origin_epoch', clocks_alias ~ '.bucket_seconds') }}
{%- endmacro %}

{% macro open_seconds_at(alias, clocks_alias, epoch_expression) -%}
  case when ({{ epoch_expression }}) between {{ clocks_alias }}.origin_epoch and {{ clocks_alias }}.ends_epoch then greatest(
    {{ alias }}.open_before,
    least(({{ epoch_expression }}) - {{ alias }}.closed_before_first, {{ alias }}.open_after_first),
    least(({{ epoch_expression }}) - {{ alias }}.closed_before_second, {{ alias }}.open_after_second)
  ) end
{%- endmacro %}

{% macro join_clock_due_steps(alias, clocks_alias, cumulative_expression) -%}
  join {{ source('raw', 'clock_due_steps') }} as {{ alias }}
    on {{ alias }}.due_step_key = {{ clock_step_within(
      clocks_alias ~ '.first_due_step', clocks_alias ~ '.last_due_step',
      cumulative_expression, clocks_alias ~ '.due_bucket_seconds') }}
{%- endmacro %}

{% macro instant_of_open_second(alias, clocks_alias, cumulative_expression) -%}
  case when ({{ cumulative_expression }}) between 0 and {{ clocks_alias }}.open_seconds_total then ({{ cumulative_expression }}) + case
    when ({{ cumulative_expression }}) <= {{ alias }}.first_closing then {{ alias }}.closed_before_first
    when ({{ cumulative_expression }}) <= {{ alias }}.second_closing then {{ alias }}.closed_before_second
    else {{ alias }}.closed_before_third
  end end
{%- endmacro %}

{# least and greatest pass over null, so a null offset lands on the last step and a clock that is missing on step 0. #}
{% macro clock_step_within(first_step, last_step, offset, width) -%}
  coalesce(greatest({{ first_step }}, least({{ last_step }}, {{ first_step }} + {{ whole_quotient(offset, width) }})), 0)
{%- endmacro %}
