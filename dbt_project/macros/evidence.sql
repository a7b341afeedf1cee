{# What an export can show of a ticket: words with a space between; null means everything. #}
{% macro has_evidence(evidence, word) -%}
  ({{ evidence }} is null or ' ' || {{ evidence }} || ' ' like '% {{ word }} %')
{%- endmacro %}
