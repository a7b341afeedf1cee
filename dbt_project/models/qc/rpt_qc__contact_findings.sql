-- Grain: one row per customer and suspicion about its named representatives.
with
contacts as (select * from {{ ref('dim_contacts') }}),
builds as (select * from {{ ref('dim_builds') }}),
terms as (select * from {{ ref('dim_subscription_terms') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),

-- The number of representatives can only grow when one becomes valid or a term begins.
counting_instants as (
  select contacts.customer_id, contacts.valid_from as counted_at from contacts
  union
  select terms.customer_id, terms.term_starts_at from terms
),

representatives as (
  select
    counting_instants.customer_id,
    counting_instants.counted_at,
    plan_versions.maximum_contacts,
    count(distinct lower(contacts.contact)) as contact_count,
    max(contacts.source_file) as source_file,
    -- The line that made it one too many is the last of those that hold then.
    max(contacts.line_number) as line_number
  from counting_instants
  cross join builds
  join terms
    on terms.customer_id = counting_instants.customer_id
    and terms.term_starts_at <= counting_instants.counted_at
    and counting_instants.counted_at < terms.term_ends_at
  join plan_versions
    on plan_versions.plan = terms.plan
    and plan_versions.valid_from <= counting_instants.counted_at
    and counting_instants.counted_at < plan_versions.valid_to
  join contacts
    on contacts.customer_id = counting_instants.customer_id
    and contacts.valid_from <= counting_instants.counted_at
    and counting_instants.counted_at < contacts.valid_to
  where counting_instants.counted_at <= builds.as_of
  group by counting_instants.customer_id, counting_instants.counted_at, plan_versions.maximum_contacts
),

crowded as (
  select
    'too_many_representatives:' || customer_id as finding_key,
    'too_many_representatives' as finding,
    customer_id,
    cast(max(contact_count) as string) || ' representatives at once, the plan names ' || cast(max(maximum_contacts) as string) as evidence,
    'none: every ticket is judged and counted' as effect,
    max(source_file) as source_file,
    max(line_number) as line_number
  from representatives
  where contact_count > maximum_contacts
  group by customer_id
),

-- The other customer is not named: a reader who may see the one may not be allowed to see the other.
shared as (
  select
    'representative_of_two_customers:' || contacts.contact_key as finding_key,
    'representative_of_two_customers' as finding,
    contacts.customer_id,
    contacts.contact || ' is a representative of another customer at the same time' as evidence,
    'none: a ticket belongs to the customer that its source names' as effect,
    contacts.source_file,
    contacts.line_number
  from contacts
  cross join builds
  where contacts.valid_from <= builds.as_of
    -- A name may be that of two people; an address is one person's.
    and contacts.contact like '%@%'
    and exists (
      select 1
      from contacts as others
      where others.customer_id <> contacts.customer_id
        and lower(others.contact) = lower(contacts.contact)
        and others.valid_from < contacts.valid_to
        and contacts.valid_from < others.valid_to
    )
)

select
  finding_key,
  finding,
  cast(null as string) as ticket_id,
  customer_id,
  cast(null as string) as subscription_id,
  evidence,
  effect,
  source_file,
  line_number
from (
  select * from crowded
  union all
  select * from shared
) as found
