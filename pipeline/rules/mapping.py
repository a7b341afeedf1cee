"""What a mapping file says, as plain values: how a helpdesk's files look, and where our columns come from.

Vocabularies and shapes only. `load_mapping.py` reads the YAML, `pipeline/ingest/forms/mapped.py` applies it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from pipeline.rules.plan import SEVERITIES, STATUSES

# Formats of tables with what separates their values, and formats of documents.
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon": ";", "pipe": "|"}
TABLE_FORMATS = (*DELIMITERS, "xlsx", "parquet")
FORMATS = (*TABLE_FORMATS, "ndjson", "json", "xml")
ENCODINGS = (
    "utf-8",
    "utf-16",
    "cp1250",
    "cp1251",
    "cp1252",
    "latin-1",
    "iso-8859-15",
    "shift_jis",
    "gb18030",
)

TICKET_COLUMNS = (
    "ticket_id",
    "customer_id",
    "requester",
    "opener",
    "channel",
    "severity",
    "submitted_at",
    "subject",
    "ticket_type",
    "ticket_status",
    "tags",
    "updated_at",
)
EVENT_COLUMNS = (
    "event_id",
    "ticket_id",
    "event_at",
    "event_type",
    "actor_kind",
    "actor",
    "is_public",
    "value",
    "value_before",
)
PEOPLE_COLUMNS = ("person_id", "person", "actor_kind")
REQUIRED_COLUMNS = {
    "tickets": ("ticket_id", "submitted_at"),
    "events": ("ticket_id", "event_at", "event_type"),
    "people": ("person_id", "actor_kind"),
}
BOOLEANS = ("true", "false")

# A severity as a mapping writes it, and what such an event may change from and to.
SEVERITY_TEXTS = tuple(str(severity) for severity in SEVERITIES)
EVENT_VALUES: dict[str, tuple[str, ...]] = {"status_changed": STATUSES, "severity_changed": SEVERITY_TEXTS}
# `..._if_any`: a ticket without one such event was exported without its history, so nothing is known of it.
EVIDENCE = (
    "first_response",
    "messages",
    "messages_if_any",
    "statuses",
    "statuses_if_any",
    "resolution",
    "resolution_if_any",
    "debug",
    "bugs",
)
# What a hole in a ticket's history can be in; a hole in anything else leaves nothing whole.
GAPS = ("messages", "statuses", "debug", "bugs")
DRIFTS = ("new_columns", "dropped_columns", "retyped_columns")

# Formats of instants that are no pattern of wall time.
ISO = "iso"
EPOCH_SECONDS = "epoch_seconds"
EPOCH_MILLISECONDS = "epoch_milliseconds"


@dataclass(frozen=True)
class Values:
    """What a source's words stand for. An unknown one refuses its record, passes as it is written and stays unknown, or
    stands for `otherwise`.
    """

    pairs: tuple[tuple[str, str], ...]
    unknown: Literal["refuse", "pass"] = "refuse"
    otherwise: str | None = None


@dataclass(frozen=True)
class Cell:
    """Where one value comes from: the first of `columns` that holds something, a constant, or several cells joined.

    Then the `part`-th piece (1-based) between `split_by`, where declared, then the mapped value.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    joined: tuple[Cell, ...] = ()
    separator: str = ":"
    split_by: str | None = None
    part: int | None = None
    values: Values | None = None

    def names(self) -> tuple[str, ...]:
        """Every column that the value may come from."""
        return self.columns + tuple(name for cell in self.joined for name in cell.names())


Cells = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Condition:
    """Which rows an event is made of. `is_filled` None: what is written in the column decides."""

    column: str
    is_filled: bool | None = None
    is_one_of: tuple[str, ...] = ()
    is_none_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventRule:
    """One event out of every row that meets all conditions; with `each`, one per filled cell of a repeated column."""

    cells: Cells
    conditions: tuple[Condition, ...] = ()
    each: str | None = None


@dataclass(frozen=True)
class MappedColumn:
    """A column under our short name, with the names that exports give it: languages, versions."""

    name: str
    written: tuple[str, ...]
    is_repeated: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class MappedFile:
    """One kind of file of a source: its dialect, its columns, and what its rows are. Rows that do not meet `conditions` are
    passed over.
    """

    name: str
    format: str
    sheet: str | None
    element: str | None
    records_at: str | None
    columns: tuple[MappedColumn, ...]
    conditions: tuple[Condition, ...] = ()
    tickets: Cells | None = None
    people: Cells | None = None
    events: tuple[EventRule, ...] = ()

    @property
    def is_table(self) -> bool:
        return self.format in TABLE_FORMATS


@dataclass(frozen=True)
class Mapping:
    """A mapping file. `file` is how messages name it; plain values only, so that another process can have it."""

    file: str
    time_zone: str | None
    dates: tuple[str, ...]
    months: tuple[tuple[str, int], ...]
    century: int | None
    null_markers: tuple[str, ...]
    encoding: str
    evidence: tuple[str, ...]
    allowed: tuple[str, ...]
    files: tuple[MappedFile, ...]


def fingerprint_mapping(mapping: Mapping | None) -> str | None:
    """SHA-256 (hex) over what a mapping says, not over its comments: a landed batch names the one that it was read with."""
    return None if mapping is None else hashlib.sha256(repr(mapping).encode()).hexdigest()
