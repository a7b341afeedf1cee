"""What `sla.yml` may say: which keys each type of source has, and what each of them may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from pipeline import vocabulary
from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place, name_nearest
from pipeline.declarations.values import (
    UNREPEATED,
    Flag,
    OneOf,
    PossiblyEmptyText,
    Refusal,
    Text,
    Zone,
    filled,
    matching,
    told_apart_by,
    whole_number,
)
from pipeline.engine_memory import MEMORY
from pipeline.rules.alerts import DEFAULT_ALERTS, AlertRules
from pipeline.rules.auth_file import Auth
from pipeline.rules.branding import DEFAULT_BRANDING, Branding
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.engine_file import DEFAULT_ENGINE, EngineRules
from pipeline.rules.mapping import read_other_days, says_a_day
from pipeline.rules.periods import DEFAULT_PERIODS, PeriodRules
from pipeline.rules.plan import STATUSES
from pipeline.rules.plan_file import Level
from pipeline.rules.retention import DEFAULT_RETENTION, Retention

# What a change of a field may stand for; messages, statuses and levels are declared elsewhere, and who holds a ticket stands in
# fields that are known (seed assignment_fields).
EVENT_TYPES = tuple(
    kind
    for kind, evidence in vocabulary.EVIDENCE_OF.items()
    if kind not in ("message", "status_changed", "severity_changed") and evidence != "assignments"
)
# The fields of an incident that may be a sign of an event.
_SERVICENOW_SIGNS = ("state", "close_code")
# What the record of a ticket may show without a history: what it does to the figures hangs on no exact instant of its own.
SHOWN_EVENT_TYPES = ("merged", "bug_confirmed")
_PRIORITY = ("priority",)
# The second form names a column of a table, such as `column:Severity [list]`.
_CUSTOM_FIELD = re.compile(r"custom_field:[0-9]+|column:.+")


def _check_zendesk_field(value: str) -> str:
    if value not in _PRIORITY and not _CUSTOM_FIELD.fullmatch(value):
        custom = " Or custom_field:ID, with the number of the field."
        raise refused(f"{value!r} is not known here.", name_nearest(value, _PRIORITY) + custom)
    return value


def _check_date_format(value: str) -> str:
    if not says_a_day(value):
        raise refused(
            f"{value!r} does not say year, month and day, and the hour where it says minutes.",
            'Write it like "%Y-%m-%d %H:%M:%S", or "%d/%m/%Y %H:%M" where the day comes first.',
        )
    return value


def _check_locale(value: str) -> str:
    from babel.localedata import locale_identifiers

    known = locale_identifiers()
    if value not in known:
        raise refused(f"{value!r} is not a language.", name_nearest(value, known))
    return value


Texts = Annotated[tuple[Text, ...], *UNREPEATED]
OneOrSeveral = Annotated[
    Annotated[Text, Tag("one")]
    | Annotated[Texts, filled("the list is empty.", "Write at least one name."), Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, list | tuple) else "one"),
]
LevelByWord = Annotated[
    dict[Text, Level],
    filled("the mapping is empty.", "Write one line per value of the source, such as high: 4."),
]
DateFormat = Annotated[Text, AfterValidator(_check_date_format)]


def _count_formats(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


# One, or several that are tried in this order.
DateFormats = Annotated[
    Annotated[DateFormat, Tag("one")]
    | Annotated[
        tuple[DateFormat, ...],
        *UNREPEATED,
        filled("the list is empty.", "Write at least one."),
        Tag("several"),
    ],
    Discriminator(_count_formats),
]
NullMarker = Annotated[
    PossiblyEmptyText,
    Refusal("only text can stand for no value.", 'Put it in quotes, such as ["", "null"].'),
]
Whole = Annotated[str, OneOf(("whole",))]


class StatusWords(Declared):
    """The source's own statuses; they override what is known of the helpdesk, one by one."""

    values: dict[Text, Annotated[str, OneOf(STATUSES)]]


class ChannelWords(Declared):
    """The source's own channels; they override what is known of the helpdesk, one by one."""

    values: dict[Text, Text]


class Bots(Declared):
    """Who is never a human."""

    actors: Texts = ()
    """User ids."""
    channels: Texts | None = None
    """The channels of triggers and automations."""


