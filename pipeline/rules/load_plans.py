"""Read the dated plan files and refuse what cannot be applied: what a file may say is `plan_file.py`, its meaning is here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pipeline.declarations.dates import parse_moment
from pipeline.declarations.declared import read_declared
from pipeline.declarations.problems import Place, name_nearest, refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.errors import ConfigurationError, Problem
from pipeline.rules import plan_file
from pipeline.rules.plan import (
    Entitlement,
    Obligation,
    Pause,
    Plan,
    PlanVersion,
    Promise,
    Reference,
    Severity,
    Statement,
)
from pipeline.rules.plan_file import Cited, PlanFile, SeverityEntry, VersionEntry
from pipeline.rules.tables import OPEN_END

_DURATION = re.compile(r"([0-9]+)([a-z]*)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST_SECONDS = 10 * 366 * 24 * 3600


def load_plans(folder: Path, calendars: Collection[str]) -> list[Plan]:
    """Every plan file of `folder` (not of its subfolders), ordered by plan name.

    `calendars` are the names a clock may have; `always` is one without being listed. Raises
    ConfigurationError that names file, line and field of everything that is wrong in any of the files.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix in {".yml", ".yaml"} and path.is_file())
    if not paths:
        raise ConfigurationError(
            f"There is no plan file in {folder}. Put one there; `sla init` writes three of them."
        )
    clocks = frozenset({*calendars, "always"})
    problems: list[Problem] = []
    plans: dict[str, Plan] = {}
    for path in paths:
        file, place = read_declared(PlanFile, read_yaml(path), problems)
        plan = _build_plan(file, place, path.name, clocks)
        first = plans.setdefault(plan.plan, plan)
        if first is not plan and plan.plan:
            place.report(
                ["plan"],
                f"{first.source_file} describes the plan {plan.plan!r} already.",
                "Put all versions of a plan into one file, or rename one.",
            )
    if problems:
        raise refuse(f"The plans in {folder}", problems)
    return [plans[name] for name in sorted(plans)]


def _build_plan(file: PlanFile, place: Place, file_name: str, clocks: frozenset[str]) -> Plan:
    clauses = frozenset(map(str, place.names_at("clauses")))
    versions = [
        _VersionBuilder(version, place.at("versions", index), clauses, clocks).build()
        for index, version in enumerate(file.versions)
    ]
    _check_versions(place, versions)
    return Plan(
        plan=file.plan,
        title=file.title or file.plan,
        source_title=file.source or file_name,
        source_file=file_name,
        clauses=file.clauses,
        versions=tuple(sorted(versions, key=lambda version: (version.valid_from, version.version))),
    )


def _check_versions(place: Place, versions: Sequence[PlanVersion]) -> None:
    for index, version in enumerate(versions):
        for earlier_index, earlier in enumerate(versions[:index]):
            line = place.line_of("versions", earlier_index)
            if not version.version or not earlier.version:
                continue
            if version.version == earlier.version:
                place.report(
                    ["versions", index, "version"],
                    f"the version {version.version!r} stands on line {line} already.",
                    "Give each version its own name.",
                )
            if version.valid_from < earlier.valid_to and earlier.valid_from < version.valid_to:
                place.report(
                    ["versions", index, "valid_from"],
                    f"the version {version.version!r} overlaps {earlier.version!r} of line {line}.",
                    "End the older with valid_to where the newer begins; valid_to is not included.",
                )


