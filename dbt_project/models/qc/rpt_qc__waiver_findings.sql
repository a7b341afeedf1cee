-- Grain: one row per recorded exception and suspicion about it.
-- The word `entitlement` in place of an obligation gives back the ticket's unit; any other names a promise.
with
builds as (select * from {{ ref('dim_builds') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }}),
movements as (select * from {{ ref('fct_entitlement_movements') }}),

waivers as (
  select recorded.*, recorded.obligation = 'entitlement' as is_of_unit
  from {{ ref('dim_waivers') }} as recorded
  cross join builds
  where recorded.approved_at <= builds.as_of
),

-- What still runs may yet need its waiver; the status of the others is final. A breach that no waiver holds lies outside every window.
promises as (
  select
    waivers.waiver_id,
    count(*) as promise_count,
    max(case when obligations.status_before_waiver in ('breached', 'pending') then 1 else 0 end) = 1 as is_needed,
    max(case when obligations.status in ('waived', 'pending') then 1 else 0 end) = 1 as is_held,
    min(case when obligations.status_before_waiver = 'breached' then obligations.waiver_id end) as applied_waiver_id,
    min(obligations.status) as status
  from waivers
  join obligations on obligations.ticket_id = waivers.ticket_id and obligations.obligation = waivers.obligation
  group by waivers.waiver_id
),

drawn as (
  select distinct ticket_id from movements where movement_kind = 'use' and cause_kind = 'ticket'
),

judged as (
  select
    waivers.*,
    tickets.customer_id,
    tickets.subscription_id,
    tickets.submitted_at,
    promises.status,
    promises.is_held,
    case
      when tickets.ticket_id is null then 'waiver_of_unknown_ticket'
      when waivers.is_of_unit and drawn.ticket_id is null then 'waiver_of_nothing'
      when not waivers.is_of_unit and not coalesce(promises.is_needed, false) then 'waiver_of_nothing'
      when promises.applied_waiver_id <> waivers.waiver_id then 'waiver_granted_twice'
      when waivers.approved_at < tickets.submitted_at then 'waiver_before_ticket'
      when not waivers.is_of_unit and not promises.is_held then 'waiver_of_nothing'
    end as finding
  from waivers
  left join tickets on tickets.ticket_id = waivers.ticket_id
  left join promises on promises.waiver_id = waivers.waiver_id
  left join drawn on drawn.ticket_id = waivers.ticket_id
)

select
  finding || ':' || waiver_id as finding_key,
  finding,
  ticket_id,
  customer_id,
  subscription_id,
  'waiver ' || waiver_id || ' of ' || obligation || ', approved at ' || cast(approved_at as string)
  || case finding
    when 'waiver_of_unknown_ticket' then '; no export holds ticket ' || ticket_id
    when 'waiver_of_nothing' then case
      when is_of_unit then '; the ticket drew no unit'
      when status = 'breached' then '; the breach lies outside its window'
      else '; the promise is ' || coalesce(status, 'not made')
    end
    when 'waiver_granted_twice' then '; another one holds for the same promise'
    else '; the ticket was submitted at ' || cast(submitted_at as string)
  end as evidence,
  case finding
    when 'waiver_granted_twice' then 'none: the breach is waived once, and the other one is named beside it'
    when 'waiver_before_ticket' then case
      when is_held = false then 'none: the breach lies outside its window'
      else 'it still holds, from the submission on'
    end
    else 'none: there is nothing that it could change'
  end as effect,
  source_file,
  line_number
from judged
where finding is not null
