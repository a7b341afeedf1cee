"""What the workspace has been asked to forget, and rows without it: `warehouse/forgotten.json`, applied to all that lands.

The file holds no value, only keyed hashes: whose addresses and names, which tickets and which customers. So an old export that
lands again does not bring them back. Rows stay, and so do the keys that join them (ids of tickets, people and organizations, the
domain of an address): counts and verdicts rest on them.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.rules.load_sources import load_sources
from pipeline.settings import DBT_PROJECT, Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import write_whole

# Stands where a text was.
FORGOTTEN = "forgotten"
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]{}|\\]+@[^\s<>\"'(),;:\[\]{}|\\]+")
_FIELD_SEEDS = ("status_fields.csv", "assignment_fields.csv", "vendor_verdict_fields.csv")
_TAG_FIELDS = frozenset({"tags", "labels"})
_KINDS = ("people", "tickets", "customers")
# Columns that name a person, by their address or name.
_PEOPLE = ("requester", "opener", "author_address", "person", "author_id", "updater_id", "requester_id")


@dataclass(frozen=True)
class Forgotten:
    """Keyed hashes (32 hexadecimal digits) of what is forgotten. `generation` counts the requests; 0: there was none.

    `clear` are the values themselves, known only while a request is being carried out: they are searched inside of longer texts.
    """

    salt: str
    generation: int = 0
    people: frozenset[str] = frozenset()
    tickets: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    clear: tuple[str, ...] = ()
    _known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def hash(self, kind: str, *parts: str) -> str:
        said = json.dumps([kind, *(part.strip().casefold() for part in parts)])
        return hmac.new(
            bytes.fromhex(self.salt), said.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()[:32]

    def is_person(self, value: str | None) -> bool:
        return bool(value) and self.hash("person", value or "") in self.people

    def pseudonym(self, value: str) -> str:
        """What stands for a value everywhere, so that equal values stay equal. Customers may be known by the domain."""
        name = f"{FORGOTTEN}-{self.hash('person', value)[:12]}"
        return f"{name}@{value.rpartition('@')[2]}" if "@" in value else name

    def text(self, value: str) -> str:
        """The value without a forgotten person or name in it."""
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = self._text(value)
        return found

    def _text(self, value: str) -> str:
        if self.is_person(value):
            return self.pseudonym(value)
        changed = _ADDRESS.sub(
            lambda one: self.pseudonym(one[0]) if self.is_person(one[0]) else one[0], value
        )
        for clear in self.clear:
            if clear.casefold() in changed.casefold():
                # A name may also be a word of an id: it is one only as it is written, and as a whole.
                flags = re.IGNORECASE if "@" in clear else 0
                pattern = rf"(?<![\w.@-]){re.escape(clear)}(?![\w@-]|\.\w)"
                changed = re.sub(pattern, lambda one: self.pseudonym(one[0]), changed, flags=flags)
        return changed

    def has_ticket(self, source: str, ticket_id: str | None, record_id: str | None = None) -> bool:
        return any(one and self.hash("ticket", source, one) in self.tickets for one in (ticket_id, record_id))


def read_forgotten(workspace: Workspace) -> Forgotten | None:
    """None where nothing was ever forgotten. Raises ValueError for a damaged list: what lands then would bring values back."""
    path = _path(workspace)
    try:
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
    except FileNotFoundError:
        return None
    people, tickets, customers = (frozenset(map(str, record[kind])) for kind in _KINDS)
    return Forgotten(str(record["salt"]), int(record["generation"]), people, tickets, customers)


def new_forgotten() -> Forgotten:
    return Forgotten(secrets.token_hex(32))


def write_forgotten(workspace: Workspace, forgotten: Forgotten) -> None:
    """On the disk before any value is removed, so that none comes back in between. Raises OSError."""
    record = {"salt": forgotten.salt, "generation": forgotten.generation}
    hashes = {kind: sorted(getattr(forgotten, kind)) for kind in _KINDS}
    write_whole(_path(workspace), seal_state({**record, **hashes}))


def read_named(workspace: Workspace) -> frozenset[str]:
    """The fields and tags of a helpdesk on which figures rest, in lower case: those that `sla.yml` or a seed names.

    Any other may hold a text of a person. Of a mapped source none is asked for once it has landed. Raises ConfigurationError
    for an `sla.yml` that cannot be read.
    """
    named: set[str | None] = set()
    for source in load_sources(workspace.sla_yml).sources.values():
        named |= {source.severity_field, source.severity_name, source.customer_field}
        for event in source.events:
            named |= {event.field_name, event.field_value}
    for seed in _FIELD_SEEDS:
        with (DBT_PROJECT / "seeds" / seed).open(encoding="utf-8", newline="") as file:
            named |= {row["field_name"] for row in csv.DictReader(file)}
    # As the models read them.
    return frozenset(name.replace("custom_field:", "").casefold() for name in named if name)


def find_tickets(
    files: Mapping[str, Path], source: str, forgotten: Forgotten, customers_tickets: Iterable[str] = ()
) -> Forgotten:
    """With the tickets of the batch's files that belong to a forgotten person or customer, and the people of such a customer."""
    path = files.get("ticket_versions")
    if path is None or not path.is_file():
        return forgotten
    tickets, people = set(forgotten.tickets), set(forgotten.people)
    wanted = ("ticket_id", "record_id", "requester", "requester_id", "customer_id", "organization_id")
    known = set(customers_tickets)
    for batch in pq.ParquetFile(path).iter_batches(columns=list(wanted)):
        for row in batch.to_pylist():
            is_of_customer = row["ticket_id"] in known or any(
                row[name] and forgotten.hash("customer", source, row[name]) in forgotten.customers
                for name in ("customer_id", "organization_id")
            )
            if is_of_customer:
                people |= {forgotten.hash("person", row[name]) for name in ("requester",) if row[name]}
            if is_of_customer or any(
                forgotten.is_person(row[name]) for name in ("requester", "requester_id")
            ):
                tickets |= {
                    forgotten.hash("ticket", source, row[name])
                    for name in ("ticket_id", "record_id")
                    if row[name]
                }
    return replace(forgotten, tickets=frozenset(tickets), people=frozenset(people), _known={})


