-- Grain: one row per plan that this build tried, also one that no term could have had.
{{ config(tags=['plan_comparison']) }}
select trial_plan from {{ source('raw', 'trial_plans') }}
