-- Grain: one row per suspicion about a ticket, a customer or a contract record, for people to review; each says what it did to the figures.
-- These are not failures: the build publishes them. What is wrong, not merely suspicious, fails a test or is refused instead.
with
all_findings as (
  select * from {{ ref('rpt_qc__ticket_findings') }}
  union all
  select * from {{ ref('rpt_qc__event_findings') }}
  union all
  select * from {{ ref('rpt_qc__contact_findings') }}
  union all
  select * from {{ ref('rpt_qc__contract_findings') }}
  union all
  select * from {{ ref('rpt_qc__redemption_findings') }}
  union all
  select * from {{ ref('rpt_qc__redemption_record_findings') }}
  union all
  select * from {{ ref('rpt_qc__waiver_findings') }}
)

select
  finding_key,
  finding,
  ticket_id,
  customer_id,
  subscription_id,
  evidence,
  effect,
  source_file,
  line_number
from all_findings
