"""Read `sla.yml`: which helpdesks send exports, and how their words map to those of the plans."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from pipeline.errors import ConfigurationError, Problem
from pipeline.rules.dates import hint_zone, known_zones
from pipeline.rules.load_alerts import DEFAULT_ALERTS, AlertRules, flatten_alerts, read_alerts
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.mapping import Mapping as FileMapping
from pipeline.rules.plan import SEVERITIES, STATUSES
from pipeline.rules.read_yaml import Key, read_yaml
from pipeline.rules.section import Section, name_nearest, open_document, refuse
from pipeline.rules.tables import build_table

if TYPE_CHECKING:
    import pyarrow

    from pipeline.calendars.calendar import Calendar

SourceType = Literal["canonical", "zendesk", "servicenow", "jira", "freshdesk", "mapped"]

# What of a ticket names its customer or its severity, by type; None: any field of the export, which nobody can list.
# A canonical export carries both itself.
_CUSTOMER_FIELDS: dict[str, tuple[str, ...] | None] = {
    "jira": None,
    "freshdesk": None,
    "zendesk": ("organization_external_id", "organization_id", "organization_name"),
    "servicenow": ("company", "requester"),
}
_SEVERITY_FIELDS: dict[str, tuple[str, ...] | None] = {
    "jira": None,
    "freshdesk": None,
    "zendesk": ("priority",),
    "servicenow": ("priority", "severity", "urgency", "impact"),
}
# The second form names a column of a table, such as `column:Severity [list]`.
_CUSTOM_FIELD = re.compile(r"custom_field:[0-9]+|column:.+")
EVENT_TYPES = (
    "debug_requested",
    "debug_logs_received",
    "debug_delivered",
    "bug_confirmed",
    "bug_rejected",
    "merged",
    "deleted",
    "assistance_redeemed",
)
SOURCE_TYPES = ("canonical", "zendesk", "servicenow", "jira", "freshdesk", "mapped")
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

# The vendors' own words. `statuses: values:` and `channels: values:` of a source override them one by one.
_STATUSES: dict[str, dict[str, str]] = {
    "canonical": {},
    "zendesk": {
        "new": "new",
        "open": "open",
        "pending": "pending",
        "hold": "on_hold",
        "solved": "solved",
        "closed": "closed",
        # A table writes the labels.
        "New": "new",
        "Open": "open",
        "Pending": "pending",
        "Hold": "on_hold",
        "On-hold": "on_hold",
        "Solved": "solved",
        "Closed": "closed",
    },
    "servicenow": {
        "1": "new",
        "New": "new",
        "2": "open",
        "In Progress": "open",
        "Active": "open",
        "3": "on_hold",
        "On Hold": "on_hold",
        # Pending is the wait for the customer. The other waits are for somebody else, or do not say for whom:
        # a plan that pauses only while the customer is waited for must not pause then.
        "Awaiting User Info": "pending",
        "Awaiting Problem": "on_hold",
        "Awaiting Vendor": "on_hold",
        "Awaiting Evidence": "on_hold",
        "6": "solved",
        "Resolved": "solved",
        "7": "closed",
        "Closed": "closed",
        "8": "closed",
        "Canceled": "closed",
    },
    # A service project's own names, in English; others and translated ones belong into `statuses: values:`.
    "jira": {
        "Waiting for support": "open",
        "Waiting for customer": "pending",
        "Pending": "on_hold",
        "Escalated": "open",
        "Open": "open",
        "Reopened": "open",
        "In Progress": "open",
        "Work in progress": "open",
        "Resolved": "solved",
        "Done": "solved",
        "Closed": "closed",
        "Canceled": "closed",
        "Declined": "closed",
    },
    # `Pending` does not say for whom the ticket waits; a plan that pauses only for the customer must not pause then.
    "freshdesk": {
        "2": "open",
        "Open": "open",
        "3": "on_hold",
        "Pending": "on_hold",
        "4": "solved",
        "Resolved": "solved",
        "5": "closed",
        "Closed": "closed",
        "Waiting on Customer": "pending",
        "Waiting on Third Party": "on_hold",
    },
}
# Zendesk calls its web form `web`; `api` and the rest say nothing about a form, so they keep their names.
_CHANNELS: dict[str, dict[str, str]] = {
    "canonical": {},
    "zendesk": {
        "web": "web_form",
        "Web Form": "web_form",
        "Web form": "web_form",
        "Mail": "email",
        "Email": "email",
    },
    "servicenow": {
        "Email": "email",
        "Self service": "web_form",
        "Self-service": "web_form",
        "self-service": "web_form",
    },
    "jira": {"portal": "web_form", "Portal": "web_form"},
    "freshdesk": {
        "1": "email",
        "Email": "email",
        "2": "web_form",
        "Portal": "web_form",
        "3": "phone",
        "7": "chat",
    },
}
# Zendesk writes `rule` as the channel of everything that a trigger or an automation did.
_BOT_CHANNELS: dict[str, tuple[str, ...]] = {
    "canonical": (),
    "zendesk": ("rule", "trigger", "automation"),
    "servicenow": (),
    "jira": (),
    "freshdesk": (),
}
# What comments are in an export that does not mark them.
_COMMENTS = ("public", "internal")


@dataclass(frozen=True)
class SourceEvent:
    """In this source, a change of `field_name` to `field_value` stands for `event_type`."""

    event_type: str
    field_name: str
    field_value: str


class Agents(NamedTuple):
    """Who is a human on the vendor's side, where the export does not say: ids or addresses, domains of addresses, kinds of
    accounts.
    """

    actors: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    account_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One helpdesk. `time_zone` is that of instants written without one; None: each must carry its own."""

    source: str
    source_type: SourceType
    time_zone: str | None
    date_format: str | None
    null_markers: tuple[str, ...]
    ticket_prefix: str
    customer_field: str | None
    customer_constant: str | None
    severity_field: str | None
    # What a history calls that field where it names custom fields by what people read.
    severity_name: str | None
    severity_values: Mapping[str, int]
    status_values: Mapping[str, str]
    channel_values: Mapping[str, str]
    events: tuple[SourceEvent, ...]
    bot_actors: tuple[str, ...]
    bot_channels: tuple[str, ...]
    agents: Agents = Agents()
    channel_field: str | None = None
    channel_constant: str | None = None
    unmarked_comments: str | None = None
    is_journal_whole: bool = False
    is_audit_whole: bool = False
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    date_locale: str | None = None
    business_calendar: Calendar | None = None
    mapping: FileMapping | None = None

    @property
    def encoding(self) -> str:
        """What the text of this source's files is encoded in."""
        return self.mapping.encoding if self.mapping else "utf-8"


