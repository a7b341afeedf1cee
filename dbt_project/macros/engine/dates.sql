{# Calendar parts of a UTC instant. They only pick a row of a table that Python made with the pinned time zones; no zone is applied here. #}

{% macro utc_month(instant) %}{{ return(adapter.dispatch('utc_month')(instant)) }}{% endmacro %}
{% macro duckdb__utc_month(instant) -%}
  strftime({{ instant }}, '%Y-%m')
{%- endmacro %}
{% macro spark__utc_month(instant) -%}
  date_format({{ instant }}, 'yyyy-MM')
{%- endmacro %}