def redact_rows(
    table: str,
    path: Path,
    source: str,
    forgotten: Forgotten,
    named: Set[str],
    lines: frozenset[int] = frozenset(),
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """The rows of a Parquet file without what is forgotten, and whether they differ. `lines`: those of the export whose records
    belong to a forgotten ticket, for the quarantine. `named` is what `read_named` gives."""
    for rows in pq.ParquetFile(path).iter_batches(batch_size=131_072):
        changed = False
        names = rows.schema.names
        records = rows.to_pylist()
        for row in records:
            before = dict(row)
            is_theirs = (
                row.get("line_number") in lines
                if table == QUARANTINE_TABLE
                else forgotten.has_ticket(source, row.get("ticket_id"), row.get("record_id"))
            )
            _redact(table, row, is_theirs, forgotten, named)
            changed = changed or row != before
        if not changed:
            yield rows, False
            continue
        arrays = [
            pa.array([record[name] for record in records], _plain_type(rows.schema.field(name).type)).cast(
                rows.schema.field(name).type
            )
            for name in names
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=rows.schema), True


def list_lines(path: Path | None, source: str, forgotten: Forgotten) -> frozenset[int]:
    """The lines of an export whose refused records belong to forgotten tickets, from the batch's table of gaps."""
    if path is None or not path.is_file():
        return frozenset()
    rows = pq.read_table(path, columns=["ticket_id", "record_id", "line_number"]).to_pylist()
    return frozenset(
        row["line_number"] for row in rows if forgotten.has_ticket(source, row["ticket_id"], row["record_id"])
    )


def _redact(table: str, row: dict[str, Any], is_theirs: bool, forgotten: Forgotten, named: Set[str]) -> None:
    for name in _PEOPLE:
        if row.get(name):
            row[name] = forgotten.text(row[name])
    for name in (
        "organization_name",
        "reason",
        "hint",
        "raw_value",
        "subject",
        "tags",
        "value",
        "value_before",
    ):
        if row.get(name):
            row[name] = forgotten.text(row[name])
    if row.get("fields"):
        row["fields"] = _redact_fields(row["fields"], is_theirs, forgotten, named)
    if not is_theirs:
        return
    for name in ("subject", "raw_value"):
        if row.get(name):
            row[name] = FORGOTTEN
    if row.get("tags"):
        row["tags"] = _redact_tags(row["tags"], named)
    # Other kinds of changes hold what a form has made of a record: the word of an event, an instant.
    if table != "ticket_changes" or row["change_kind"] not in ("created", "changed"):
        return
    names = {str(row[name]).casefold() for name in ("field_name", "field_id") if row[name]}
    for name in ("value", "value_before"):
        if row.get(name) and names & _TAG_FIELDS:
            row[name] = _redact_tags(row[name], named)
        elif row.get(name) and not names & named:
            row[name] = FORGOTTEN


def _redact_tags(text: str, named: Set[str]) -> str:
    """A list of tags, as JSON or parted by blanks, commas or semicolons, in the form that it has."""
    try:
        tags = json.loads(text)
    except ValueError:
        tags = None
    if not isinstance(tags, list):
        return re.sub(r"[^\s,;|]+", lambda tag: tag[0] if tag[0].casefold() in named else FORGOTTEN, text)
    kept = [tag if str(tag).casefold() in named else FORGOTTEN for tag in tags]
    return text if kept == tags else json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _redact_fields(text: str, is_theirs: bool, forgotten: Forgotten, named: Set[str]) -> str:
    """The other fields of a ticket, an object of texts or a list of {id, value}."""
    try:
        fields = json.loads(text)
    except ValueError:
        return FORGOTTEN if is_theirs else forgotten.text(text)

    def redact(value: Any, name: str) -> Any:
        if isinstance(value, list):
            return [redact(each, name) for each in value]
        if isinstance(value, dict):
            return {key: redact(each, name or str(key)) for key, each in value.items()}
        # True, false and an empty text hold no name.
        if value is None or isinstance(value, bool) or value == "":
            return value
        if is_theirs and name.casefold() not in named:
            return FORGOTTEN
        return forgotten.text(value) if isinstance(value, str) else value

    if isinstance(fields, dict):
        changed: Any = {key: redact(value, str(key)) for key, value in fields.items()}
    else:
        changed = [
            {**each, "value": redact(each.get("value"), str(each.get("id")))}
            if isinstance(each, dict)
            else each
            for each in fields
        ]
    return text if changed == fields else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _path(workspace: Workspace) -> Path:
    return workspace.warehouse / "forgotten.json"
