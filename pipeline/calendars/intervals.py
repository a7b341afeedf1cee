"""Sets of half-open intervals as two arrays of int64, starts and ends. All but `clip` give sorted, disjoint, merged ones."""

from __future__ import annotations

import numpy as np

Intervals = tuple[np.ndarray, np.ndarray]

EMPTY: Intervals = (np.empty(0, np.int64), np.empty(0, np.int64))


def merge(intervals: Intervals) -> Intervals:
    """The union: empty and reversed ones vanish, touching ones become one."""
    starts, ends = intervals
    kept = starts < ends
    starts, ends = starts[kept], ends[kept]
    if not len(starts):
        return EMPTY
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    begins = np.concatenate([[True], starts[1:] > reach[:-1]])
    return starts[begins], reach[np.concatenate([begins[1:], [True]])]


def clip(intervals: Intervals, earliest: int, latest: int) -> Intervals:
    """The parts within [earliest, latest); what lies outside becomes empty or reversed, which `merge` drops."""
    return np.maximum(intervals[0], earliest), np.minimum(intervals[1], latest)


def subtract(kept: Intervals, removed: Intervals) -> Intervals:
    """What of the merged `kept` lies in none of the merged `removed`."""
    edges = np.unique(np.concatenate([*kept, *removed]))
    starts, ends = edges[:-1], edges[1:]
    left = _contains(kept, starts) & ~_contains(removed, starts)
    return merge((starts[left], ends[left]))


def join(parts: list[Intervals]) -> Intervals:
    """All of them, one after the other, as they are."""
    return (
        np.concatenate([starts for starts, _ in parts] or [EMPTY[0]]),
        np.concatenate([ends for _, ends in parts] or [EMPTY[1]]),
    )


def _contains(intervals: Intervals, points: np.ndarray) -> np.ndarray:
    starts, ends = intervals
    if not len(starts):
        return np.zeros(len(points), dtype=bool)
    index = np.searchsorted(starts, points, side="right") - 1
    return (index >= 0) & (points < ends[np.maximum(index, 0)])