class BotActors(Declared):
    """Who is never a human."""

    actors: Texts = ()
    """As the mapping writes who acted."""


class Assistants(Declared):
    """The AIs that answer customers: an answer of theirs stops a promise only where its plan lists `ai_message`."""

    actors: Texts = ()
    """Ids, as the export writes who acted."""


def _check_assistants(bots: Bots | BotActors, assistants: Assistants, place: Place) -> None:
    """Who wrote it distinguishes an automatic reply from an answer."""
    for index, actor in enumerate(assistants.actors):
        if actor in bots.actors:
            place.report(
                ["assistants", "actors", index],
                f"{actor!r} stands under bots already.",
                "List who answers customers under assistants, and what only acknowledges or acts under bots.",
            )


class Customer(Declared):
    """Which customer a ticket belongs to: a field of the export says it, or all tickets are of one customer."""

    field: Text | None = None
    constant: Text | None = None

    def check(self, place: Place) -> None:
        if ("field" in self.model_fields_set) == ("constant" in self.model_fields_set):
            place.report(
                [],
                "it is not clear which customer a ticket belongs to.",
                "Give either field or constant, such as {field: company}.",
            )


class ZendeskCustomer(Customer):
    field: (
        Annotated[str, OneOf(("organization_external_id", "organization_id", "organization_name"))] | None
    ) = None


class ServicenowCustomer(Customer):
    field: Annotated[str, OneOf(("company", "requester"))] | None = None


class LevelWords(Declared):
    """The field that says how severe a ticket is, and which severity each of its values stands for."""

    field: Text
    values: LevelByWord


class ZendeskLevelWords(LevelWords):
    field: Annotated[Text, AfterValidator(_check_zendesk_field)]
    """priority, custom_field:ID, or "column:HEADER" in a table."""


class ServicenowLevelWords(LevelWords):
    field: Annotated[str, OneOf(("priority", "severity", "urgency", "impact"))]


class JiraLevelWords(LevelWords):
    name: Text | None = None
    """What a history calls the field, where it names custom fields by what people read."""


class AgentList(Declared):
    """Who is a human on the vendor's side."""

    actors: Texts = ()
    """Ids or addresses."""
    domains: Texts = ()
    """Domains of addresses."""
    account_types: Texts = ()
    groups: Texts = ()
    """Ids of organizations that the people on your side belong to, as the export of people says."""


class RequiredAgentList(AgentList):
    def check(self, place: Place) -> None:
        if not self.model_fields_set:
            place.report(
                [],
                "it is not said who belongs to the vendor.",
                "Give actors, domains, account_types or groups, such as account_types: [atlassian].",
            )


class ChannelOrigin(Declared):
    """Through which channel a ticket came: a field of the export says it, or all came through one."""

    field: Text | None = None
    constant: Text | None = None


class Sign(Declared):
    """A change of a field to a value, which stands for an event."""

    field: Text
    value: Text


def _count_signs(value: Any) -> str:
    return "several" if isinstance(value, list) else "one"


# One event may have several signs.
Signs = Annotated[
    Annotated[Sign, Tag("one")] | Annotated[tuple[Sign, ...], Tag("several")],
    Discriminator(_count_signs),
]


SOURCE_NAME = r"^[a-z0-9][a-z0-9_-]*$"
SOURCE_NAME_HINT = "It is also a folder of inbox/: use lower case letters, digits, '-' and '_'."
Percent = Annotated[int, *whole_number(0, 100)]


class AllowedShares(Declared):
    """Of how many percent of a source's tickets something may be true before the settings are taken for wrong."""

    unknown_levels: Percent = 2
    """Tickets with a level that no setting maps; over it nothing is published."""
    missing_levels: Percent = 20
    """Tickets without any level; over it nothing is published."""
    unknown_statuses: Percent = 2
    """Tickets with a status that no setting maps; over it nothing is published."""
    unknown_customers: Percent = 20
    """Tickets of a customer that reference/customers.csv does not list; over it nothing is published."""
    refused_records: Percent = 20
    """Of the records that were read, those that were refused; over it nothing is published."""
    unanswered_tickets: Percent = 90
    """Of the tickets whose messages are exported, those without a public one of an agent; over it the run warns."""
    findings: Percent = 5
    """Tickets with one kind of finding; over it the run warns."""


