"""Read the dated plan files, refuse what cannot be applied, flatten the rest into tables for the models."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipeline.declarations.dates import hint_zone, parse_moment
from pipeline.declarations.problems import name_nearest, refuse
from pipeline.declarations.read_yaml import Key, read_yaml
from pipeline.declarations.section import Section, open_document
from pipeline.errors import ConfigurationError, Problem
from pipeline.rules.plan import (
    CYCLES,
    KINDS,
    LICENSE_STATUSES,
    LICENSE_TYPES,
    MOMENTS,
    SEVERITIES,
    STATUSES,
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
from pipeline.rules.tables import OPEN_END, build_table
from pipeline.zones import known_zones

if TYPE_CHECKING:
    import pyarrow

_DURATION = re.compile(r"([0-9]+)([a-z]*)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST_SECONDS = 10 * 366 * 24 * 3600
_PROMISE_KEYS = ("severities", "target", "clock", "clause")
_REFERENCE_KEYS = ("clause", "note")
_POLICY_KEYS = (*_REFERENCE_KEYS, "is_reading")
_SEVERITY_CHANGES = ("adds", "replaces", "ignored")


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
    zones = known_zones()
    problems: list[Problem] = []
    plans: dict[str, Plan] = {}
    for path in paths:
        top = open_document(read_yaml(path), problems)
        plan = _read_plan(top, path.name, clocks, zones)
        first = plans.setdefault(plan.plan, plan)
        if first is not plan and plan.plan:
            top.report(
                ["plan"],
                f"{first.source_file} describes the plan {plan.plan!r} already.",
                "Put all versions of a plan into one file, or rename one.",
            )
    if problems:
        raise refuse(f"The plans in {folder}", problems)
    return [plans[name] for name in sorted(plans)]


def _read_plan(top: Section, file_name: str, clocks: frozenset[str], zones: frozenset[str]) -> Plan:
    top.require_keys(required=("plan", "clauses", "versions"), optional=("title", "source"))
    clauses = top.section("clauses")
    texts = {str(key): clauses.text(key) for key in clauses.values}
    versions = [_VersionReader(section, texts, clocks, zones).read() for section in top.sections("versions")]
    if top.has("versions") and not versions:
        top.report(
            ["versions"], "a plan needs a version.", "Add one with valid_from, obligations and entitlements."
        )
    _check_versions(top, versions)
    name = top.name("plan")
    return Plan(
        plan=name,
        title=top.text("title", name),
        source_title=top.text("source", file_name),
        source_file=file_name,
        clauses=texts,
        versions=tuple(sorted(versions, key=lambda version: (version.valid_from, version.version))),
    )


def _check_versions(top: Section, versions: Sequence[PlanVersion]) -> None:
    for index, version in enumerate(versions):
        for earlier_index, earlier in enumerate(versions[:index]):
            line = top.line_of("versions", earlier_index)
            if version.version == earlier.version:
                top.report(
                    ["versions", index, "version"],
                    f"the version {version.version!r} stands on line {line} already.",
                    "Give each version its own name.",
                )
            if version.valid_from < earlier.valid_to and earlier.valid_from < version.valid_to:
                top.report(
                    ["versions", index, "valid_from"],
                    f"the version {version.version!r} overlaps {earlier.version!r} of line {line}.",
                    "End the older with valid_to where the newer begins; valid_to is not included.",
                )


class _VersionReader:
    """Reads one version of a plan; holds what its parts refer to."""

    def __init__(
        self, section: Section, clauses: Mapping[str, str], clocks: frozenset[str], zones: frozenset[str]
    ) -> None:
        self.section = section
        self.clauses = clauses
        self.clocks = clocks
        self.zones = zones
        self.severities: dict[int, Severity] = {}
        self.working_day_seconds: int | None = None

    def read(self) -> PlanVersion:
        section = self.section
        section.require_keys(
            required=("valid_from", "time_zone", "calendar", "severities", "obligations"),
            optional=(
                "version",
                "valid_to",
                "channels",
                "contacts",
                "license",
                "severity_change",
                "entitlements",
                "statements",
                "working_day",
                "over_quota",
            ),
        )
        version = section.text("version", str(section.values.get("valid_from")))
        time_zone = section.text("time_zone")
        if time_zone and time_zone not in self.zones:
            section.report(
                ["time_zone"], f"{time_zone!r} is not a time zone.", hint_zone(time_zone, self.zones)
            )
            time_zone = "UTC"
        valid_from = self.read_instant("valid_from", time_zone or "UTC") or datetime(1970, 1, 1)
        valid_to = (
            self.read_instant("valid_to", time_zone or "UTC") if section.has("valid_to") else None
        ) or OPEN_END
        if valid_to <= valid_from:
            section.report(
                ["valid_to"], "the version ends before it begins.", "valid_to must be later than valid_from."
            )
        self.severities = self.read_severities()
        if section.has("working_day"):
            self.working_day_seconds = _read_duration(section, "working_day")
        statements = list(self.read_statements())
        default_supported, channels = self.read_channels(statements)
        maximum_contacts = self.read_contacts(statements)
        required_status, not_counted = self.read_license(statements)
        change = section.section("severity_change")
        change.require_keys(required=(), optional=("raised", "lowered", *_POLICY_KEYS))
        raised = change.choice("raised", _SEVERITY_CHANGES, "adds")
        lowered = change.choice("lowered", _SEVERITY_CHANGES, "replaces")
        self.add_statement(statements, change, "severity_change", f"raised: {raised}, lowered: {lowered}")
        quota = section.section("over_quota")
        quota.require_keys(required=(), optional=("is_covered", *_POLICY_KEYS))
        is_over_quota_covered = quota.flag("is_covered", True)
        covered = "keep" if is_over_quota_covered else "lose"
        self.add_statement(
            statements, quota, "over_quota", f"tickets over the included number {covered} their targets"
        )
        return PlanVersion(
            version=version,
            valid_from=valid_from,
            valid_to=valid_to,
            time_zone=time_zone,
            availability_clock=section.choice("calendar", self.clocks),
            is_default_channel_supported=default_supported,
            channels=channels,
            maximum_contacts=maximum_contacts,
            required_license_status=required_status,
            licenses_not_counted=not_counted,
            severities=tuple(self.severities.values()),
            severity_raised=cast(Any, raised),
            severity_lowered=cast(Any, lowered),
            is_over_quota_covered=is_over_quota_covered,
            obligations=self.read_obligations(),
            entitlements=self.read_entitlements(),
            statements=tuple(statements),
        )

    def read_instant(self, key: str, zone: str) -> datetime | None:
        text = self.section.text(key)
        instant = parse_moment(text, zone)
        if text and instant is None:
            self.section.report(
                [key],
                f"{text!r} is neither a date nor an instant with its zone.",
                "Write it like 2026-11-22, or like 2026-11-22T06:00:00Z.",
            )
        return instant

    def read_reference(self, section: Section) -> Reference:
        clause = section.text("clause") if section.has("clause") else None
        if clause and clause not in self.clauses:
            section.report(
                ["clause"], f"the clause {clause!r} is not described.", name_nearest(clause, self.clauses)
            )
        return Reference(clause, section.text("note") if section.has("note") else None)

    def add_statement(self, statements: list[Statement], section: Section, name: str, value: str) -> None:
        reference = self.read_reference(section)
        if section.values:
            statements.append(Statement(name, value, section.flag("is_reading"), reference))

    def read_statements(self) -> Iterator[Statement]:
        seen: set[str] = set()
        for item in self.section.sections("statements"):
            item.require_keys(required=("statement", "value"), optional=_POLICY_KEYS)
            name = item.name("statement")
            if name in seen:
                item.report(
                    ["statement"], f"the statement {name!r} stands here twice.", "Keep one of the two."
                )
            seen.add(name)
            yield Statement(name, item.text("value"), item.flag("is_reading"), self.read_reference(item))

    def read_channels(self, statements: list[Statement]) -> tuple[bool, dict[str, bool]]:
        section = self.section.section("channels")
        if not section.values:
            return True, {}
        section.require_keys(
            required=("default_supported",), optional=("supported", "unsupported", *_POLICY_KEYS)
        )
        is_default_supported = section.flag("default_supported")
        channels = dict.fromkeys(section.texts("supported"), True)
        for channel in section.texts("unsupported"):
            if channel in channels:
                section.report(
                    ["unsupported"],
                    f"the channel {channel!r} is both supported and unsupported.",
                    "Keep one of the two.",
                )
            channels[channel] = False
        listed = [
            f"{channel}: {'supported' if is_supported else 'not supported'}"
            for channel, is_supported in channels.items()
        ]
        others = f"any other: {'supported' if is_default_supported else 'not supported'}"
        self.add_statement(statements, section, "channels", ", ".join([*listed, others]))
        return is_default_supported, channels

    def read_contacts(self, statements: list[Statement]) -> int | None:
        section = self.section.section("contacts")
        section.require_keys(required=(), optional=("maximum", *_POLICY_KEYS))
        maximum = section.whole_number("maximum", 1, 1_000_000)
        self.add_statement(
            statements, section, "contacts", "any number" if maximum is None else f"at most {maximum}"
        )
        return maximum

    def read_license(self, statements: list[Statement]) -> tuple[str | None, tuple[str, ...]]:
        section = self.section.section("license")
        section.require_keys(required=(), optional=("required_status", "types_not_counted", *_POLICY_KEYS))
        status = (
            section.choice("required_status", LICENSE_STATUSES) if section.has("required_status") else None
        )
        not_counted = section.texts("types_not_counted", LICENSE_TYPES)
        self.add_statement(
            statements,
            section,
            "license",
            f"required: {status or 'any'}; not counted: {', '.join(not_counted) or 'none'}",
        )
        return status, not_counted

    def read_severities(self) -> dict[int, Severity]:
        section = self.section.section("severities")
        severities: dict[int, Severity] = {}
        for key in section.values:
            if not isinstance(key, int) or key not in SEVERITIES:
                section.report(
                    [key], f"{key!r} is not a severity.", "Severities are the whole numbers 0 to 5."
                )
                continue
            item = section.section(key)
            item.require_keys(required=("label", "is_covered"), optional=_REFERENCE_KEYS)
            reference = self.read_reference(item)
            severities[key] = Severity(key, item.text("label"), item.flag("is_covered"), reference)
        return dict(sorted(severities.items()))

    def read_covered(self, section: Section) -> tuple[int, ...]:
        """The severities of a promise or a pool: described by the plan, and covered."""
        found: list[int] = []
        for index, value in enumerate(section.items("severities")):
            place: list[Key] = ["severities", index]
            if isinstance(value, bool) or not isinstance(value, int) or value not in self.severities:
                known = ", ".join(str(severity) for severity in self.severities)
                section.report(
                    place, f"{value!r} is not a severity of this version.", f"Known: {known or 'none'}."
                )
            elif not self.severities[value].is_covered:
                section.report(
                    place,
                    f"severity {value} is not covered by this version.",
                    "Leave it out, or set its is_covered to true.",
                )
            elif value in found:
                section.report(place, f"severity {value} stands here twice.", "Keep one of the two.")
            else:
                found.append(value)
        return tuple(sorted(found))

    def read_obligations(self) -> tuple[Obligation, ...]:
        found: dict[str, Obligation] = {}
        lines: dict[tuple[str, int], int] = {}
        for section in self.section.sections("obligations"):
            obligation = self.read_obligation(section, lines)
            first = found.setdefault(obligation.obligation, obligation)
            if first is obligation:
                continue
            # The same obligation once more, for other severities: its clock rules must be the same.
            if replace(first, promises=()) != replace(obligation, promises=()):
                section.report(
                    ["obligation"],
                    f"the obligation {obligation.obligation!r} stands here again with other rules.",
                    "Only severities, target, clock, clause and note may differ; or use another name.",
                )
            found[obligation.obligation] = replace(first, promises=first.promises + obligation.promises)
        return tuple(found.values())

    def read_obligation(self, section: Section, lines: dict[tuple[str, int], int]) -> Obligation:
        in_one = _PROMISE_KEYS if "promises" not in section.values else ("promises",)
        section.require_keys(
            required=("obligation", "starts_on", "stops_on", *in_one),
            optional=(
                "kind",
                "cycles",
                "resumes_on",
                "pauses_on",
                *(() if "promises" in section.values else ("note",)),
            ),
        )
        name = section.name("obligation")
        cycles = section.choice("cycles", CYCLES, "once")
        moments = {key: section.texts(key, MOMENTS) for key in ("starts_on", "stops_on", "resumes_on")}
        for key in ("starts_on", "stops_on"):
            if key in section.values and not section.values[key]:
                section.report([key], "the list is empty.", f"Name a moment. Known: {', '.join(MOMENTS)}.")
        if cycles == "resume" and not moments["resumes_on"]:
            section.report(
                ["cycles"],
                "'resume' needs to know what resumes the clock.",
                "Add resumes_on, such as [reopened].",
            )
        if cycles != "resume" and section.has("resumes_on"):
            section.report(
                ["resumes_on"],
                f"the clock of an obligation with cycles {cycles!r} never resumes.",
                "Set cycles to resume, or leave resumes_on out.",
            )
        # With `repeat` one moment may stop a cycle and start the next: a periodic update does.
        for moment in moments["starts_on"] if cycles != "repeat" else ():
            if moment in moments["stops_on"]:
                section.report(
                    ["stops_on"],
                    f"{moment!r} would start and stop the clock at once.",
                    "Keep it in one of the two, or set cycles to repeat.",
                )
        promises = section.sections("promises") if "promises" in section.values else [section]
        return Obligation(
            obligation=name,
            kind=cast(Any, section.choice("kind", KINDS, "target")),
            cycles=cast(Any, cycles),
            starts_on=moments["starts_on"],
            stops_on=moments["stops_on"],
            resumes_on=moments["resumes_on"],
            pauses_on=self.read_pauses(section),
            promises=tuple(
                self.read_promise(promise, name, lines, promise is section) for promise in promises
            ),
        )

    def read_pauses(self, section: Section) -> tuple[Pause, ...]:
        found: dict[str, Pause] = {}
        for index, value in enumerate(section.items("pauses_on")):
            if isinstance(value, dict):
                pair = section.open(["pauses_on", index], value)
                pair.require_keys(required=("from", "until"))
                pause = Pause(None, pair.choice("from", MOMENTS), pair.choice("until", MOMENTS))
                if pause.from_moment == pause.until_moment:
                    pair.report(
                        [], "the pause ends with the moment that begins it.", "Name two different moments."
                    )
            else:
                names = [f"status:{status}" for status in STATUSES]
                if value not in names:
                    section.report(
                        ["pauses_on", index],
                        f"{value!r} is neither a status nor a pair of moments.",
                        f"{name_nearest(value, names)} A pair is written {{from: moment, until: moment}}.",
                    )
                pause = Pause(str(value).removeprefix("status:"), None, None)
            if pause.name in found:
                section.report(
                    ["pauses_on", index], f"{pause.name!r} stands here twice.", "Keep one of the two."
                )
            found[pause.name] = pause
        return tuple(found.values())

    def read_promise(
        self, section: Section, obligation: str, lines: dict[tuple[str, int], int], is_whole_obligation: bool
    ) -> Promise:
        if not is_whole_obligation:
            section.require_keys(required=_PROMISE_KEYS, optional=("note",))
        line = section.line_of()
        severities = self.read_covered(section)
        for severity in severities:
            first = lines.setdefault((obligation, severity), line)
            if first != line:
                section.report(
                    ["severities"],
                    f"the promise of line {first} covers severity {severity} already.",
                    "A severity has one promise per obligation; take it out of one of the two.",
                )
        return Promise(
            severities=severities,
            target_seconds=_read_duration(section, "target", self.working_day_seconds),
            clock_name=section.choice("clock", self.clocks),
            reference=self.read_reference(section),
        )

    def read_entitlements(self) -> tuple[Entitlement, ...]:
        sections = self.section.sections("entitlements")
        found: dict[str, Entitlement] = {}
        pool_of: dict[int, str] = {}
        for section in sections:
            entitlement = self.read_entitlement(section)
            if entitlement.pool in found:
                section.report(
                    ["pool"], f"the pool {entitlement.pool!r} stands here twice.", "Keep one of the two."
                )
            for severity in entitlement.severities:
                first = pool_of.setdefault(severity, entitlement.pool)
                if first != entitlement.pool:
                    section.report(
                        ["severities"],
                        f"severity {severity} draws on the pool {first!r} already.",
                        "A ticket draws on one pool; let that pool overflow into this one instead.",
                    )
            found[entitlement.pool] = entitlement
        drawn_pools = [pool for pool, entitlement in found.items() if not entitlement.is_redeemed]
        for section in sections:
            target = section.values.get("overflows_to")
            if target is not None and target not in drawn_pools:
                section.report(
                    ["overflows_to"],
                    f"{target!r} is not a pool that tickets draw on.",
                    name_nearest(target, drawn_pools),
                )
            elif target is not None and found[str(target)].overflows_to is not None:
                section.report(
                    ["overflows_to"],
                    f"{target!r} overflows itself, so where a ticket ends would depend on two pools.",
                    "Let the pool that takes the overflow overflow nowhere.",
                )
        return tuple(found.values())

    def read_entitlement(self, section: Section) -> Entitlement:
        section.require_keys(
            required=("pool", "quantity", "clause"),
            optional=("severities", "overflows_to", "draws_on", "per", "redeemed", "scope", "note"),
        )
        is_redeemed = section.flag("redeemed")
        if not is_redeemed and not section.has("severities"):
            section.report(
                [], "no ticket can draw on this pool.", "Name its severities, or set redeemed: true."
            )
        if is_redeemed and section.has("severities"):
            section.report(
                ["severities"], "a redeemed pool is not drawn on by tickets.", "Leave the severities out."
            )
        section.choice("per", ("term",), "term")
        quantity = section.values.get("quantity")
        is_number = (
            isinstance(quantity, int) and not isinstance(quantity, bool) and 0 <= quantity <= 1_000_000_000
        )
        if "quantity" in section.values and not is_number and quantity not in ("unlimited", "not_stated"):
            section.report(
                ["quantity"],
                f"{quantity!r} is not a quantity.",
                "Write a whole number, unlimited, or not_stated.",
            )
        scope = section.section("scope")
        return Entitlement(
            pool=section.name("pool"),
            severities=self.read_covered(section),
            quantity=cast(int, quantity) if is_number else None,
            is_unlimited=quantity == "unlimited",
            is_stated=quantity != "not_stated",
            is_redeemed=is_redeemed,
            overflows_to=section.text("overflows_to") if section.has("overflows_to") else None,
            drawn_by=cast(Any, section.choice("draws_on", ("submission", "in_force"), "submission")),
            scope={str(key): cast(Any, value) for key, value in scope.values.items() if scope.text(key)},
            reference=self.read_reference(section),
        )


def _read_duration(section: Section, key: str, working_day_seconds: int | None = None) -> int:
    """Seconds of a duration. A working day (`2wd`) is as many open seconds as the version's `working_day` says."""
    text = section.text(key)
    units = _UNIT_SECONDS | ({} if working_day_seconds is None else {"wd": working_day_seconds})
    match = _DURATION.fullmatch(text)
    number, unit = match.groups() if match else ("", "")
    seconds = int(number[:12]) * units[unit] if unit in units else 0
    if not text or 0 < seconds <= _LONGEST_SECONDS and len(number) <= 12:
        return seconds
    if unit in {"d", "wd"} - units.keys():
        section.report(
            [key],
            f"{text!r} is counted in days, and a day on a clock with opening hours could mean two things.",
            "Write the open hours (a working day of 06:00-21:00 is 15h, a whole day 24h), or say `working_day: 15h` in "
            "the version and count in wd.",
        )
    elif unit in units:
        section.report(
            [key], f"{text!r} is no usable duration.", "It must be over zero and at most ten years."
        )
    else:
        section.report(
            [key], f"{text!r} is not a duration.", "Write a whole number and s, m or h, such as 24h or 90m."
        )
    return 0