@dataclass(frozen=True)
class _VersionBuilder:
    """Makes one version of a plan; holds what its parts refer to."""

    version: VersionEntry
    place: Place
    clauses: frozenset[str]
    clocks: frozenset[str]

    def build(self) -> PlanVersion:
        version, place = self.version, self.place
        zone = version.time_zone or "UTC"
        valid_from = parse_moment(version.valid_from, zone) or datetime(1970, 1, 1)
        valid_to = parse_moment(version.valid_to or "", zone) or OPEN_END
        if valid_to <= valid_from:
            place.report(
                ["valid_to"], "the version ends before it begins.", "valid_to must be later than valid_from."
            )
        self.check_clock(version.calendar, place, "calendar")
        channels = version.channels
        return PlanVersion(
            version=version.version or version.valid_from,
            valid_from=valid_from,
            valid_to=valid_to,
            time_zone=zone,
            availability_clock=version.calendar,
            is_default_channel_supported=channels.default_supported if channels else True,
            channels=channels.by_name if channels else {},
            maximum_contacts=version.contacts.maximum,
            required_license_status=version.license.required_status,
            licenses_not_counted=version.license.types_not_counted,
            severities=tuple(
                self.build_severity(severity, entry) for severity, entry in sorted(version.severities.items())
            ),
            severity_raised=cast(Any, version.severity_change.raised),
            severity_lowered=cast(Any, version.severity_change.lowered),
            is_over_quota_covered=version.over_quota.is_covered,
            obligations=self.build_obligations(),
            entitlements=self.build_entitlements(),
            statements=self.build_statements(),
        )

    def check_clock(self, clock: str, place: Place, key: str) -> None:
        if clock:
            place.check_name([key], clock, self.clocks)

    def cite(self, entry: Cited, place: Place) -> Reference:
        if entry.clause and entry.clause not in self.clauses:
            place.report(
                ["clause"],
                f"the clause {entry.clause!r} is not described.",
                name_nearest(entry.clause, self.clauses),
            )
        return Reference(entry.clause, entry.note)

    def build_severity(self, severity: int, entry: SeverityEntry) -> Severity:
        reference = self.cite(entry, self.place.at("severities", severity))
        return Severity(severity, entry.label, entry.is_covered, reference)

    def build_statements(self) -> tuple[Statement, ...]:
        found = [
            Statement(
                entry.statement,
                entry.value,
                entry.is_reading,
                self.cite(entry, self.place.at("statements", index)),
            )
            for index, entry in enumerate(self.version.statements)
        ]
        found += [
            Statement(
                policy.subject,
                policy.words,
                policy.is_reading,
                self.cite(policy, self.place.at(policy.subject)),
            )
            for policy in self.version.policies
        ]
        return tuple(found)

    def check_severities(self, severities: Sequence[int], place: Place) -> tuple[int, ...]:
        """The severities of a promise or a pool: described by the version, and covered."""
        described = self.version.severities
        for index, severity in enumerate(severities):
            if severity not in self.place.names_at("severities"):
                known = ", ".join(str(severity) for severity in sorted(described))
                place.report(
                    ["severities", index],
                    f"{severity} is not a severity of this version.",
                    f"Known: {known or 'none'}.",
                )
            elif severity in described and not described[severity].is_covered:
                place.report(
                    ["severities", index],
                    f"severity {severity} is not covered by this version.",
                    "Leave it out, or set its is_covered to true.",
                )
            elif severity in severities[:index]:
                place.report(
                    ["severities", index],
                    f"severity {severity} stands here twice.",
                    "Keep one of the two.",
                )
        return tuple(sorted(severities))

    def build_obligations(self) -> tuple[Obligation, ...]:
        found: dict[str, Obligation] = {}
        lines: dict[tuple[str, int], int] = {}
        working_day = self.version.working_day
        working_day_seconds = _read_duration(working_day, self.place, "working_day") if working_day else None
        for index, entry in enumerate(self.version.obligations):
            place = self.place.at("obligations", index)
            obligation = Obligation(
                obligation=entry.obligation,
                kind=cast(Any, entry.kind),
                cycles=cast(Any, entry.cycles),
                starts_on=entry.starts_on,
                stops_on=entry.stops_on,
                resumes_on=entry.resumes_on,
                pauses_on=tuple(_build_pause(pause) for pause in entry.pauses_on),
                promises=tuple(
                    self.build_promise(
                        promise,
                        place if promise is entry else place.at("promises", number),
                        (entry.obligation, lines),
                        working_day_seconds,
                    )
                    for number, promise in enumerate(entry.promises)
                ),
            )
            first = found.setdefault(obligation.obligation, obligation)
            if first is obligation:
                continue
            # The same obligation once more, for other severities: its clock rules must be the same.
            if replace(first, promises=()) != replace(obligation, promises=()):
                place.report(
                    ["obligation"],
                    f"the obligation {obligation.obligation!r} stands here again with other rules.",
                    "Only severities, target, clock, clause and note may differ; or use another name.",
                )
            found[obligation.obligation] = replace(first, promises=first.promises + obligation.promises)
        return tuple(found.values())

    def build_promise(
        self,
        promise: plan_file.PromiseEntry,
        place: Place,
        promised: tuple[str, dict[tuple[str, int], int]],
        working_day_seconds: int | None,
    ) -> Promise:
        """`promised`: the obligation, and the line of the promise that covers each obligation and severity so far."""
        obligation, lines = promised
        line = place.line_of()
        severities = self.check_severities(promise.severities, place)
        for severity in severities:
            first = lines.setdefault((obligation, severity), line)
            if first != line:
                place.report(
                    ["severities"],
                    f"the promise of line {first} covers severity {severity} already.",
                    "A severity has one promise per obligation; take it out of one of the two.",
                )
        self.check_clock(promise.clock, place, "clock")
        return Promise(
            severities=severities,
            target_seconds=_read_duration(promise.target, place, "target", working_day_seconds),
            clock_name=promise.clock,
            reference=self.cite(promise, place),
        )

    def build_entitlements(self) -> tuple[Entitlement, ...]:
        found: dict[str, Entitlement] = {}
        pool_of: dict[int, str] = {}
        places = [self.place.at("entitlements", index) for index in range(len(self.version.entitlements))]
        for entry, place in zip(self.version.entitlements, places, strict=True):
            entitlement = self.build_entitlement(entry, place)
            if entitlement.pool and entitlement.pool in found:
                place.report(
                    ["pool"], f"the pool {entitlement.pool!r} stands here twice.", "Keep one of the two."
                )
            for severity in entitlement.severities:
                first = pool_of.setdefault(severity, entitlement.pool)
                if first != entitlement.pool:
                    place.report(
                        ["severities"],
                        f"severity {severity} draws on the pool {first!r} already.",
                        "A ticket draws on one pool; let that pool overflow into this one instead.",
                    )
            found[entitlement.pool] = entitlement
        drawn_pools = [pool for pool, entitlement in found.items() if not entitlement.is_redeemed]
        for entry, place in zip(self.version.entitlements, places, strict=True):
            target = entry.overflows_to
            if target is not None and target not in drawn_pools:
                place.report(
                    ["overflows_to"],
                    f"{target!r} is not a pool that tickets draw on.",
                    name_nearest(target, drawn_pools),
                )
            elif target is not None and found[target].overflows_to is not None:
                place.report(
                    ["overflows_to"],
                    f"{target!r} overflows itself, so where a ticket ends would depend on two pools.",
                    "Let the pool that takes the overflow overflow nowhere.",
                )
        return tuple(found.values())

    def build_entitlement(self, entry: plan_file.EntitlementEntry, place: Place) -> Entitlement:
        return Entitlement(
            pool=entry.pool,
            severities=self.check_severities(entry.severities, place),
            quantity=entry.quantity if isinstance(entry.quantity, int) else None,
            is_unlimited=entry.quantity == "unlimited",
            is_stated=entry.quantity != "not_stated",
            is_redeemed=entry.redeemed,
            overflows_to=entry.overflows_to,
            drawn_by=cast(Any, entry.draws_on),
            scope=entry.scope,
            reference=self.cite(entry, place),
        )


