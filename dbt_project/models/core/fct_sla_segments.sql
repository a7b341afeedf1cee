-- Grain: one row per obligation and segment, counted or skipped, from the instant its deciding target counts to the stop (or as_of).
-- A view, for one obligation or a few: it is derived from the published facts when it is read. No build expands it for all of them: an
-- obligation that runs for years has thousands of segments. The counted seconds of an obligation sum to its elapsed_seconds (three dbt tests).
{{ config(materialized='view') }}
{{ segments_of(ref('fct_sla_obligations').include(database=false)) }}
