{# The begin of a list of relations of which one reads itself, as a `fold`: Spark makes a fold round by round (macros/stages.sql), so no relation does. #}

{% macro with_recursive() %}{{ return(adapter.dispatch('with_recursive')()) }}{% endmacro %}
{% macro duckdb__with_recursive() -%}
  with recursive
{%- endmacro %}
{% macro spark__with_recursive() -%}
  with
{%- endmacro %}
