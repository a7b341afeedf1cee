"""What a plan file may say; `data/reference/plans/README.md` explains the keys, `load_plans.py` makes `Plan`s of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place, name_nearest
from pipeline.declarations.values import (
    UNREPEATED,
    Flag,
    Moment,
    Name,
    OneOf,
    Refusal,
    Text,
    Zone,
    filled,
    whole_number,
)
from pipeline.rules.plan import CYCLES, KINDS, LICENSE_STATUSES, LICENSE_TYPES, MOMENTS, SEVERITIES, STATUSES

_PAUSES = tuple(f"status:{status}" for status in STATUSES)


def _check_pause(value: object) -> object:
    if value not in _PAUSES:
        raise refused(
            f"{value!r} is neither a status nor a pair of moments.",
            f"{name_nearest(value, _PAUSES)} A pair is written {{from: moment, until: moment}}.",
        )
    return value


Level = Annotated[
    int,
    Field(strict=True, ge=SEVERITIES[0], le=SEVERITIES[-1]),
    Refusal("{value} is not a severity.", "Severities are the whole numbers 0 to 5."),
]
Levels = Annotated[tuple[Level, ...], Field(json_schema_extra={"uniqueItems": True})]
# An instant in a ticket's history.
TicketMoment = Annotated[str, OneOf(MOMENTS)]
TicketMoments = Annotated[tuple[TicketMoment, ...], *UNREPEATED]
FilledMoments = Annotated[
    TicketMoments, filled("the list is empty.", f"Name a moment. Known: {', '.join(MOMENTS)}.")
]
Duration = Annotated[Text, Field(json_schema_extra={"pattern": "^[0-9]+(s|m|h|wd)$"})]
Quantity = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] | Literal["unlimited", "not_stated"],
    Refusal("{value} is not a quantity.", "Write a whole number, unlimited, or not_stated."),
]
ScopeValue = Annotated[
    Annotated[int, Field(strict=True)] | Annotated[str, Field(strict=True, pattern=r"\S")],
    Refusal("{value} stands where text is expected.", "Put the text in quotes."),
]
SeverityChangeRule = Annotated[str, OneOf(("adds", "replaces", "ignored"))]


class Cited(Declared):
    """A value with its place in the contract."""

    clause: Text | None = None
    """One of the clauses of this file."""
    note: Text | None = None


class SeverityEntry(Cited):
    """A level of severity in this plan."""

    label: Text
    is_covered: Flag


class Policy(Cited):
    """A rule of the plan as a whole, which reports also show in words."""

    subject: ClassVar[str]
    is_reading: Flag = False
    """true: our choice, where the contract is silent."""

    @property
    def words(self) -> str:
        """The rule as a reader of a report sees it."""
        raise NotImplementedError


class Channels(Policy):
    """Through which channels tickets may come."""

    subject = "channels"
    default_supported: Flag
    """Of every channel that is not listed."""
    supported: Annotated[tuple[Text, ...], *UNREPEATED] = ()
    unsupported: Annotated[tuple[Text, ...], *UNREPEATED] = ()

    def check(self, place: Place) -> None:
        for channel in self.unsupported:
            if channel in self.supported:
                place.report(
                    ["unsupported"],
                    f"the channel {channel!r} is both supported and unsupported.",
                    "Keep one of the two.",
                )

    @property
    def by_name(self) -> dict[str, bool]:
        """Each listed channel, and whether it is supported."""
        return dict.fromkeys(self.supported, True) | dict.fromkeys(self.unsupported, False)

    @property
    def words(self) -> str:
        listed = {**self.by_name, "any other": self.default_supported}
        return ", ".join(
            f"{name.replace('_', ' ')}: {'' if supported else 'not '}supported"
            for name, supported in listed.items()
        )


class Contacts(Policy):
    """How many people may submit tickets."""

    subject = "contacts"
    maximum: Annotated[int, *whole_number(1, 1_000_000)] | None = None

    @property
    def words(self) -> str:
        return "any number" if self.maximum is None else f"at most {self.maximum}"


class License(Policy):
    """Which licences the plan serves."""

    subject = "license"
    required_status: Annotated[str, OneOf(LICENSE_STATUSES)] | None = None
    types_not_counted: Annotated[tuple[Annotated[str, OneOf(LICENSE_TYPES)], ...], *UNREPEATED] = ()

    @property
    def words(self) -> str:
        not_counted = ", ".join(self.types_not_counted) or "none"
        return f"required: {self.required_status or 'any'}; not counted: {not_counted}"


# What a rule of SeverityChange means for the customer.
_CHANGED = {
    "adds": "the earlier of the due time so far and the change plus the new target",
    "replaces": "the new target, counted from the start",
    "ignored": "the due time stays",
}


class SeverityChange(Policy):
    """What a change of severity does to a due time."""

    subject = "severity_change"
    raised: SeverityChangeRule = "adds"
    """adds: the earlier of the old due time and the change plus the new target; replaces: the new target from the start."""
    lowered: SeverityChangeRule = "replaces"

    @property
    def words(self) -> str:
        return f"raised: {_CHANGED[self.raised]}; lowered: {_CHANGED[self.lowered]}"


class OverQuota(Policy):
    """Whether tickets over the included number have targets."""

    subject = "over_quota"
    is_covered: Flag = True

    @property
    def words(self) -> str:
        return f"tickets over the included number {'keep' if self.is_covered else 'lose'} their targets"


class StatementEntry(Policy):
    """A rule in words that no formula uses."""

    statement: Name
    value: Text


class PromiseEntry(Cited):
    """A target for tickets of some severities."""

    severities: Levels
    target: Duration
    """s, m or h, such as 24h; wd where the version has a working_day."""
    clock: Text
    """A calendar, or always."""
    clause: Text


class PausePair(Declared):
    """A pause from one moment of the ticket until another."""

    from_moment: TicketMoment = Field(alias="from")
    until_moment: TicketMoment = Field(alias="until")

    def check(self, place: Place) -> None:
        if self.from_moment == self.until_moment:
            place.report([], "the pause ends with the moment that begins it.", "Name two different moments.")


def _kind_of_pause(value: Any) -> str:
    return "pair" if isinstance(value, dict) else "status"


PauseEntry = Annotated[
    Annotated[str, BeforeValidator(_check_pause), WithJsonSchema({"enum": list(_PAUSES)}), Tag("status")]
    | Annotated[PausePair, Tag("pair")],
    Discriminator(_kind_of_pause),
]


class ObligationRules(Declared):
    """When the clock of an obligation starts, stops and pauses."""

    obligation: Name
    kind: Annotated[str, OneOf(KINDS)] = "target"
    """estimate: shown like a target and labelled."""
    cycles: Annotated[str, OneOf(CYCLES)] = "once"
    """repeat: every new start is a new row; resume: the clock goes on when a moment of resumes_on follows a stop."""
    starts_on: FilledMoments
    stops_on: FilledMoments
    resumes_on: FilledMoments = ()
    pauses_on: tuple[PauseEntry, ...] = ()

    def check(self, place: Place) -> None:
        if self.cycles == "resume" and "resumes_on" not in self.model_fields_set:
            place.report(
                ["cycles"],
                "'resume' needs to know what resumes the clock.",
                "Add resumes_on, such as [reopened].",
            )
        if self.cycles != "resume" and "resumes_on" in self.model_fields_set:
            place.report(
                ["resumes_on"],
                f"the clock of an obligation with cycles {self.cycles!r} never resumes.",
                "Set cycles to resume, or leave resumes_on out.",
            )
        # With `repeat` one moment may stop a cycle and start the next: a periodic update does.
        for moment in self.starts_on if self.cycles != "repeat" else ():
            if moment in self.stops_on:
                place.report(
                    ["stops_on"],
                    f"{moment!r} would start and stop the clock at once.",
                    "Keep it in one of the two, or set cycles to repeat.",
                )
        for index, pause in enumerate(self.pauses_on):
            if pause in self.pauses_on[:index]:
                name = f"{pause.from_moment}..{pause.until_moment}" if isinstance(pause, PausePair) else pause
                place.report(["pauses_on", index], f"{name!r} stands here twice.", "Keep one of the two.")


class Obligation(ObligationRules):
    """What is promised of a ticket, by when, on which clock."""

    promises: tuple[PromiseEntry, ...]


class ObligationOfOnePromise(ObligationRules, PromiseEntry):
    """An obligation that holds its only promise itself."""

    @property
    def promises(self) -> tuple[PromiseEntry, ...]:
        return (self,)


def _kind_of_obligation(value: Any) -> str:
    return "several" if isinstance(value, dict) and "promises" in value else "one"


ObligationEntry = Annotated[
    Annotated[Obligation, Tag("several")] | Annotated[ObligationOfOnePromise, Tag("one")],
    Discriminator(_kind_of_obligation),
]


class EntitlementEntry(Cited):
    """A pool per subscription term: tickets of some severities draw on it, or it is redeemed."""

    pool: Name
    quantity: Quantity
    clause: Text
    severities: Levels = ()
    redeemed: Flag = False
    overflows_to: Text | None = None
    """The pool that takes over when this one is empty."""
    draws_on: Annotated[str, OneOf(("submission", "in_force"))] = "submission"
    """Which severity of a ticket decides."""
    per: Annotated[str, OneOf(("term",))] = "term"
    scope: dict[Text, ScopeValue] = {}
    """What one redemption may cover, such as agents_maximum: 25."""

    def check(self, place: Place) -> None:
        has_severities = "severities" in self.model_fields_set
        if not self.redeemed and not has_severities:
            place.report(
                [], "no ticket can draw on this pool.", "Name its severities, or set redeemed: true."
            )
        if self.redeemed and has_severities:
            place.report(
                ["severities"], "a redeemed pool is not drawn on by tickets.", "Leave the severities out."
            )


class VersionEntry(Declared):
    """The plan as it was promised from valid_from until before valid_to."""

    version: Text | None = None
    valid_from: Moment
    """A day of time_zone, or an instant with its zone."""
    valid_to: Moment | None = None
    time_zone: Zone
    calendar: Text
    """The plan's support availability: a calendar, or always."""
    severities: Annotated[
        dict[Level, SeverityEntry], Field(json_schema_extra={"propertyNames": {"pattern": "^[0-5]$"}})
    ]
    obligations: tuple[ObligationEntry, ...]
    entitlements: tuple[EntitlementEntry, ...] = ()
    channels: Channels | None = None
    contacts: Contacts = Contacts()
    license: License = License()
    severity_change: SeverityChange = SeverityChange()
    over_quota: OverQuota = OverQuota()
    statements: tuple[StatementEntry, ...] = ()
    working_day: Duration | None = None
    """How many open hours a working day (wd) of a target has."""

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies that the file says something of."""
        policies = (self.channels, self.contacts, self.license, self.severity_change, self.over_quota)
        return tuple(policy for policy in policies if policy and policy.model_fields_set)

    def check(self, place: Place) -> None:
        names = [entry.statement for entry in self.statements]
        for index, name in enumerate(names):
            if name and name in names[:index]:
                place.report(
                    ["statements", index, "statement"],
                    f"the statement {name!r} stands here twice.",
                    "Keep one of the two.",
                )


class PlanFile(Declared):
    """One support plan: every promise and entitlement is a dated value with the clause that it comes from."""

    plan: Name
    """What subscriptions.csv names."""
    title: Text | None = None
    source: Text | None = None
    """The document that promises it."""
    clauses: dict[Text, Text]
    """Id -> where it stands in the source."""
    versions: Annotated[
        tuple[VersionEntry, ...],
        filled("a plan needs a version.", "Add one with valid_from, obligations and entitlements."),
    ]
