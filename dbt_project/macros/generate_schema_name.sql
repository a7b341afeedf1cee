{#
  Schemas are named after the layers, not prefixed with the target's own schema. In a trial of another plan, the models that depend on the
  plan (tag `plan_dependent`) are built beside the real ones, in schemas of their own; all others are read as they are.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if var('is_trial') and 'plan_dependent' in node.config.tags %}trial_{% endif %}{{ custom_schema_name or target.schema }}
{%- endmacro %}
