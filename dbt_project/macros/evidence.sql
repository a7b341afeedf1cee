{# What an export can show of a ticket: words with a space between; null means everything. #}
{% macro has_evidence(evidence, word) -%}
  ({{ evidence }} is null or ' ' || {{ evidence }} || ' ' like '% {{ word }} %')
{%- endmacro %}

{# Whether a change of the level stands before the stop of a cycle, or before the end of what is read: in the second of the stop their order decides. #}
{% macro stands_before_stop(cycles) -%}
  (
    severity_changes.changed_epoch < coalesce({{ cycles }}.stopped_epoch, {{ cycles }}.read_until_epoch + 1)
    or (severity_changes.changed_epoch = {{ cycles }}.stopped_epoch and severity_changes.moment_order < {{ cycles }}.stops_order)
  )
{%- endmacro %}
