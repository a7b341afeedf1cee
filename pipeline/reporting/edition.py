"""Which edition of a customer's month a document is: a draft, the original of a closed month, or a numbered correction."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# A month is open until it has ended, provisional during the grace period, then closed.
PeriodState = Literal["open", "provisional", "closed"]


@dataclass(frozen=True)
class Change:
    """One value of a closed month that later inputs changed. `what` is a status, a quantity, a name; values are text as printed.

    `ticket_id` and `obligation` (or the pool, for units) name what changed; both are None for a value of the customer. `causes`
    names inputs: landed files, reference files, calendars, plans.
    """

    what: str
    ticket_id: str | None
    obligation: str | None
    old: str | None
    new: str | None
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Edition:
    """`correction_number` is 0 for a draft and for the original; `corrects` is the report number of the original.

    A draft (open or provisional) has no `closed_at`; an original has no `issued_at` of a correction and no `changes`.
    """

    state: PeriodState
    report_number: str
    correction_number: int = 0
    corrects: str | None = None
    closed_at: datetime | None = None
    issued_at: datetime | None = None
    changes: tuple[Change, ...] = ()


def rank_edition(report_number: str) -> tuple[int, int]:
    """Orders the editions of one customer's month: by closing (1, or that of `-V2`), then by correction (0, or that of `-C1`)."""
    ranks = [re.search(rf"-{mark}([0-9]+)(?:-|$)", report_number) for mark in ("V", "C")]
    version, correction = (int(found[1]) if found else None for found in ranks)
    return version or 1, correction or 0


def number_original(customer_id: str, month: str) -> str:
    """The report number of the first original: the same on every machine, and it names neither figures nor customer."""
    return f"R-{month}-{_shorten(customer_id, month)}"


def number_draft(customer_id: str, month: str, build_id: str) -> str:
    """The report number of a draft names its figures: the same customer, month and build always get the same one, any other build
    another."""
    return f"D-{month}-{_shorten(customer_id, month, build_id)}"


def number_pack(month: str, build_id: str | None = None, version: int = 1) -> str:
    """The report number of the managers' document: of a draft it names its build, of a closed month how often that was closed."""
    if build_id is not None:
        return f"DM-{month}-{_shorten(month, build_id)}"
    return f"M-{month}" if version == 1 else f"M-{month}-V{version}"


def _shorten(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10]
