-- Grain: one row per ticket and word of a level or status that no setting maps; and one per ticket that no record gives a level.
-- Of a ticket that begins after as_of no word counts; of one whose only record was refused because of the word, it does.
with
words as (select * from {{ ref('stg_helpdesk__unmapped_words') }}),
tickets as (select * from {{ ref('int_helpdesk__tickets') }})

select
  words.cause || ':' || words.source || ':' || words.ticket_id || ':' || coalesce(words.word, '') as unmapped_word_key,
  words.source,
  words.ticket_id,
  words.cause,
  words.word,
  tickets.ticket_id is not null as is_known_ticket
from (select source, ticket_id, cause, word, bool_or(is_refused) as is_refused from words group by source, ticket_id, cause, word) as words
left join tickets on tickets.source = words.source and tickets.ticket_id = words.ticket_id
where tickets.ticket_id is not null or words.is_refused
