{# Instants and whole seconds, where the engines' functions differ. Every instant is UTC and whole seconds (semantics.md, Time). #}

{% macro epoch_seconds(instant) %}{{ return(adapter.dispatch('epoch_seconds')(instant)) }}{% endmacro %}
{% macro duckdb__epoch_seconds(instant) -%}
  (epoch_us({{ instant }}) // 1000000)
{%- endmacro %}
{% macro spark__epoch_seconds(instant) -%}
  unix_timestamp({{ instant }})
{%- endmacro %}

{% macro instant_from_epoch(seconds) %}{{ return(adapter.dispatch('instant_from_epoch')(seconds)) }}{% endmacro %}
{% macro duckdb__instant_from_epoch(seconds) -%}
  make_timestamp(({{ seconds }}) * 1000000)
{%- endmacro %}
{% macro spark__instant_from_epoch(seconds) -%}
  timestamp_seconds({{ seconds }})
{%- endmacro %}

{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) -%}
  (({{ dividend }}) // ({{ divisor }}))
{%- endmacro %}
{% macro spark__whole_quotient(dividend, divisor) -%}
  (({{ dividend }}) div ({{ divisor }}))
{%- endmacro %}
