{# What an export can show of a ticket: words with a space between; null means everything. #}
{% macro has_evidence(evidence, word) -%}
  ({{ evidence }} is null or ' ' || {{ evidence }} || ' ' like '% {{ word }} %')
{%- endmacro %}

{# Up to when the silence of a ticket's source counts, as whole seconds since 1970. #}
{% macro source_read_until() -%}
  {{ epoch_seconds('least(build_inputs.as_of, coalesce(horizons.read_until, build_inputs.as_of))') }}
{%- endmacro %}

{# Whether a change of the level stands before the stop of a cycle, or before the end of what is read: in the second of the stop their order decides. #}
{% macro stands_before_stop(cycles) -%}
  (
    severity_changes.changed_epoch < coalesce({{ cycles }}.stopped_epoch, {{ cycles }}.read_until_epoch + 1)
    or (severity_changes.changed_epoch = {{ cycles }}.stopped_epoch and severity_changes.moment_order < {{ cycles }}.stops_order)
  )
{%- endmacro %}
