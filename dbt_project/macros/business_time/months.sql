{% macro join_zone_month(alias, time_zone, instant) -%}
left join {{ source('raw', 'zone_months') }} as {{ alias }}
    on {{ alias }}.time_zone = {{ time_zone }} and {{ alias }}.utc_month = {{ utc_month(instant) }}
{%- endmacro %}

{% macro local_month(alias, instant) -%}
case
      when {{ instant }} is null then null
      when {{ instant }} < {{ alias }}.boundary_at then {{ alias }}.month_before
      else {{ alias }}.month_after
    end
{%- endmacro %}

{# Half-open, as everything else: at the instant at which a month ends it no longer runs. #}
{% macro is_month_running(as_of, month_ends_at) -%}
{{ as_of }} < {{ month_ends_at }}
{%- endmacro %}
