"""One helpdesk as `sla.yml` describes it: plain values only, so that another process can have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pipeline.calendars.calendar import Calendar
    from pipeline.rules.mapping import Mapping as FileMapping

SourceType = Literal["canonical", "zendesk", "servicenow", "jira", "freshdesk", "mapped"]


@dataclass(frozen=True)
class SourceEvent:
    """In this source, a change of `field_name` to `field_value` stands for `event_type`."""

    event_type: str
    field_name: str
    field_value: str


class Agents(NamedTuple):
    """Who is a human on the vendor's side, where the export does not say: ids or addresses, domains of addresses, kinds of
    accounts, ids of the organizations that people belong to.
    """

    actors: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    account_types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One helpdesk. `time_zone` is that of instants written without one; None: each must carry its own."""

    source: str
    source_type: SourceType
    time_zone: str | None
    # How wall times are written, tried in this order; empty: as the form says.
    date_formats: tuple[str, ...]
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
    # The AIs that answer customers.
    assistants: tuple[str, ...] = ()
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
    def non_humans(self) -> tuple[str, ...]:
        """Who may stand as the author of an answer and is no human."""
        return (*self.bot_actors, *self.assistants)

    @property
    def encoding(self) -> str:
        """What the text of this source's files is encoded in."""
        return self.mapping.encoding if self.mapping else "utf-8"
