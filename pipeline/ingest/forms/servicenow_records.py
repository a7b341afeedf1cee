"""ServiceNow's records as JSON or XML: the export formats, and the Table API with values or with all of value and display
value. Incidents, journal entries, field histories (sys_audit), and the SLAs of tasks; all but incidents also as CSV or XLSX with
field names.

Of sys_audit, the vendor's documentation gives table, field, document key (the sys_id of the record), user, old and new value, and
a checkpoint of the record; public scripts call them tablename, fieldname, documentkey, user, oldvalue, newvalue, sys_created_on.
That the checkpoint is called record_checkpoint and counts the updates of the record is general knowledge, not confirmed.

Raw values are UTC. A record of display values alone is in the zone and format of the user who asked for it, which sla.yml
declares.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_csv import refuse_doubled
from pipeline.ingest.files.read_table import TableOptions, read_records
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.landed_rows import (
    Adapted,
    LandedRows,
    Unusable,
    read_identifier,
    read_wall_time,
)
from pipeline.ingest.forms.null_dates import is_null_date
from pipeline.ingest.forms.read_objects import JsonObject, as_text, read_objects
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.zones import Window

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_RAW_FORMAT = "%Y-%m-%d %H:%M:%S"
_RAW_FORMATS = (_RAW_FORMAT,)
_EPOCH = datetime(1970, 1, 1)
# The children of an XML record whose attribute says what they are displayed as.
_DISPLAY = "@display_value"
_INSTANTS = {
    "opened_at": "opened_at",
    "created_at": "sys_created_on",
    "updated_at": "sys_updated_on",
    "resolved_at": "resolved_at",
    "closed_at": "closed_at",
}
_TEXTS = {
    "state": ("state", "incident_state"),
    "priority": ("priority",),
    "severity": ("severity",),
    "impact": ("impact",),
    "urgency": ("urgency",),
    "channel": ("contact_type",),
    "requester": ("caller_id",),
    "company": ("company",),
    # The journal names its authors by their user names, as only this field of an incident does.
    "opened_by": ("sys_created_by", "opened_by"),
    "subject": ("short_description",),
    "made_sla": ("made_sla",),
}
# The fields whose history some rule reads.
_STATES = ("state", "incident_state")
_LEVELS = ("priority", "severity", "impact", "urgency")
_HOLDERS = ("assignment_group", "assigned_to")
_AUDIT_HINT = "Export sys_audit with oldvalue and newvalue of every row."
# What tells the tables other than incidents, by their field names.
_TABLES = (("element", "element_id"), ("documentkey", "fieldname"), ("task", "has_breached"))
# What sla.yml may name as customer or level, and what no rule reads yet.
_FIELDS = ("priority", "severity", "impact", "urgency", "company", "requester", "made_sla")
_COUNTS = {"update_number": "sys_mod_count", "reopen_count": "reopen_count"}
# The fields of a table of other records that some rule reads.
_READ = frozenset(
    (
        *("sys_id", "sys_created_on", "sys_created_by", "sys_updated_on", "element", "element_id"),
        *("documentkey", "tablename", "fieldname", "user", "oldvalue", "newvalue", "record_checkpoint"),
        *("task", "sla", "sla.name", "sla.target", "target", "start_time", "end_time"),
        *("duration", "business_duration", "has_breached"),
    )
)


class _Value(NamedTuple):
    """One field: as stored, and as shown to a user. Either may be missing."""

    raw: str | None
    shown: str | None


class _Record:
    """The fields of one record, whatever form they came in."""

    def __init__(self, written: JsonObject, source: Source, is_display_only: bool = False) -> None:
        self._values = {
            name: _read_value(value) for name, value in written.items() if not name.endswith(_DISPLAY)
        }
        for name, value in written.items():
            if name.endswith(_DISPLAY):
                own = name.removesuffix(_DISPLAY)
                self._values[own] = _Value(self._values.get(own, _Value(None, None)).raw, as_text(value))
        objects = [value for value in written.values() if isinstance(value, dict)]
        # Only an answer of display values alone gives references without their ids.
        self._is_display_only = (
            is_display_only
            or any("display_value" in one for one in objects)
            and not any("value" in one for one in objects)
        )
        self._source = source

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def raw(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None else value.raw or value.shown

    def text(self, *names: str) -> str | None:
        """What a user is shown, or what is stored, of the first field that has either."""
        for name in names:
            value = self._values.get(name, _Value(None, None))
            if value.shown or value.raw:
                return value.shown or value.raw
        return None

    def instant(self, name: str) -> datetime | None:
        """The first second in which it can have happened."""
        window = self.window(name)
        return None if window is None else window.first

    def window(self, name: str, is_required: bool = False) -> Window | None:
        """When it can have happened: as wide as the declared format is cut."""
        written = self.raw(name)
        if written is None or written in self._source.null_markers or is_null_date(written):
            if is_required:
                raise Unusable(
                    name, None, "is missing", "Every record needs it; check the export's settings."
                )
            return None
        if self._is_display_only:
            zone, date_formats = self._source.time_zone or "UTC", self._source.date_formats or _RAW_FORMATS
            return read_wall_time(name, written, zone, date_formats)
        return read_wall_time(name, written, "UTC", _RAW_FORMATS)

    def find_marks(self) -> list[str]:
        """The events that sla.yml declares and of which the record bears the sign."""
        signs = self._source.events
        names = {"state", "incident_state", *(one.field_name for one in signs)}
        shown = {name: {self.raw(name), self.text(name)} for name in names}
        shown["state"] |= shown["incident_state"]
        return list(
            dict.fromkeys(one.event_type for one in signs if one.field_value in shown[one.field_name])
        )

    def whole_number(self, name: str) -> int | None:
        written = self.raw(name)
        if written is None:
            return None
        if not re.fullmatch(r"-?\d{1,9}", written):
            raise Unusable(name, written, "is not a whole number", "Write digits only.")
        return int(written)

    def flag(self, name: str) -> bool | None:
        return {"true": True, "1": True, "false": False, "0": False}.get((self.raw(name) or "").lower())

    def duration(self, name: str) -> int | None:
        """Seconds; a duration is stored as that long after 1970-01-01 00:00:00, and counted in a spreadsheet."""
        written = self.raw(name)
        if written is None:
            return None
        if re.fullmatch(r"\d{1,12}", written):
            return int(written)
        try:
            return int((datetime.strptime(written, _RAW_FORMAT) - _EPOCH).total_seconds())
        except ValueError:
            raise Unusable(
                name,
                written,
                "is not a duration",
                "Export raw values: a duration is stored as a date, such as 1970-01-01 02:37:03.",
            ) from None


def land_records(export: Export, source: Source, writer: RowWriter) -> tuple[int, list[Problem]]:
    """Land a file of records; the number of records read, and warnings. Raises InputRejected."""
    rows = LandedRows(writer)
    for line_number, found in read_objects(export, ("result", "records"), "a record of a table"):
        if isinstance(found, Refused):
            rows.refuse(found)
            continue
        with rows.record(line_number) as adapted:
            _adapt(_Record(found, source), adapted)
    return rows.finish(), []


def is_record_table(names: list[str]) -> bool:
    """Whether a table with these columns holds records other than incidents."""
    return any(set(marks) <= set(names) for marks in _TABLES)


def land_record_table(
    export: Export, names: list[str], source: Source, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land such a table; the number of rows read, and warnings. Its cells are what a user is shown. Raises InputRejected."""
    refuse_doubled(export, names, _READ)
    rows = LandedRows(writer)
    notes: list[Problem] = []
    options = TableOptions(date_formats=source.date_formats, keeps_repeated_names=True)
    for records in read_records(export, names, options):
        notes += records.notes
        for refused in records.refused:
            rows.refuse(refused)
        for line_number, values in zip(records.line_numbers, records.rows, strict=True):
            with rows.record(line_number) as adapted:
                written = {
                    name: value or None for name, value in zip(names, values, strict=True) if name in _READ
                }
                _adapt(_Record(written, source, is_display_only=True), adapted)
    return rows.finish(), notes