@dataclass(frozen=True)
class SourcesConfig:
    """The sources of a workspace by name, from when on people are told of what comes to its end, and the plans to compare.

    `compared_plans` None: every plan that there is.
    """

    sources: Mapping[str, Source]
    alerts: AlertRules = DEFAULT_ALERTS
    compared_plans: tuple[str, ...] | None = None


def load_sources(path: Path) -> SourcesConfig:
    """`sla.yml` as typed values. Raises ConfigurationError with file, line and field of all that is wrong."""
    if not path.is_file():
        raise ConfigurationError(
            f"There is no {path}. `sla init` writes a commented one into an empty folder."
        )
    problems: list[Problem] = []
    top = open_document(read_yaml(path), problems)
    top.require_keys(required=("sources",), optional=("alerts", "compare_plans"))
    listed = top.section("sources")
    sources: dict[str, Source] = {}
    zones = known_zones()
    for key in listed.values:
        name = str(key)
        if not _SOURCE_NAME.fullmatch(name):
            listed.report(
                [key],
                f"{name!r} cannot name a source.",
                "It is also a folder of inbox/: use lower case letters, digits, '-' and '_'.",
            )
        sources[name] = _read_source(listed.section(key), name, zones, path.parent / "reference")
    alerts = read_alerts(top.section("alerts"))
    compared = (
        tuple(str(plan) for plan in top.items("compare_plans")) if "compare_plans" in top.values else None
    )
    if problems:
        raise refuse(str(path), problems)
    return SourcesConfig(sources, alerts, compared)