class Helpdesk(Declared):
    """What every source may say, whose exports are read by an adapter."""

    ticket_prefix: Text = ""
    """Put before every ticket id, where two sources might use the same ids."""
    time_zone: Zone | None = None
    """Of instants that are written without a zone."""
    null_markers: tuple[NullMarker, ...] = ("",)
    """What stands for "no value"."""
    statuses: StatusWords | None = None
    channels: ChannelWords | None = None
    bots: Bots = Bots()
    assistants: Assistants = Assistants()
    allow: AllowedShares = AllowedShares()

    def check(self, place: Place) -> None:
        _check_assistants(self.bots, self.assistants, place)


class CanonicalSource(Helpdesk):
    """Any helpdesk: tickets and events as CSV or NDJSON, instants with their zone."""

    type: Literal["canonical"]


class VendorSource(Helpdesk):
    """A helpdesk whose export says neither customer nor severity in our words."""

    date_format: DateFormats | None = None
    """How a table writes instants, such as "%Y-%m-%d %H:%M:%S", or several formats."""

    customer: Customer
    severity: LevelWords
    agents: AgentList = AgentList()
    """Who is on your side, where the export does not say it or says only today's role."""

    def list_formats(self) -> tuple[str, ...]:
        """How wall times are written, in the order in which the formats are tried."""
        written = self.date_format or ()
        return (written,) if isinstance(written, str) else written

    def check(self, place: Place) -> None:
        super().check(place)
        formats = self.list_formats()
        for index, one in enumerate(formats):
            clash = next(
                (other for other in formats[:index] if one and other and read_other_days(other, one)), None
            )
            if clash:
                place.report(
                    ["date_format", index],
                    f"{one!r} and {clash!r} read the same text as different days.",
                    "Keep the one that the exporter used; a file with both cannot be read.",
                )


class TableSource(VendorSource):
    """A helpdesk whose exports may be tables, written in the language and the zone of the user who exported them."""

    date_locale: Annotated[Text, AfterValidator(_check_locale)] | None = None
    """The language of month names that are not English."""
    columns: dict[Text, OneOrSeveral] = {}
    """What the header calls a column, or several names where exports differ; the names that the form knows no longer count."""
    business_calendar: Text | None = None
    """The calendar with which the helpdesk counted its own minutes."""


class SignedSource(VendorSource):
    """A helpdesk in whose exports something may stand for an event."""

    events: dict[Annotated[str, OneOf(EVENT_TYPES)], Signs] = {}

    def list_signs(self) -> Iterator[tuple[str, tuple[int, ...], Sign]]:
        """Event type, the number of the sign where it stands in a list, and the sign."""
        for event_type, signs in self.events.items():
            if isinstance(signs, Sign):
                yield event_type, (), signs
            else:
                yield from ((event_type, (index,), sign) for index, sign in enumerate(signs))

    def check(self, place: Place) -> None:
        super().check(place)
        first: dict[Sign, str] = {}
        for event_type, index, sign in self.list_signs():
            if sign.field and sign in first:
                place.report(
                    ["events", event_type, *index],
                    f"this change stands for {first[sign]!r} already.",
                    "One change can stand for one event only.",
                )
            first.setdefault(sign, event_type)


class ZendeskSource(TableSource, SignedSource):
    """Zendesk: its NDJSON export, or the account's table."""

    type: Literal["zendesk"]
    customer: ZendeskCustomer
    severity: ZendeskLevelWords


class JiraSource(TableSource, SignedSource):
    """Jira: REST answers, or the table of all fields."""

    type: Literal["jira"]
    severity: JiraLevelWords
    agents: RequiredAgentList
    """Who is on your side: an issue does not say."""
    channel: ChannelOrigin = ChannelOrigin()
    comments: Annotated[str, OneOf(("public", "internal"))] | None = None
    """What comments are, where the export does not mark them."""


