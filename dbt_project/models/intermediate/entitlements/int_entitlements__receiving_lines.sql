-- Grain: one row per line of the other pools, with what flows over into them: what they cannot carry is a line `overage`.
{{ settle_pools(ref('int_entitlements__receiving_changes'), is_settled_first=false) }}
