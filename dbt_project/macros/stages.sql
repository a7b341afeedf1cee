{#
  A relation in a list (`with ...`) that several others read, between two marks. DuckDB works such a relation out once and reads the marks as
  comments. Spark puts its text in the place of each reader, and so doubles it at each level: there it becomes a table beside the model's own.
#}

{% macro stage(name) -%}
  /* stage {{ name }} */ {{ name }}
{%- endmacro %}

{% macro end_stage() -%}
  /* end of stage */
{%- endmacro %}

{#
  A stage that reads itself: `first rows`, the mark of `next_round`, `next rows`. Rows have the number of their round as step_number, from 0 on;
  the rows of a round are made from those of the round before alone. Spark's own recursion has no windows, which such a round may need: there
  each round is an insert of its own, as many as the greatest step_number of `steps`, an earlier stage.
#}
{% macro fold(name, steps) -%}
  /* stage {{ name }} over {{ steps }} */ {{ name }}
{%- endmacro %}

{% macro next_round() -%}
  /* next round */
{%- endmacro %}
