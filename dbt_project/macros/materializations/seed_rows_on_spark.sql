{# Rows of a seed as literals. dbt-spark's own macro puts texts between apostrophes as they are, so that one in a text ends it. #}
{% macro spark__load_csv_rows(model, agate_table) %}
  {%- set kinds = model['config'].get('column_types', {}) -%}
  {%- set statement_text -%}
  insert into {{ this.render() }} values
  {%- for row in agate_table.rows %}
    (
    {%- for name in agate_table.column_names -%}
      {%- set value = row[name] -%}
      {%- set kind = kinds.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
      cast({% if value is none %}null{% else %}'{{ value | string | replace("\\", "\\\\") | replace("'", "\\'") }}'{% endif %} as {{ kind }})
      {%- if not loop.last %}, {% endif -%}
    {%- endfor -%}
    ){{ ',' if not loop.last }}
  {%- endfor -%}
  {%- endset -%}
  {% do adapter.add_query(statement_text, abridge_sql_log=True) %}
  {{ return(statement_text) }}
{% endmacro %}
