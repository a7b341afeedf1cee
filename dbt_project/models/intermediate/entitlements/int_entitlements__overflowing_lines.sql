-- Grain: one row per line of the pools that overflow into another one: what they cannot carry is a line `overflow`.
{{ settle_pools(ref('int_entitlements__changes'), 'overflow') }}
