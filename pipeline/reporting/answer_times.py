"""SQL that page and report share: percentiles of the times of answers, and how many took which share of their target.

Percentiles are by nearest rank: the least time whose rank is at least p % of all, so each is a time that one answer took. Shares
are compared as whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

# The rank of each answer among those of its promise, a window that the query names `promise`.
RANK = """
row_number() over (promise order by elapsed_seconds) as place,
count(*) over (promise) as places
"""
# Of rows that have `RANK`, grouped by promise.
PERCENTILES = """
min(elapsed_seconds) filter (place * 100 >= 50 * places) as p50_seconds,
min(elapsed_seconds) filter (place * 100 >= 90 * places) as p90_seconds,
min(elapsed_seconds) filter (place * 100 >= 95 * places) as p95_seconds,
max(elapsed_seconds) as longest_seconds
"""


def count_by_share(percents: Sequence[int]) -> str:
    """A list of counts: of times up to each percentage of the target and above the one before, and of those above the last.

    Every time is in one bin. `percents` ascend.
    """
    above = ["true", *(f"elapsed_seconds * 100 > {percent} * target_seconds" for percent in percents)]
    up_to = [*(f"elapsed_seconds * 100 <= {percent} * target_seconds" for percent in percents), "true"]
    bins = (f"count(*) filter ({lower} and {upper})" for lower, upper in zip(above, up_to, strict=True))
    return f"[{', '.join(bins)}]"