def mapped_source(name: str, mapping: FileMapping) -> Source:
    """A source that sla.yml does not describe yet, to try a mapping out."""
    return Source(
        source=name,
        source_type="mapped",
        time_zone=mapping.time_zone,
        date_format=None,
        null_markers=mapping.null_markers,
        ticket_prefix="",
        customer_field=None,
        customer_constant=None,
        severity_field=None,
        severity_name=None,
        severity_values={},
        status_values={},
        channel_values={},
        events=(),
        bot_actors=(),
        bot_channels=(),
        mapping=mapping,
    )


def _read_mapped(section: Section, name: str, folder: Path) -> Source:
    section.require_keys(("type", "mapping"), ("ticket_prefix", "bots"))
    bots = section.section("bots")
    bots.require_keys((), ("actors",))
    written = section.text("mapping")
    mapping = FileMapping(written)
    path = folder / written
    if written and (not path.resolve().is_relative_to(folder.resolve()) or "\0" in written):
        section.report(
            ["mapping"],
            f"{written!r} lies outside the folder reference/.",
            "Write it like mappings/helpdesk.yml: it counts from reference/.",
        )
    elif written:
        try:
            mapping = load_mapping(path, f"reference/{written}")
        except ConfigurationError as problem:
            # One run names what is wrong in sla.yml and in the mappings that it names.
            section.problems.extend(problem.problems or [section.problem(["mapping"], problem.message)])
    return replace(
        mapped_source(name, mapping),
        ticket_prefix=section.text("ticket_prefix") if section.has("ticket_prefix") else "",
        bot_actors=bots.texts("actors"),
    )


def _read_source(section: Section, name: str, zones: Collection[str], folder: Path) -> Source:
    source_type = section.choice("type", SOURCE_TYPES)
    if source_type == "mapped":
        return _read_mapped(section, name, folder)
    required: tuple[str, ...] = ("type",)
    tables = ("date_format", "date_locale", "columns", "business_calendar")
    optional: tuple[str, ...] = ("time_zone", "null_markers", "ticket_prefix", "statuses", "channels", "bots")
    if source_type != "canonical":
        required += ("customer", "severity")
    if source_type == "servicenow":
        # A display value is wall time of the exporting user, in that user's format: neither can be guessed.
        required += ("time_zone", "date_format")
        optional += ("agents", "journal", "audit")
    if source_type in ("zendesk", "jira", "freshdesk"):
        optional += tables
    if source_type in ("zendesk", "jira"):
        optional += ("events",)
    if source_type == "jira":
        # An issue does not say whose side its people are on.
        required += ("agents",)
        optional += ("channel", "comments")
    if source_type not in _STATUSES:
        # Without a type nobody knows which keys belong here, so none of the known ones is called wrong.
        optional += (
            "customer",
            "severity",
            "date_format",
            "events",
            "agents",
            "channel",
            "comments",
            "journal",
            "audit",
            *tables,
        )
        optional += ("mapping",)
        required = ("type",)
    section.require_keys(required, optional)
    customer_field, customer_constant = _read_customer(section, source_type)
    severity_field, severity_name, severity_values = _read_severity(section, source_type)
    agents = section.section("agents")
    agents.require_keys((), ("actors", "domains", "account_types"))
    if source_type == "jira" and section.has("agents") and not agents.values:
        agents.report(
            [], "nobody belongs to the vendor.", "Give actors, domains or account_types, such as [atlassian]."
        )
    channel = section.section("channel")
    channel.require_keys((), ("field", "constant"))
    bots = section.section("bots")
    bots.require_keys((), ("actors", "channels"))
    time_zone = section.text("time_zone") if section.has("time_zone") else None
    if time_zone and time_zone not in zones:
        section.report(["time_zone"], f"{time_zone!r} is not a time zone.", hint_zone(time_zone, zones))
    return Source(
        source=name,
        source_type=cast(SourceType, source_type),
        time_zone=time_zone,
        date_format=_read_date_format(section),
        null_markers=_read_null_markers(section),
        ticket_prefix=section.text("ticket_prefix") if section.has("ticket_prefix") else "",
        customer_field=customer_field,
        customer_constant=customer_constant,
        severity_field=severity_field,
        severity_name=severity_name,
        severity_values=severity_values,
        status_values=_STATUSES.get(source_type, {}) | _read_values(section, "statuses", STATUSES),
        channel_values=_CHANNELS.get(source_type, {}) | _read_values(section, "channels", None),
        events=_read_events(section),
        bot_actors=bots.texts("actors"),
        bot_channels=bots.texts("channels") if bots.has("channels") else _BOT_CHANNELS.get(source_type, ()),
        agents=Agents(
            agents.texts("actors"),
            tuple(domain.lower().lstrip("@") for domain in agents.texts("domains")),
            agents.texts("account_types"),
        ),
        channel_field=channel.text("field") if channel.has("field") else None,
        channel_constant=channel.text("constant") if channel.has("constant") else None,
        unmarked_comments=section.choice("comments", _COMMENTS) if section.has("comments") else None,
        columns={
            str(column): (aliases.text(column),)
            for aliases in [section.section("columns")]
            for column in aliases.values
        },
        date_locale=_read_date_locale(section),
        business_calendar=_read_business_calendar(section, folder / "calendars"),
        is_journal_whole=_is_whole(section, "journal"),
        is_audit_whole=_is_whole(section, "audit"),
    )


