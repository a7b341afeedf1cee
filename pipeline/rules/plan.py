"""A support plan as data: what was promised, from when, on which clock, and where the contract says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.vocabulary import TICKET_STATUSES

STATUSES = TICKET_STATUSES
# Everything in a ticket's history that a plan may name as the start, the stop or a pause of an obligation.
MOMENTS = (
    "submitted",
    "agent_message",
    "customer_message",
    "automatic_reply",
    "ai_message",
    *(f"status:{status}" for status in STATUSES),
    "reopened",
    "debug_requested",
    "debug_logs_received",
    "debug_delivered",
    "bug_confirmed",
    "bug_rejected",
    "severity_changed",
)
KINDS = ("target", "estimate")
CYCLES = ("once", "repeat", "resume")
LICENSE_TYPES = ("paid", "trial", "legacy")
LICENSE_STATUSES = ("active", "inactive", "expired", "suspended", "cancelled")
SEVERITIES = range(6)
_SCOPE_RANGE = re.compile(r"[0-9]{1,9} ?- ?([0-9]{1,9})")
_SCOPE_MAXIMUM = "_maximum"


@dataclass(frozen=True)
class Reference:
    """Where a value stands in the contract, and what a reader should know about it."""

    clause: str | None
    note: str | None


@dataclass(frozen=True)
class Severity:
    severity: int
    label: str
    is_covered: bool
    reference: Reference


@dataclass(frozen=True)
class Promise:
    """`target_seconds` of open time on `clock_name`, for tickets of these severities."""

    severities: tuple[int, ...]
    target_seconds: int
    clock_name: str
    reference: Reference


@dataclass(frozen=True)
class Pause:
    """Time that does not count: while the ticket has `status`, or from one moment until another."""

    status: str | None
    from_moment: str | None
    until_moment: str | None

    @property
    def name(self) -> str:
        return f"status:{self.status}" if self.status else f"{self.from_moment}..{self.until_moment}"


@dataclass(frozen=True)
class Obligation:
    """A promise with its clock rules.

    `cycles`: `once` = the first start to the first stop after it; `repeat` = a new row for every start after
    a stop; `resume` = one row that goes on counting when a moment of `resumes_on` follows a stop.
    """

    obligation: str
    kind: Literal["target", "estimate"]
    cycles: Literal["once", "repeat", "resume"]
    starts_on: tuple[str, ...]
    stops_on: tuple[str, ...]
    resumes_on: tuple[str, ...]
    pauses_on: tuple[Pause, ...]
    promises: tuple[Promise, ...]


@dataclass(frozen=True)
class Entitlement:
    """A pool per subscription term: tickets draw on it (`severities`) or it is redeemed (`is_redeemed`).

    `quantity` is a number, or None: with `is_unlimited`, or without `is_stated` (the contract is silent).
    """

    pool: str
    severities: tuple[int, ...]
    quantity: int | None
    is_unlimited: bool
    is_stated: bool
    is_redeemed: bool
    overflows_to: str | None
    drawn_by: Literal["submission", "in_force"]
    scope: Mapping[str, str | int]
    reference: Reference

    @property
    def scope_maxima(self) -> dict[str, int | None]:
        """What one redemption may cover, item -> the most of it; None where the scope names it without a number.

        `agents_maximum: 25` and `agents: 25` are both 25 agents, `sample_jobs: 1-2` is at most 2.
        """
        maxima: dict[str, int | None] = {}
        # A key that says "maximum" is the exact one, so it comes last and wins.
        for key in sorted(self.scope, key=lambda key: key.endswith(_SCOPE_MAXIMUM)):
            value = self.scope[key]
            number = _SCOPE_RANGE.fullmatch(value) if isinstance(value, str) else None
            maximum = int(number.group(1)) if number else value if isinstance(value, int) else None
            maxima[key.removesuffix(_SCOPE_MAXIMUM)] = maximum
        return maxima


@dataclass(frozen=True)
class Statement:
    """A rule in words that no formula uses, or a reading that we chose where the contract is silent."""

    statement: str
    value: str
    is_reading: bool
    reference: Reference


@dataclass(frozen=True)
class PlanVersion:
    """One plan, valid_from <= t < valid_to; both naive UTC, an open end is `tables.OPEN_END`."""

    version: str
    valid_from: datetime
    valid_to: datetime
    time_zone: str
    availability_clock: str
    is_default_channel_supported: bool
    channels: Mapping[str, bool]
    maximum_contacts: int | None
    required_license_status: str | None
    licenses_not_counted: tuple[str, ...]
    severities: tuple[Severity, ...]
    severity_raised: Literal["adds", "replaces", "ignored"]
    severity_lowered: Literal["adds", "replaces", "ignored"]
    is_over_quota_covered: bool
    obligations: tuple[Obligation, ...]
    entitlements: tuple[Entitlement, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Plan:
    """All versions of one plan file, oldest first."""

    plan: str
    title: str
    source_title: str
    source_file: str
    clauses: Mapping[str, str]
    versions: tuple[PlanVersion, ...]

    def version_key(self, version: PlanVersion) -> str:
        """The name of a version in every table: `standard@2020-11-16`."""
        return f"{self.plan}@{version.version}"

    def version_at(self, instant: datetime) -> PlanVersion | None:
        """The version in force at a naive UTC instant."""
        for version in self.versions:
            if version.valid_from <= instant < version.valid_to:
                return version
        return None

    @property
    def pools(self) -> dict[str, Entitlement]:
        """Every pool that some version names; the newest version's wording."""
        return {
            entitlement.pool: entitlement for version in self.versions for entitlement in version.entitlements
        }
