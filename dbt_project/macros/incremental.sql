{#
  An incremental build judges the tickets of raw.rebuilt_tickets again and takes the rows of all others over from the basis: the version that is
  served and what was kept beside it (pipeline/warehouse/incremental.py). A build of everything has no such table, and nothing here does anything.
#}

{# Whether this build is incremental. False while the project is parsed. #}
{% macro is_incremental_build() -%}
  {{ return(execute and target.type == 'duckdb' and not var('is_trial') and adapter.get_relation(target.database, 'raw', 'rebuilt_tickets') is not none) }}
{%- endmacro %}

{# Where a model of the basis stands: published tables in the version that is served, others beside it. #}
{% macro relation_of_basis(schema, name) -%}
  {{ 'served' if schema in ('core', 'marts', 'qc') else 'kept' }}.{{ schema }}.{{ name }}
{%- endmacro %}

{# The rows of a model with one row or more per ticket: those of rebuilt tickets as `sql` gives them, all others from the basis. #}
{% macro rows_by_ticket(relation, sql) -%}
  {%- if is_incremental_build() -%}
  select * from (
  {{ sql }}
  ) as rebuilt
  where ticket_id in (select ticket_id from raw.rebuilt_tickets)
  -- A published table has its columns in the order of its contract.
  union all by name
  select * from {{ relation_of_basis(relation.schema, relation.identifier) }}
  where ticket_id not in (select ticket_id from raw.rebuilt_tickets)
  {%- else -%}
  {{ sql }}
  {%- endif -%}
{%- endmacro %}

{# A further condition, for models by ticket that read the whole tables of others: they need the rows of rebuilt tickets. #}
{% macro and_is_rebuilt() -%}
  {%- if is_incremental_build() -%} and ticket_id in (select ticket_id from raw.rebuilt_tickets) {%- endif -%}
{%- endmacro %}

{# For a model about more than one ticket whose rows never go away: the same columns of the basis, as a further part of a union. #}
{% macro and_rows_of_basis(model, columns, condition='true') -%}
  {%- if is_incremental_build() -%}
  union all
  select {{ columns }} from {{ relation_of_basis('core' if model.startswith('dim_') else 'intermediate', model) }} where {{ condition }}
  {%- endif -%}
{%- endmacro %}

{#
  Attaches the files of the basis, whose paths stand in raw.basis_files, before the engine is closed to everything outside. dbt rolls back the
  transaction of what runs first, and the engine would detach them with it.
#}
{% macro attach_basis() -%}
  {%- if is_incremental_build() -%}
    {%- for row in run_query("select alias, file from raw.basis_files order by alias").rows %}
  attach if not exists '{{ row[1] | replace("'", "''") }}' as {{ row[0] }} (read_only);
    {%- endfor %}
  commit;
  begin transaction
  {%- endif -%}
{%- endmacro %}