def _is_whole(section: Section, key: str) -> bool:
    """Whether everything of this kind is exported, so that what is not there did not happen."""
    return section.has(key) and section.choice(key, ("whole",)) == "whole"


def _read_date_locale(section: Section) -> str | None:
    """The language in which month names are written, where they are not English."""
    if not section.has("date_locale"):
        return None
    from babel.localedata import locale_identifiers

    name = section.text("date_locale")
    known = locale_identifiers()
    if name not in known:
        section.report(["date_locale"], f"{name!r} is not a language.", name_nearest(name, known))
        return None
    return name


def _read_business_calendar(section: Section, calendars: Path) -> Calendar | None:
    """The calendar that the vendor counted its own minutes with."""
    if not section.has("business_calendar"):
        return None
    from pipeline.calendars.load_calendars import load_calendars

    known = load_calendars(calendars)
    name = section.choice("business_calendar", known)
    return known.get(name)


def _read_customer(section: Section, source_type: str) -> tuple[str | None, str | None]:
    customer = section.section("customer")
    if source_type not in _CUSTOMER_FIELDS or not section.has("customer"):
        return None, None
    known = _CUSTOMER_FIELDS[source_type]
    customer.require_keys((), ("field", "constant"))
    if customer.has("field") == customer.has("constant"):
        customer.report(
            [],
            "it is not clear which customer a ticket belongs to.",
            "Give either field or constant, such as {field: company}.",
        )
    field = None
    if customer.has("field"):
        field = customer.text("field") if known is None else customer.choice("field", known)
    return field, customer.text("constant") if customer.has("constant") else None


def _read_severity(section: Section, source_type: str) -> tuple[str | None, str | None, dict[str, int]]:
    severity = section.section("severity")
    if source_type not in _SEVERITY_FIELDS or not section.has("severity"):
        return None, None, {}
    known = _SEVERITY_FIELDS[source_type]
    severity.require_keys(("field", "values"), ("name",) if source_type == "jira" else ())
    field = severity.text("field")
    is_custom = source_type == "zendesk" and _CUSTOM_FIELD.fullmatch(field)
    if field and known is not None and field not in known and not is_custom:
        custom = " Or custom_field:ID, with the number of the field." if source_type == "zendesk" else ""
        severity.report(["field"], f"{field!r} is not known here.", name_nearest(field, known) + custom)
    values = severity.section("values")
    mapped: dict[str, int] = {}
    for key, value in values.values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value not in SEVERITIES:
            values.report([key], f"{value!r} is not a severity.", "Severities are the whole numbers 0 to 5.")
        else:
            mapped[str(key)] = value
    if severity.has("values") and not values.values:
        severity.report(
            ["values"], "the mapping is empty.", "Write one line per value of the source, such as high: 4."
        )
    return field, severity.text("name") if severity.has("name") else None, mapped