def _adapt(record: _Record, adapted: Adapted) -> None:
    if "element" in record and "element_id" in record:
        _add_entry(record, adapted)
    elif "documentkey" in record and "fieldname" in record:
        _add_field_change(record, adapted)
    elif "task" in record and "has_breached" in record:
        _add_task_sla(record, adapted)
    elif "number" in record and "opened_at" in record:
        _add_incident(record, adapted)
    else:
        raise Unusable(
            None,
            None,
            "is neither an incident nor a journal entry, a field's history or the SLA of a task",
            "Export incident, sys_journal_field, sys_audit and task_sla with their own field names.",
        )


def _add_incident(record: _Record, adapted: Adapted) -> None:
    ticket_id = read_identifier("number", record.raw("number"))
    texts = {column: record.text(*names) for column, names in _TEXTS.items()}
    counts = {column: record.whole_number(name) for column, name in _COUNTS.items()}
    required = ("opened_at", "updated_at")
    windows = {column: record.window(name, column in required) for column, name in _INSTANTS.items()}
    submitted, updated = windows["opened_at"], windows["updated_at"]
    assert submitted is not None
    assert updated is not None
    fields = {name: texts[name] for name in _FIELDS} | {"reopen_count": counts["reopen_count"]}
    adapted.add(
        "ticket_versions",
        ticket_id=ticket_id,
        record_id=record.raw("sys_id"),
        status=texts["state"],
        requester=texts["requester"],
        opener=texts["opened_by"],
        channel=texts["channel"],
        subject=texts["subject"],
        fields=json.dumps(fields, ensure_ascii=False),
        evidence="resolution",
        update_number=counts["update_number"],
        submitted_at=submitted.first,
        latest_submitted_at=submitted.latest,
        updated_at=updated.first,
        latest_updated_at=updated.latest,
    )
    for event_type in record.find_marks():
        closed = windows["closed_at"] if event_type == "merged" else None
        adapted.add(
            "ticket_changes",
            change_id=f"{ticket_id}:{event_type}",
            ticket_id=ticket_id,
            change_kind="mark" if closed is None else "date",
            field_name=event_type,
            **_when(closed or updated, "changed_at"),
            version_at=updated.first,
        )
    number = "" if counts["update_number"] is None else counts["update_number"]
    for place, (column, status) in enumerate((("resolved_at", "solved"), ("closed_at", "closed"))):
        window = windows[column]
        if window is not None:
            adapted.add(
                "ticket_changes",
                change_id=f"{ticket_id}:{number}:status_changed:{status}",
                ticket_id=ticket_id,
                change_kind="date",
                field_name="status",
                value=status,
                **_when(window, "changed_at"),
                place=place,
            )


