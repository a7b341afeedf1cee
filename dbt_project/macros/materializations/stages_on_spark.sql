{# dbt-spark's own, with the stages of the model made first. #}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
  {{ dbt.spark__create_table_as(temporary, relation, make_stages(relation, compiled_code), language) }}
{%- endmacro %}

{# Make the stages of a model, in their order, and give its SQL with a table in the place of each. #}
{% macro make_stages(relation, compiled_code) %}
  {%- set parts = compiled_code.split('/* stage ') -%}
  {%- set made = namespace(sql=parts[0]) -%}
  {%- for part in parts[1:] -%}
    {%- set words = part.split(' */', 1)[0].split(' over ') -%}
    {%- set body = part.split(' */', 1)[1].split('/* end of stage */')[0] -%}
    {%- set rest = part.split('/* end of stage */', 1)[1] -%}
    {%- set table = name_stage(relation, words[0]) -%}
    {%- if words | length == 1 -%}
      {%- call statement('make_stage', auto_begin=false) -%}
        create table {{ table }} using parquet as {{ made.sql }} {{ body }} select * from {{ words[0] }}
      {%- endcall -%}
    {%- else -%}
      {%- do make_fold(words[0], table, name_stage(relation, words[1]), made.sql, body) -%}
    {%- endif -%}
    {%- set made.sql = made.sql ~ words[0] ~ ' as (select * from ' ~ table ~ ')' ~ rest -%}
  {%- endfor -%}
  {{ return(made.sql) }}
{% endmacro %}

{# `before`: the list as far as it stands before the fold. #}
{% macro make_fold(name, table, steps, before, body) %}
  {%- set first_rows = body.split('/* next round */')[0] -%}
  {%- set next_rows = body.split('/* next round */ union all')[1].rsplit(')', 1)[0] -%}
  {%- call statement('make_first_rows', auto_begin=false) -%}
    create table {{ table }} using parquet as {{ before }} {{ first_rows }}) select * from {{ name }}
  {%- endcall -%}
  {%- set rounds = run_query('select coalesce(max(step_number), 0) from ' ~ steps).columns[0].values()[0] -%}
  {%- for round in range(rounds) -%}
    {%- call statement('make_next_rows', auto_begin=false) -%}
      insert into {{ table }} {{ before }} {{ name }} as (select * from {{ table }} where step_number = {{ round }}) {{ next_rows }}
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{% macro name_stage(relation, name) %}
  {{ return(relation.incorporate(path={'identifier': relation.identifier ~ '__' ~ name})) }}
{% endmacro %}
