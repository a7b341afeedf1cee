-- The promises of a customer's month, with what none of them covers, must count what the managers' figures count of that customer.
{% set counts = [
  'met', 'breached', 'pending', 'waived', 'not_covered', 'not_measurable', 'raw_met', 'raw_breached', 'lower_met', 'upper_met', 'bounded',
  'raw_lower_met', 'raw_upper_met', 'raw_bounded',
] %}
with
compliance as (
  select customer_id, month{% for count in counts %}, sum({{ count }}_count) as {{ count }}{% endfor %}
  from {{ ref('mart_manager__monthly_compliance') }}
  where month_basis = 'settled' and customer_id is not null
  group by customer_id, month
),

promises as (
  select customer_id, month{% for count in counts %}, sum({{ count }}_count) as {{ count }}{% endfor %}
  from {{ ref('mart_customer__monthly_promises') }}
  group by customer_id, month
),

differences as (
  (select * from compliance except select * from promises)
  union all
  -- A month in which tickets were submitted and nothing is counted has rows of zeros.
  (
    select * from promises
    where met + breached + pending + waived + not_covered + not_measurable > 0
    except
    select * from compliance
  )
)

select * from differences
