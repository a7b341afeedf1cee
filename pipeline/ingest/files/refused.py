"""A record of an export that was not taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """One record that was not taken: where, what stands there, why, and what to do."""

    line_number: int
    column_name: str | None
    raw_value: str | None
    reason: str
    hint: str | None = None