def flatten_plans(plans: Sequence[Plan]) -> dict[str, pyarrow.Table]:
    """Plans as the `plan_...` tables of `pipeline.rules.tables`, ordered by content."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        name: []
        for name in (
            "plan_versions",
            "plan_channels",
            "plan_licenses_not_counted",
            "plan_severities",
            "plan_obligations",
            "plan_promises",
            "plan_moments",
            "plan_pauses",
            "plan_entitlements",
            "plan_pool_severities",
            "plan_scopes",
            "plan_statements",
        )
    }
    for plan in plans:
        for version in plan.versions:
            _flatten_version(plan, version, rows)
    return {name: build_table(name, table_rows) for name, table_rows in rows.items()}


def _flatten_version(plan: Plan, version: PlanVersion, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    key = plan.version_key(version)

    def cite(reference: Reference) -> tuple[str | None, str | None, str | None]:
        return reference.clause, plan.clauses.get(reference.clause or ""), reference.note

    rows["plan_versions"].append(
        (
            plan.plan,
            plan.title,
            key,
            version.valid_from,
            version.valid_to,
            version.time_zone,
            version.availability_clock,
            version.is_default_channel_supported,
            version.maximum_contacts,
            version.required_license_status,
            version.severity_raised,
            version.severity_lowered,
            version.is_over_quota_covered,
            plan.source_title,
            plan.source_file,
        )
    )
    rows["plan_channels"] += [
        (key, channel, is_supported) for channel, is_supported in version.channels.items()
    ]
    rows["plan_licenses_not_counted"] += [
        (key, license_type) for license_type in version.licenses_not_counted
    ]
    rows["plan_severities"] += [
        (key, item.severity, item.label, item.is_covered, *cite(item.reference))
        for item in version.severities
    ]
    for obligation in version.obligations:
        name = obligation.obligation
        rows["plan_obligations"].append((plan.plan, key, name, obligation.kind, obligation.cycles))
        rows["plan_promises"] += [
            (key, name, severity, promise.target_seconds, promise.clock_name, *cite(promise.reference))
            for promise in obligation.promises
            for severity in promise.severities
        ]
        starts = dict.fromkeys([*obligation.starts_on, *obligation.resumes_on])
        rows["plan_moments"] += [(key, name, "start", moment) for moment in starts]
        rows["plan_moments"] += [(key, name, "stop", moment) for moment in obligation.stops_on]
        rows["plan_pauses"] += [
            (key, name, pause.name, pause.status, pause.from_moment, pause.until_moment)
            for pause in obligation.pauses_on
        ]
    for entitlement in version.entitlements:
        rows["plan_entitlements"].append(
            (
                key,
                entitlement.pool,
                entitlement.quantity,
                entitlement.is_unlimited,
                entitlement.is_stated,
                entitlement.is_redeemed,
                entitlement.overflows_to,
                entitlement.drawn_by,
                json.dumps(entitlement.scope, sort_keys=True, ensure_ascii=False)
                if entitlement.scope
                else None,
                *cite(entitlement.reference),
            )
        )
        rows["plan_pool_severities"] += [
            (key, entitlement.pool, severity) for severity in entitlement.severities
        ]
        rows["plan_scopes"] += [
            (key, entitlement.pool, item, maximum) for item, maximum in entitlement.scope_maxima.items()
        ]
    rows["plan_statements"] += [
        (key, item.statement, item.value, item.is_reading, *cite(item.reference))
        for item in version.statements
    ]