def _add_entry(record: _Record, adapted: Adapted) -> None:
    author = record.raw("sys_created_by")
    record_id = read_identifier("element_id", record.raw("element_id"))
    adapted.gaps.append({"record_id": record_id, "evidence": "messages"})
    entry_id = read_identifier("sys_id", record.raw("sys_id"))
    said = record.window("sys_created_on", is_required=True)
    assert said is not None
    # Other elements are fields of the journal that are neither shown to the customer nor written to a colleague.
    if record.raw("element") in ("comments", "work_notes"):
        adapted.add(
            "ticket_messages",
            message_id=f"journal:{entry_id}",
            record_id=record_id,
            message_kind="comment",
            is_public=record.raw("element") == "comments",
            author_id=author,
            # User names are mostly addresses.
            author_address=author,
            **_when(said, "said_at"),
        )


def _add_field_change(record: _Record, adapted: Adapted) -> None:
    # A label where a user is shown one: "Incident state" is incident_state.
    table, field_name = (
        (record.raw(name) or "").strip().lower().replace(" ", "_") for name in ("tablename", "fieldname")
    )
    if table not in ("", "incident") or field_name not in (*_STATES, *_LEVELS, *_HOLDERS):
        return
    record_id = read_identifier("documentkey", record.raw("documentkey"))
    new_value = record.raw("newvalue")
    if field_name in _STATES:
        adapted.gaps.append({"record_id": record_id, "evidence": "statuses"})
        # The first row of a record has no old value; a state that nothing came after, no incident has.
        if new_value is None:
            raise Unusable("newvalue", None, "is missing", _AUDIT_HINT)
    # Who assigned is told of assignments alone: nothing else of a field's history hangs on it.
    author = {}
    if field_name in _HOLDERS:
        adapted.gaps.append({"record_id": record_id, "evidence": "assignments"})
        author = {"author_id": record.raw("user"), "author_address": record.raw("user")}
    if "oldvalue" not in record:
        raise Unusable("oldvalue", None, "is missing", _AUDIT_HINT)
    change_id = read_identifier("sys_id", record.raw("sys_id"))
    changed = record.window("sys_created_on", is_required=True)
    assert changed is not None
    update_number = record.whole_number("record_checkpoint")
    number = "" if update_number is None else f"{update_number}:"
    adapted.add(
        "ticket_changes",
        change_id=f"audit:{number}{change_id}",
        record_id=record_id,
        change_kind="changed",
        field_name=field_name,
        value_before=record.raw("oldvalue"),
        value=new_value,
        update_number=update_number,
        **author,
        **_when(changed, "changed_at"),
    )


def _add_task_sla(record: _Record, adapted: Adapted) -> None:
    name = record.text("sla", "sla.name")
    words = f"{name or ''} {record.text('sla.target', 'target') or ''}".lower()
    started_at = record.instant("start_time")
    for field, clock_kind in (("duration", "calendar"), ("business_duration", "business")):
        if field in record:
            adapted.add(
                "vendor_sla_figures",
                # The number where it is exported; else the id, by which the models find the incident.
                ticket_id=read_identifier("task", record.text("task")),
                figure=f"{name or 'task_sla'}, {field}",
                obligation="first_response"
                if "response" in words
                else "resolution"
                if "resol" in words
                else None,
                cycle_number=1,
                figure_kind="elapsed",
                clock_kind=clock_kind,
                they_seconds=record.duration(field),
                unit_seconds=1,
                they_breached=record.flag("has_breached"),
                they_started_at=started_at,
                they_stopped_at=record.instant("end_time"),
                read_at=record.instant("sys_updated_on"),
            )


def _when(window: Window, column: str) -> dict[str, datetime | None]:
    """The two ends of a window, as a change or a message lands them; `column` has the last one."""
    return {"earliest_at": None if window.latest is None else window.first, column: window.last}


def _read_value(value: Any) -> _Value:
    if not isinstance(value, dict):
        return _Value(as_text(value), None)
    return _Value(as_text(value.get("value")), as_text(value.get("display_value")))
