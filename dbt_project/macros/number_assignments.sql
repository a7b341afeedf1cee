{# The order of changes of the group or the assignee, for every model that asks who had a ticket. #}
{% macro number_assignments(acts) -%}
  select
    copies.*,
    row_number() over (
      partition by ticket_id, event_type
      order by event_at nulls last, update_number nulls last, id_number nulls last, line_number nulls last, place nulls first, event_id nulls last
    ) as change_number
  from (
    select
      acts.*,
      cast(nullif(regexp_extract(acts.update_id, '^(.*?)([0-9]{1,38})$', 2), '') as decimal(38, 0)) as id_number,
      row_number() over (
        partition by acts.source, acts.event_id
        order by
          acts.version_at desc nulls last, acts.event_at nulls last, coalesce(acts.value_before, ''), coalesce(acts.value, ''),
          acts.batch_id nulls last, acts.line_number nulls last
      ) as copy_rank
    from {{ acts }} as acts
    cross join build_inputs
    where acts.event_at <= build_inputs.as_of
  ) as copies
  where copy_rank = 1
{%- endmacro %}
