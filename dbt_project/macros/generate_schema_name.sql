{#
  Schemas are named after the layers. In a build's own database nothing stands before the name; on Spark, where builds share a catalog, the
  target's schema does, which names the build. In a trial of another plan, the models that depend on the
  plan (tag `plan_dependent`) are built beside the real ones, in schemas of their own; all others are read as they are.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if target.type == 'spark' %}{{ target.schema }}_{% endif -%}
  {%- if var('is_trial') and 'plan_dependent' in node.config.tags %}trial_{% endif %}{{ custom_schema_name or target.schema }}
{%- endmacro %}
