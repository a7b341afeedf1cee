{#
  The begin of a list of relations of which one may read itself. Spark gives up after 100 rounds or a million rows unless its session says
  otherwise, as pipeline/warehouse/spark.py does; other engines that read the same dialect need not have it.
#}

{% macro with_recursive() %}{{ return(adapter.dispatch('with_recursive')()) }}{% endmacro %}
{% macro duckdb__with_recursive() -%}
  with recursive
{%- endmacro %}
{% macro spark__with_recursive() -%}
  with recursive
{%- endmacro %}
