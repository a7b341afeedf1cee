-- Grain: one row: the instant up to which the data of this build is known.
select as_of from {{ source('raw', 'build_inputs') }}
