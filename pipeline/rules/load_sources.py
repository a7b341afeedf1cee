"""Read `sla.yml`: which helpdesks send exports, and how their words map to those of the plans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.declarations.declared import read_declared
from pipeline.declarations.problems import Place, refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.errors import ConfigurationError, Problem
from pipeline.rules.alerts import DEFAULT_ALERTS, AlertRules, flatten_alerts
from pipeline.rules.auth_file import Auth
from pipeline.rules.branding import DEFAULT_BRANDING, Look, flatten_looks, read_looks
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.engine_file import DEFAULT_ENGINE, EngineRules
from pipeline.rules.mapping import Mapping as FileMapping
from pipeline.rules.periods import DEFAULT_PERIODS, PeriodRules, flatten_periods
from pipeline.rules.retention import DEFAULT_RETENTION, Retention
from pipeline.rules.source import Agents, Source, SourceEvent
from pipeline.rules.sources_file import (
    SOURCE_NAME,
    SOURCE_NAME_HINT,
    AgentList,
    AllowedShares,
    CanonicalSource,
    FreshdeskSource,
    JiraSource,
    MappedSource,
    ServicenowSource,
    SignedSource,
    SlaFile,
    TableSource,
    VendorSource,
    ZendeskSource,
)
from pipeline.rules.tables import RuleTable, build_table
from pipeline.rules.vendor_words import BOT_CHANNELS_OF, CHANNELS_OF, STATUSES_OF

if TYPE_CHECKING:
    from pipeline.calendars.calendar import Calendar


# Without a section `branding`: nothing can be wrong in it, so no place is needed.
_PLAIN_LOOKS = read_looks(DEFAULT_BRANDING, cast(Place, None), Path())


@dataclass(frozen=True)
class SourcesConfig:
    """The sources of a workspace by name, from when on people are told of what comes to its end, the plans that are tried
    on each build, and when months are closed.

    `keep_exports`: copies of what lands are kept in the warehouse.
    `limits`: by source; the defaults where it has none.
    """

    sources: Mapping[str, Source]
    alerts: AlertRules = DEFAULT_ALERTS
    compared_plans: tuple[str, ...] = ()
    keep_exports: bool = False
    limits: Mapping[str, AllowedShares] = field(default_factory=dict)
    periods: PeriodRules = DEFAULT_PERIODS
    # None: nothing is delivered.
    delivery: Delivery | None = None
    looks: tuple[Look, ...] = _PLAIN_LOOKS
    # None: half of what there is (engine_memory.py).
    memory: str | None = None
    # None: the dashboard asks for no login.
    auth: Auth | None = None
    retention: Retention = DEFAULT_RETENTION
    engine: EngineRules = DEFAULT_ENGINE


def load_sources(path: Path) -> SourcesConfig:
    """`sla.yml` as typed values. Raises ConfigurationError with file, line and field of all that is wrong."""
    if not path.is_file():
        raise ConfigurationError(
            f"There is no {path}. `sla init` writes a commented one into an empty folder."
        )
    problems: list[Problem] = []
    file, place = read_declared(SlaFile, read_yaml(path), problems)
    sources = {
        name: _read_source(name, source, place.at("sources", name), path.parent / "reference")
        for name, source in file.sources.items()
    }
    looks = read_looks(file.branding, place.at("branding"), path.parent / "branding")
    if problems:
        raise refuse(str(path), problems)
    limits = {name: source.allow for name, source in file.sources.items()}
    return SourcesConfig(
        sources,
        file.alerts,
        file.compare_plans or (),
        file.keep_exports,
        limits,
        file.periods,
        file.delivery,
        looks,
        file.memory,
        file.auth,
        file.retention,
        file.engine,
    )


def check_source_name(name: str) -> None:
    """Raises ConfigurationError for a name that sla.yml could not give a source."""
    if not re.search(SOURCE_NAME, name):
        raise ConfigurationError(f"{name!r} cannot name a source. {SOURCE_NAME_HINT}")


def mapped_source(name: str, mapping: FileMapping) -> Source:
    """A source that sla.yml does not describe yet, to try a mapping out."""
    return Source(
        source=name,
        source_type="mapped",
        time_zone=mapping.time_zone,
        date_formats=(),
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


def _read_mapped(name: str, source: MappedSource, place: Place, folder: Path) -> Source:
    mapping = FileMapping(source.mapping)
    path = folder / source.mapping
    if not path.resolve().is_relative_to(folder.resolve()) or "\0" in source.mapping:
        place.report(
            ["mapping"],
            f"{source.mapping!r} lies outside the folder reference/.",
            "Write it like mappings/helpdesk.yml: it counts from reference/.",
        )
    elif source.mapping:
        try:
            from pipeline.rules.load_mapping import load_mapping

            mapping = load_mapping(path, f"reference/{source.mapping}")
        except ConfigurationError as problem:
            # One run names what is wrong in sla.yml and in the mappings that it names.
            if not problem.problems:
                place.report(["mapping"], problem.message)
            place.problems.extend(problem.problems)
    return replace(
        mapped_source(name, mapping),
        ticket_prefix=source.ticket_prefix,
        bot_actors=source.bots.actors,
        assistants=source.assistants.actors,
        agents=_list_agents(source.agents),
    )


def _read_source(
    name: str,
    source: CanonicalSource | ZendeskSource | ServicenowSource | JiraSource | FreshdeskSource | MappedSource,
    place: Place,
    folder: Path,
) -> Source:
    if isinstance(source, MappedSource):
        return _read_mapped(name, source, place, folder)
    statuses = source.statuses.values if source.statuses else {}
    channels = source.channels.values if source.channels else {}
    bot_channels = source.bots.channels
    read = Source(
        source=name,
        source_type=source.type,
        time_zone=source.time_zone,
        date_formats=(),
        null_markers=tuple(dict.fromkeys(source.null_markers)),
        ticket_prefix=source.ticket_prefix,
        customer_field=None,
        customer_constant=None,
        severity_field=None,
        severity_name=None,
        severity_values={},
        status_values=STATUSES_OF[source.type] | statuses,
        channel_values=CHANNELS_OF[source.type] | channels,
        events=(),
        bot_actors=source.bots.actors,
        assistants=source.assistants.actors,
        bot_channels=BOT_CHANNELS_OF[source.type] if bot_channels is None else bot_channels,
    )
    if isinstance(source, VendorSource):
        read = replace(
            read,
            customer_field=source.customer.field,
            customer_constant=source.customer.constant,
            severity_field=source.severity.field,
            severity_values=source.severity.values,
            agents=_list_agents(source.agents),
        )
    if isinstance(source, TableSource):
        read = replace(
            read,
            date_formats=source.list_formats(),
            date_locale=source.date_locale,
            columns={
                column: (names,) if isinstance(names, str) else names
                for column, names in source.columns.items()
            },
            business_calendar=_find_calendar(source.business_calendar, place, folder / "calendars"),
        )
    if isinstance(source, SignedSource):
        events = (SourceEvent(event, sign.field, sign.value) for event, _, sign in source.list_signs())
        read = replace(read, events=tuple(events))
    if isinstance(source, ServicenowSource):
        return replace(
            read,
            date_formats=source.list_formats(),
            is_journal_whole=source.journal is not None,
            is_audit_whole=source.audit is not None,
        )
    if isinstance(source, JiraSource):
        return replace(
            read,
            severity_name=source.severity.name,
            channel_field=source.channel.field,
            channel_constant=source.channel.constant,
            unmarked_comments=source.comments,
        )
    return read


def _list_agents(agents: AgentList) -> Agents:
    domains = tuple(domain.lower().lstrip("@") for domain in agents.domains)
    return Agents(agents.actors, domains, agents.account_types, agents.groups)


def _find_calendar(name: str | None, place: Place, folder: Path) -> Calendar | None:
    """The calendar that the vendor counted its own minutes with."""
    if name is None:
        return None
    from pipeline.calendars.load_calendars import load_calendars

    known = load_calendars(folder)
    place.check_name(["business_calendar"], name, known)
    return known.get(name)


def _list_names(source: Source) -> Iterator[tuple[str, str, str, str]]:
    """Source, setting, kind and name of all that sla.yml names itself; what is known of a helpdesk is not listed."""
    is_own = source.bot_channels != BOT_CHANNELS_OF.get(source.source_type, ())
    for setting, kind, names in (
        ("bots.actors", "actor", source.bot_actors),
        ("bots.channels", "channel", source.bot_channels if is_own else ()),
        ("assistants.actors", "actor", source.assistants),
        ("agents.actors", "actor", source.agents.actors),
        ("agents.domains", "domain", source.agents.domains),
        ("agents.account_types", "account_type", source.agents.account_types),
    ):
        yield from ((source.source, setting, kind, name) for name in dict.fromkeys(names))
    for event_type in dict.fromkeys(event.event_type for event in source.events):
        yield source.source, f"events.{event_type}", "event", event_type


def flatten_sources(config: SourcesConfig) -> dict[str, RuleTable]:
    """The tables of sources (their limits, values, events, names, agents and bots), `alert_rules`,
    `period_rules` and `brands`."""
    sources = config.sources.values()
    return (
        flatten_alerts(config.alerts)
        | flatten_periods(config.periods)
        | flatten_looks(config.looks)
        | {
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
                        source.time_zone,
                        ", ".join(source.mapping.dates if source.mapping else source.date_formats) or None,
                    )
                    for source in sources
                ),
            ),
            "source_limits": build_table(
                "source_limits",
                (
                    (source.source, cause, limit_pct)
                    for source in sources
                    for cause, limit_pct in config.limits.get(source.source, AllowedShares())
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
            "source_names": build_table(
                "source_names", (row for source in sources for row in _list_names(source))
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
                        ("group", source.agents.groups),
                    )
                    for value in values
                ),
            ),
            "source_bots": build_table(
                "source_bots",
                (
                    (source.source, kind, value)
                    for source in sources
                    for kind, values in (
                        ("actor", source.bot_actors),
                        ("channel", source.bot_channels),
                        ("assistant", source.assistants),
                    )
                    for value in values
                ),
            ),
        }
    )