def _read_values(section: Section, key: str, known: Collection[str] | None) -> dict[str, str]:
    mapping = section.section(key)
    if not section.has(key):
        return {}
    mapping.require_keys(("values",))
    values = mapping.section("values")
    return {
        str(source_value): values.text(source_value) if known is None else values.choice(source_value, known)
        for source_value in values.values
    }


def _read_events(section: Section) -> tuple[SourceEvent, ...]:
    events = section.section("events")
    events.require_keys((), EVENT_TYPES)
    found: list[SourceEvent] = []
    for event_type in events.values:
        # One event may have several signs: a mapping, or a list of mappings.
        value = events.values[event_type]
        signs = events.sections(event_type) if isinstance(value, list) else [events.section(event_type)]
        for sign in signs:
            sign.require_keys(("field", "value"))
            event = SourceEvent(str(event_type), sign.text("field"), sign.text("value"))
            clash = next(
                (
                    other
                    for other in found
                    if other.field_name == event.field_name and other.field_value == event.field_value
                ),
                None,
            )
            if clash and event.field_name:
                sign.report(
                    [],
                    f"this change stands for {clash.event_type!r} already.",
                    "One change can stand for one event only.",
                )
            found.append(event)
    return tuple(found)


def _read_date_format(section: Section) -> str | None:
    if not section.has("date_format"):
        return None
    text = section.text("date_format")
    sample = datetime(2026, 11, 22, 13, 45)
    try:
        is_exact = datetime.strptime(sample.strftime(text), text) == sample
    except (ValueError, re.error):
        is_exact = False
    if not is_exact:
        section.report(
            ["date_format"],
            f"{text!r} does not say year, month, day, hour and minute.",
            'Write it like "%Y-%m-%d %H:%M:%S", or "%d/%m/%Y %H:%M" where the day comes first.',
        )
    return text


def _read_null_markers(section: Section) -> tuple[str, ...]:
    """What stands for "no value". This list alone may hold the empty text, and does unless set."""
    if not section.has("null_markers"):
        return ("",)
    markers: list[str] = []
    for index, value in enumerate(section.items("null_markers")):
        place: list[Key] = ["null_markers", index]
        if isinstance(value, bool) or not isinstance(value, str | int):
            section.report(
                place, "only text can stand for no value.", 'Put it in quotes, such as ["", "null"].'
            )
        else:
            markers.append(str(value))
    return tuple(dict.fromkeys(markers))


def flatten_sources(config: SourcesConfig) -> dict[str, pyarrow.Table]:
    """The tables `sources`, `source_values`, `source_events`, `source_agents`, `source_bots` and `alert_rules`."""
    sources = config.sources.values()
    return flatten_alerts(config.alerts) | {
        "sources": build_table(
            "sources",
            (
                (
                    source.source,
                    source.source_type,
                    source.ticket_prefix,
                    source.customer_field,
                    source.customer_constant,
                    source.channel_constant,
                    source.severity_field,
                    source.severity_name,
                    source.unmarked_comments,
                    source.is_journal_whole,
                    source.is_audit_whole,
                )
                for source in sources
            ),
        ),
        "source_values": build_table(
            "source_values",
            (
                (source.source, mapping, source_value, str(mapped_value))
                for source in sources
                for mapping, values in (
                    ("severity", source.severity_values),
                    ("status", source.status_values),
                    ("channel", source.channel_values),
                )
                for source_value, mapped_value in values.items()
            ),
        ),
        "source_events": build_table(
            "source_events",
            (
                (source.source, event.event_type, event.field_name, event.field_value)
                for source in sources
                for event in source.events
            ),
        ),
        "source_agents": build_table(
            "source_agents",
            (
                (source.source, kind, value)
                for source in sources
                for kind, values in (
                    ("actor", source.agents.actors),
                    ("domain", source.agents.domains),
                    ("account_type", source.agents.account_types),
                )
                for value in values
            ),
        ),
        "source_bots": build_table(
            "source_bots",
            (
                (source.source, kind, value)
                for source in sources
                for kind, values in (("actor", source.bot_actors), ("channel", source.bot_channels))
                for value in values
            ),
        ),
    }
