-- Grain: one row per plan that has been tried on this build, also one that no term could have had.
{{ config(tags=['plan_comparison']) }}
select trial_plan from {{ source('raw', 'trial_plans') }}
