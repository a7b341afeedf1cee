{# Schemas are named after the layers, not prefixed with the target's own schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}
