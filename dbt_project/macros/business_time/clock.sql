{#
  The step function of a clock, forwards (instant -> open seconds) and backwards (open seconds -> instant). Whole numbers only.

  The joins are inner joins on a dense unique key, which DuckDB answers by array look-up (a perfect hash join). They match every
  row exactly once: what lies outside the clock, and null, is on step 0, whose columns are null, and so is the value.
  Comparisons rather than greatest() and least(): those cost DuckDB half as much again.
#}

{% macro join_clock_steps(alias, clocks_alias, epoch_expression) -%}
  join {{ source('raw', 'clock_steps') }} as {{ alias }}
    on {{ alias }}.step_key = case
      when ({{ epoch_expression }}) >= {{ clocks_alias }}.origin_epoch and ({{ epoch_expression }}) < {{ clocks_alias }}.ends_epoch
        then {{ clocks_alias }}.first_step + {{ whole_quotient(
          '(' ~ epoch_expression ~ ') - ' ~ clocks_alias ~ '.origin_epoch', clocks_alias ~ '.bucket_seconds') }}
      else 0
    end
{%- endmacro %}

{% macro open_seconds_at(alias, clocks_alias, epoch_expression) -%}
  case
    when ({{ epoch_expression }}) - {{ alias }}.closed_before_first < {{ alias }}.open_before then {{ alias }}.open_before
    when ({{ epoch_expression }}) - {{ alias }}.closed_before_first < {{ alias }}.open_after_first
      then ({{ epoch_expression }}) - {{ alias }}.closed_before_first
    when ({{ epoch_expression }}) - {{ alias }}.closed_before_second < {{ alias }}.open_after_first then {{ alias }}.open_after_first
    when ({{ epoch_expression }}) - {{ alias }}.closed_before_second < {{ alias }}.open_after_second
      then ({{ epoch_expression }}) - {{ alias }}.closed_before_second
    else {{ alias }}.open_after_second
  end
{%- endmacro %}

{% macro join_clock_due_steps(alias, clocks_alias, cumulative_expression) -%}
  join {{ source('raw', 'clock_due_steps') }} as {{ alias }}
    on {{ alias }}.due_step_key = case
      when ({{ cumulative_expression }}) >= 0 and ({{ cumulative_expression }}) <= {{ clocks_alias }}.open_seconds_total
        then {{ clocks_alias }}.first_due_step + {{ whole_quotient(cumulative_expression, clocks_alias ~ '.due_bucket_seconds') }}
      else 0
    end
{%- endmacro %}

{% macro instant_of_open_second(alias, clocks_alias, cumulative_expression) -%}
  (({{ cumulative_expression }}) + case
    when ({{ cumulative_expression }}) <= {{ alias }}.first_closing then {{ alias }}.closed_before_first
    when ({{ cumulative_expression }}) <= {{ alias }}.second_closing then {{ alias }}.closed_before_second
    else {{ alias }}.closed_before_third
  end)
{%- endmacro %}
