-- Grain: one row per line of the pools that are settled first: what overflows into another pool is a line `overflow` there.
{{ settle_pools(ref('int_entitlements__changes'), is_settled_first=true) }}
