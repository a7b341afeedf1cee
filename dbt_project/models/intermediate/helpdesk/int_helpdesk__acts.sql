-- Grain: one row per exported message, assignment, and change and event that it stands for, with the side of its author.
-- The side is read in this order: robots and assistants that sla.yml names, what the record states, the ticket's requester, agents that sla.yml names,
-- the role that the person had then, the role that the record shows, accounts, domains and groups that sla.yml names. A role that was exported
-- later is today's: where the person had written an internal note by then it was an agent, and where anything else contradicts it the side
-- is unknown.
with
messages as (select * from {{ ref('stg_helpdesk__messages') }}),
changes as (select * from {{ ref('stg_helpdesk__changes') }}),
assignments as (select * from {{ ref('stg_helpdesk__assignments') }}),
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }}),
people as (select * from {{ ref('stg_helpdesk__people') }}),
notes as (select * from {{ ref('int_helpdesk__first_notes') }}),
roles as (select * from {{ ref('person_roles') }}),
opening_updates as (select distinct source, update_id from {{ ref('stg_helpdesk__opening_updates') }}),
bot_actors as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor'),
bot_channels as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'channel'),
assistants as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'assistant'),
agent_actors as (select * from {{ source('raw', 'source_agents') }} where agent_kind = 'actor'),
agent_domains as (select * from {{ source('raw', 'source_agents') }} where agent_kind = 'domain'),
agent_groups as (select * from {{ source('raw', 'source_agents') }} where agent_kind = 'group'),
agent_accounts as (select * from {{ source('raw', 'source_agents') }} where agent_kind = 'account_type'),

acts as (
  select
    event_id, source, ticket_id, 'message' as event_type, message_kind as act_kind,
    cast(null as string) as value, cast(null as string) as value_before, false as is_withdrawal, is_public, unmarked_comments, channel,
    author_id, author_kind, author_address, author_role, updater_id,
    earliest_at, event_at, moves_with_submission, update_id, update_number, place, version_at,
    source_file, line_number, batch_id, known_at
  from messages
  union all
  select
    event_id, source, ticket_id, event_type, change_kind as act_kind,
    value, value_before, is_withdrawal, is_public, cast(null as string) as unmarked_comments, channel,
    author_id, author_kind, author_address, author_role, updater_id,
    earliest_at, event_at, moves_with_submission, update_id, update_number, place, version_at,
    source_file, line_number, batch_id, known_at
  from changes
  -- A level that no mapping knows is no level: the ticket keeps the one before.
  where event_type <> 'severity_changed' or value is not null or value_before is not null
  union all
  select
    event_id, source, ticket_id, event_type, 'assignment' as act_kind,
    value, value_before, false as is_withdrawal, true as is_public, cast(null as string) as unmarked_comments, channel,
    author_id, author_kind, author_address, author_role, updater_id,
    earliest_at, event_at, moves_with_submission, update_id, update_number, place, version_at,
    source_file, line_number, batch_id, known_at
  from assignments
),

-- The person for whom a ticket is kept asks, also with an agent's seat.
-- Records of one instant that name different ones show none.
requesters as (
  select source, ticket_id, requester_id
  from (
    select
      source,
      ticket_id,
      case when min(requester_id) = max(requester_id) then max(requester_id) end as requester_id,
      row_number() over (partition by source, ticket_id order by updated_at desc) as version_rank
    from versions
    group by source, ticket_id, updated_at
  ) as numbered
  where version_rank = 1 and requester_id is not null
),

-- The line that a helpdesk writes itself in the update that merges a ticket has the author of that update.
merging_updates as (
  select distinct source, update_id from changes where event_type = 'merged' and change_kind in ('created', 'changed') and not is_withdrawal
),

