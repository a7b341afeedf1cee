{# JSON that was landed as text. Field numbers and paths come from columns, never from ticket text pasted into SQL. #}

{% macro json_list_contains(json_text, value) %}{{ return(adapter.dispatch('json_list_contains')(json_text, value)) }}{% endmacro %}
{% macro duckdb__json_list_contains(json_text, value) -%}
  coalesce(list_contains(from_json({{ json_text }}, '["VARCHAR"]'), {{ value }}), false)
{%- endmacro %}
{% macro spark__json_list_contains(json_text, value) -%}
  coalesce(array_contains(from_json({{ json_text }}, 'array<string>'), {{ value }}), false)
{%- endmacro %}

{% macro custom_field_value(json_text, field_id) %}{{ return(adapter.dispatch('custom_field_value')(json_text, field_id)) }}{% endmacro %}
{% macro duckdb__custom_field_value(json_text, field_id) -%}
  list_filter(from_json({{ json_text }}, '[{"id": "VARCHAR", "value": "VARCHAR"}]'), lambda field: field.id = {{ field_id }})[1].value
{%- endmacro %}
{% macro spark__custom_field_value(json_text, field_id) -%}
  get(filter(from_json({{ json_text }}, 'array<struct<id: string, value: string>>'), field -> field.id = {{ field_id }}), 0).value
{%- endmacro %}

{% macro json_field(json_text, field_name) %}{{ return(adapter.dispatch('json_field')(json_text, field_name)) }}{% endmacro %}
{% macro duckdb__json_field(json_text, field_name) -%}
  json_extract_string({{ json_text }}, '$."' || {{ field_name }} || '"')
{%- endmacro %}
{% macro spark__json_field(json_text, field_name) -%}
  get_json_object({{ json_text }}, '$.' || {{ field_name }})
{%- endmacro %}
