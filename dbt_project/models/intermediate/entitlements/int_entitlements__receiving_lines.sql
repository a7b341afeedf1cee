-- Grain: one row per line of the pools that overflow nowhere: what they cannot carry is a line `overage`.
{{ settle_pools(ref('int_entitlements__receiving_changes'), 'overage') }}