judged as (
  select
    acts.*,
    case
      when coalesce(bot_actors.bot_value, bot_updaters.bot_value) is not null then 'bot'
      -- A name says more than the way on which a message came.
      when coalesce(assistants.bot_value, assistant_updaters.bot_value) is not null then 'ai'
      when bot_channels.bot_value is not null then 'bot'
      -- Who is declared to be an agent and is stated to be a customer, without being the one for whom the ticket is kept.
      when acts.author_kind = 'customer'
        and coalesce(agent_actors.agent_value, agent_addresses.agent_value, agent_domains.agent_value) is not null
        and acts.author_id is distinct from requesters.requester_id
        then 'unknown'
      when acts.author_kind in ('agent', 'customer', 'bot', 'ai') then acts.author_kind
      when acts.author_id = requesters.requester_id then 'customer'
      when coalesce(agent_actors.agent_value, agent_addresses.agent_value) is not null then 'agent'
      when people.actor_kind = 'customer'
        and (people.evidenced_from is null or acts.event_at < people.evidenced_from)
        and notes.first_noted_at <= acts.event_at
        then 'agent'
      when (people.evidenced_from is null or acts.event_at < people.evidenced_from)
        and (
          (people.actor_kind = 'customer' and roles.actor_kind = 'agent')
          or (people.actor_kind = 'agent' and roles.actor_kind = 'customer')
          or (
            people.actor_kind = 'customer'
            and (
              coalesce(agent_accounts.agent_value, agent_domains.agent_value, agent_groups.agent_value) is not null
              or notes.first_noted_at < people.evidenced_from
              or (people.evidenced_from is null and notes.first_noted_at is not null)
            )
          )
        )
        then 'unknown'
      when people.actor_kind is not null then people.actor_kind
      when roles.actor_kind is not null then roles.actor_kind
      when coalesce(agent_accounts.agent_value, agent_domains.agent_value, agent_groups.agent_value) is not null then 'agent'
      else 'unknown'
    end as author_side,
    coalesce(opening_updates.update_id, case when acts.act_kind = 'created' then acts.event_id end) is not null as is_opening,
    merging_updates.update_id is not null as is_merging
  from acts
  left join opening_updates on opening_updates.source = acts.source and opening_updates.update_id = acts.update_id
  left join merging_updates on merging_updates.source = acts.source and merging_updates.update_id = acts.update_id
  left join requesters on requesters.source = acts.source and requesters.ticket_id = acts.ticket_id
  left join people
    on people.source = acts.source
    and people.person_id = acts.author_id
    and people.valid_from <= acts.event_at
    and acts.event_at < people.valid_to
  left join notes on notes.source = acts.source and notes.author_id = acts.author_id
  left join roles on roles.role = acts.author_role
  left join bot_actors on bot_actors.source = acts.source and bot_actors.bot_value = acts.author_id
  -- A robot that writes in a human's name is a robot.
  left join bot_actors as bot_updaters on bot_updaters.source = acts.source and bot_updaters.bot_value = acts.updater_id
  left join assistants on assistants.source = acts.source and assistants.bot_value = acts.author_id
  left join assistants as assistant_updaters
    on assistant_updaters.source = acts.source and assistant_updaters.bot_value = acts.updater_id
  left join bot_channels on bot_channels.source = acts.source and bot_channels.bot_value = acts.channel
  left join agent_actors on agent_actors.source = acts.source and agent_actors.agent_value = acts.author_id
  left join agent_actors as agent_addresses
    on agent_addresses.source = acts.source and agent_addresses.agent_value = coalesce(acts.author_address, people.person)
  left join agent_domains
    on agent_domains.source = acts.source
    and agent_domains.agent_value = lower(regexp_replace(coalesce(acts.author_address, people.person), '^.*@', ''))
  left join agent_groups on agent_groups.source = acts.source and agent_groups.agent_value = people.organization_id
  left join agent_accounts on agent_accounts.source = acts.source and agent_accounts.agent_value = acts.author_role
)

select
  event_id,
  source,
  ticket_id,
  event_type,
  act_kind,
  case when event_type = 'message' and is_merging then 'bot' else author_side end as actor_kind,
  author_id as actor,
  value,
  value_before,
  is_withdrawal,
  -- A comment that is not marked is public where its author is a customer, who can write no other.
  case
    when is_public is not null then is_public
    when author_side = 'customer' then true
    else coalesce(unmarked_comments, 'internal') = 'public'
  end as is_public,
  -- Whether the customer could see it is neither said nor declared.
  event_type = 'message' and is_public is null and unmarked_comments is null and author_side <> 'customer' as is_unmarked,
  is_opening,
  earliest_at,
  event_at,
  moves_with_submission,
  update_id,
  update_number,
  place,
  version_at,
  source_file,
  line_number,
  batch_id,
  known_at
from judged
