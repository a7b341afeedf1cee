{#
  A table of a build. A build starts with an empty database and is published as a whole or not at all, so a table needs no second
  name to be built under: dbt's own materialization renames each, and asks the database what stood there before.
#}
{% materialization table, adapter='duckdb' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ drop_relation_if_exists(existing) }}
  {{ run_hooks(pre_hooks) }}
  {%- set rows = rows_by_ticket(target_relation, compiled_code) if config.get('meta', {}).get('rows_of') == 'ticket' else compiled_code -%}
  {% call statement('main') -%}
    {{ create_table_as(False, target_relation, rows) }}
  {%- endcall %}
  {{ run_hooks(post_hooks) }}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
