{# The different values of a text column in a group, in order, with a separator between them. #}

{% macro joined_texts(text, separator) %}{{ return(adapter.dispatch('joined_texts')(text, separator)) }}{% endmacro %}
{% macro duckdb__joined_texts(text, separator) -%}
  string_agg(distinct {{ text }}, '{{ separator }}' order by {{ text }})
{%- endmacro %}
{% macro spark__joined_texts(text, separator) -%}
  case when count({{ text }}) > 0 then array_join(array_sort(collect_set({{ text }})), '{{ separator }}') end
{%- endmacro %}