def _build_pause(pause: str | plan_file.PausePair) -> Pause:
    if isinstance(pause, str):
        return Pause(pause.removeprefix("status:"), None, None)
    return Pause(None, pause.from_moment, pause.until_moment)


def _read_duration(text: str, place: Place, key: str, working_day_seconds: int | None = None) -> int:
    """Seconds of a duration. A working day (`2wd`) is as many open seconds as the version's `working_day` says."""
    units = _UNIT_SECONDS | ({} if working_day_seconds is None else {"wd": working_day_seconds})
    match = _DURATION.fullmatch(text)
    number, unit = match.groups() if match else ("", "")
    seconds = int(number[:12]) * units[unit] if unit in units else 0
    if not text or 0 < seconds <= _LONGEST_SECONDS and len(number) <= 12:
        return seconds
    if unit in {"d", "wd"} - units.keys():
        place.report(
            [key],
            f"{text!r} is counted in days, and a day on a clock with opening hours could mean two things.",
            "Write the open hours (a working day of 06:00-21:00 is 15h, a whole day 24h), or say `working_day: 15h` in "
            "the version and count in wd.",
        )
    elif unit in units:
        place.report([key], f"{text!r} is no usable duration.", "It must be over zero and at most ten years.")
    else:
        place.report(
            [key], f"{text!r} is not a duration.", "Write a whole number and s, m or h, such as 24h or 90m."
        )
    return 0