class FreshdeskSource(TableSource, SignedSource):
    """Freshdesk: API v2, or a table, which needs the time zone."""

    type: Literal["freshdesk"]
    events: dict[Annotated[str, OneOf(SHOWN_EVENT_TYPES)], Signs] = {}
    """The field is tags, status, type, or a custom one; a ticket's record shows it."""


class ServicenowSource(SignedSource):
    """ServiceNow: display values, which are wall time of the exporting user in that user's format."""

    type: Literal["servicenow"]
    time_zone: Zone
    """Of the user who exported; never guessed."""
    date_format: DateFormats
    """That user's format, or several; never guessed."""
    customer: ServicenowCustomer
    severity: ServicenowLevelWords
    journal: Whole | None = None
    """whole: sys_journal_field of every incident is exported too, so that what is not there did not happen."""
    audit: Whole | None = None
    """whole: sys_audit of every incident is exported too."""
    events: dict[Annotated[str, OneOf(SHOWN_EVENT_TYPES)], Signs] = {}
    """The field is state or close_code; an incident's record shows it."""

    def check(self, place: Place) -> None:
        super().check(place)
        for event_type, index, sign in self.list_signs():
            if sign.field:
                place.check_name(["events", event_type, *index, "field"], sign.field, _SERVICENOW_SIGNS)


class MappedSource(Declared):
    """Any other helpdesk, with a file below reference/ that says what its columns are."""

    type: Literal["mapped"]
    mapping: Text
    """Counts from reference/, such as mappings/helpdesk.yml."""
    ticket_prefix: Text = ""
    bots: BotActors = BotActors()
    assistants: Assistants = Assistants()
    agents: AgentList = AgentList()
    """Who is on your side, where the mapping does not say it."""
    allow: AllowedShares = AllowedShares()

    def check(self, place: Place) -> None:
        _check_assistants(self.bots, self.assistants, place)


AnySource = Annotated[
    Annotated[CanonicalSource, Tag("canonical")]
    | Annotated[ZendeskSource, Tag("zendesk")]
    | Annotated[ServicenowSource, Tag("servicenow")]
    | Annotated[JiraSource, Tag("jira")]
    | Annotated[FreshdeskSource, Tag("freshdesk")]
    | Annotated[MappedSource, Tag("mapped")],
    told_apart_by("type", ("canonical", "zendesk", "servicenow", "jira", "freshdesk", "mapped")),
]
SourceName = Annotated[
    Text,
    *matching(SOURCE_NAME, "cannot name a source.", SOURCE_NAME_HINT),
]


Memory = Annotated[
    Text,
    *matching(MEMORY, "is no amount of memory.", "Write a share, such as 50 %, or an amount, such as 4 GiB."),
]


def _read_sources(value: object) -> object:
    """Nothing behind `sources:` is no source, as in the template before a block is chosen."""
    return {} if value is None else value


def _allow_nothing(schema: dict[str, Any]) -> None:
    schema["type"] = ["object", "null"]


class SlaFile(Declared):
    """What a workspace reads, when account teams are told, and how reports look."""

    sources: Annotated[
        dict[SourceName, AnySource], BeforeValidator(_read_sources), Field(json_schema_extra=_allow_nothing)
    ]
    """One helpdesk each; its exports go to inbox/NAME/."""
    alerts: AlertRules = DEFAULT_ALERTS
    periods: PeriodRules = DEFAULT_PERIODS
    branding: Branding = DEFAULT_BRANDING
    compare_plans: tuple[Text, ...] | None = None
    """Plans that are tried on the same tickets once a build is published; every other one is tried when it is asked for."""
    keep_exports: Flag = False
    """Whether compressed copies of what lands are kept, to be read again when the inbox no longer has the file."""
    memory: Memory | None = None
    """What the engine may take of the machine's or container's memory; half of it unless said. What does not fit goes to disk."""
    retention: Retention = DEFAULT_RETENTION
    """How long what a run leaves is kept; `sla prune` removes what is older."""
    engine: EngineRules = DEFAULT_ENGINE
    """On which engine builds run: DuckDB in this process, or Spark."""
    delivery: Delivery | None = None
    """Who receives reports and alerts; without it, nothing is delivered."""
    auth: Auth | None = None
    """How people log in to the dashboard; without it, it serves the user of this machine without a login."""
