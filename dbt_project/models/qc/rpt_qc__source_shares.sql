-- Grain: one row per source and cause (word without a mapping, unlisted customer, refused record, kind of finding, no answer) that it has.
-- Over its limit a cause is no suspicion about single tickets but a wrong setting. The tickets of a source are those that are known and
-- those whose records were refused because of a word.
with
sources as (select * from {{ ref('dim_sources') }}),
limits as (select * from {{ ref('dim_source_limits') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
words as (select * from {{ ref('fct_unmapped_words') }}),
refused as (select * from {{ ref('fct_refused_records') }}),
findings as (select * from {{ ref('rpt_qc__findings') }}),
answers as (select distinct ticket_id from {{ ref('fct_ticket_events') }} where moment = 'agent_message'),

-- The cause of each ticket, what shows it, and the limit that counts.
affected as (
  select source, cause, cause as limited_as, ticket_id, word from words
  union all
  select source, 'unknown_customers', 'unknown_customers', ticket_id, customer_id from tickets where exclusion_reason = 'unknown_customer'
  union all
  select tickets.source, findings.finding, 'findings', tickets.ticket_id, null
  from findings
  join tickets on tickets.ticket_id = findings.ticket_id
  -- A list of representatives is no setting of the source, and no figure rests on it.
  where findings.finding <> 'unlisted_requester'
),

ticket_counts as (
  select source, cast(count(*) as bigint) as whole_count
  from (select source, ticket_id from tickets union select source, ticket_id from words) as known
  group by source
),

counted as (
  select source, cause, limited_as, cast(count(distinct ticket_id) as bigint) as affected_count
  from affected
  group by source, cause, limited_as
),

word_counts as (
  select source, cause, word, cast(count(distinct ticket_id) as bigint) as word_count
  from affected
  where word is not null
  group by source, cause, word
  union all
  select source, 'refused_records', coalesce(column_name || ' ', '') || reason, refused_count from refused
),

most_common as (
  select source, cause, word, word_count
  from (
    select word_counts.*, row_number() over (partition by source, cause order by word_count desc, word nulls last) as word_rank from word_counts
  ) as ranked
  where word_rank = 1
),

-- Where no agent ever answers, sides or visibility are read wrongly more often than all tickets are left alone.
unanswered as (
  select
    tickets.source,
    cast(sum(case when answers.ticket_id is null then 1 else 0 end) as bigint) as affected_count,
    cast(count(*) as bigint) as whole_count
  from tickets
  left join answers on answers.ticket_id = tickets.ticket_id
  where tickets.is_messages_observed
  group by tickets.source
),

shares as (
  select counted.source, counted.cause, counted.limited_as, counted.affected_count, ticket_counts.whole_count
  from counted
  join ticket_counts on ticket_counts.source = counted.source
  union all
  select source, 'refused_records', 'refused_records', records_refused, records_read from sources where records_refused > 0
  union all
  select source, 'unanswered_tickets', 'unanswered_tickets', affected_count, whole_count from unanswered where affected_count > 0
)

select
  shares.source || ':' || shares.cause as source_share_key,
  shares.source,
  shares.cause,
  shares.limited_as,
  shares.affected_count,
  shares.whole_count,
  limits.limit_pct,
  limits.stops_publishing,
  shares.affected_count >= {{ var("least_tickets") }} and shares.affected_count * 100 > limits.limit_pct * shares.whole_count as is_over_limit,
  most_common.word,
  most_common.word_count
from shares
join limits on limits.source = shares.source and limits.cause = shares.limited_as
left join most_common on most_common.source = shares.source and most_common.cause = shares.cause
