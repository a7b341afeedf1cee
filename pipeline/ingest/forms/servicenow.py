"""ServiceNow's tables (CSV, XLSX): an audit log with one row per update, or the incident table with its field names or
their labels. Records as JSON or XML, and tables of other records, go to their own module.

Times are wall times of the user who exported them. The zone and the format that `sla.yml` declares count, whatever
the file seems to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from pipeline.errors import ConfigurationError, Problem
from pipeline.ingest.files.engine import quote
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_csv import check_names, refuse_doubled
from pipeline.ingest.files.read_table import TableOptions, find_kind, read_header, read_records
from pipeline.ingest.forms.check_records import Contract, Field, judge, read_judged
from pipeline.ingest.forms.landed_rows import find_window
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.ingest.forms.servicenow_records import is_record_table, land_record_table, land_records
from pipeline.zones import Window

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# Landed column -> the names that exports give it, the first one present counts: field names, and the labels of a workbook.
_NAMES: dict[str, tuple[str, ...]] = {
    "ticket_id": ("number", "Number"),
    "state": ("incident_state", "state", "Incident state", "State"),
    "opened_at": ("opened_at", "Opened"),
    "created_at": ("sys_created_at", "sys_created_on", "Created"),
    "updated_at": ("sys_updated_at", "sys_updated_on", "Updated"),
    "resolved_at": ("resolved_at", "Resolved"),
    "closed_at": ("closed_at", "Closed"),
    "priority": ("priority", "Priority"),
    "severity": ("severity", "Severity"),
    "impact": ("impact", "Impact"),
    "urgency": ("urgency", "Urgency"),
    "channel": ("contact_type", "Contact type", "Channel"),
    "requester": ("caller_id", "Caller"),
    "company": ("company", "Company"),
    "opened_by": ("opened_by", "Opened by"),
    "subject": ("short_description", "Short description"),
    "update_number": ("sys_mod_count", "Updates"),
    "reopen_count": ("reopen_count", "Reopen count"),
    "made_sla": ("made_sla", "Made SLA"),
    "close_code": ("close_code", "Close code", "Resolution code"),
    # By this alone the journal and the field history name an incident.
    "sys_id": ("sys_id", "Sys ID"),
}
_REQUIRED = ("ticket_id", "state", "opened_at", "updated_at")
_REQUIRED_VALUES = ("ticket_id", "opened_at", "updated_at")
_WALL_TIMES = ("opened_at", "created_at", "updated_at", "resolved_at", "closed_at")
_KINDS = {"ticket_id": "identifier", "update_number": "integer", "reopen_count": "integer"} | dict.fromkeys(
    _WALL_TIMES, "wall_time"
)
# The table's own field names; a log of updates calls the instant of its row sys_updated_at.
_REST_NAMES = ("sys_updated_on", "Updated")
_KNOWN_WALL_TIMES = 500_000
# What sla.yml may name as customer or level, and what no rule reads yet.
_FIELDS = ("priority", "severity", "impact", "urgency", "company", "requester", "reopen_count", "made_sla")
# A row of a log shows statuses and levels; a row of the table of incidents its dates.
_EVIDENCE = {"update": "statuses resolution", None: "resolution"}
_VERSIONS = f"""
select line_number, ticket_id, sys_id as record_id, state as status, requester, opened_by as opener, channel, subject,
    json_object({", ".join(f"{quote(name)}, {name}" for name in _FIELDS)}) as fields, version_kind, evidence,
    update_number, opened_at as submitted_at, opened_at_latest as latest_submitted_at, updated_at,
    updated_at_latest as latest_updated_at
from judged where problem is null
"""
_DATES = "\nunion all\n".join(
    f"""
select line_number, ticket_id || ':' || coalesce(update_number::varchar, '') || ':status_changed:{status}' as change_id,
    ticket_id, 'date' as change_kind, 'status' as field_name, '{status}' as "value",
    case when {column}_latest is not null then {column} end as earliest_at,
    coalesce({column}_latest, {column}) as changed_at, {place} as place
from judged where problem is null and version_kind is null and {column} is not null
"""
    for place, (column, status) in enumerate((("resolved_at", "solved"), ("closed_at", "closed")))
)
# An event that sla.yml declares by what a field holds. A merge closes the ticket, and has the date of that; else it is known
# from the record on that shows it. A row of a log has the instant of its update.
_MARKS = """
select line_number, ticket_id || ':' || $event_type as change_id, ticket_id,
    case when has_date then 'date' else 'mark' end as change_kind, $event_type as field_name,
    case
        when has_date and closed_at_latest is not null then closed_at
        when not has_date and updated_at_latest is not null then updated_at
    end as earliest_at,
    case
        when has_date then coalesce(closed_at_latest, closed_at) else coalesce(updated_at_latest, updated_at)
    end as changed_at,
    updated_at as version_at
from (select *, $event_type = 'merged' and version_kind is null and closed_at is not null as has_date from judged)
where problem is null and (list_contains($states, state) or list_contains($close_codes, close_code))
order by line_number
"""


def land_servicenow(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a CSV, or records as JSON; the number of rows read, and a warning that counts the columns not used.

    Raises InputRejected.
    """
    time_zone, date_formats = source.time_zone, source.date_formats
    if time_zone is None or not date_formats:
        raise ConfigurationError(
            f"sla.yml: the source {export.source} needs time_zone and date_format: ServiceNow writes "
            f"neither into its exports."
        )
    if find_kind(start) in ("json", "xml"):
        return land_records(export, source, writer)
    options = TableOptions(date_formats=date_formats, keeps_repeated_names=True)
    names = read_header(export, options)
    if is_record_table(names):
        return land_record_table(export, names, source, writer)
    read_as = {
        column: next((name for name in written if name in names), None) for column, written in _NAMES.items()
    }
    if any(read_as[column] is None for column in _REQUIRED):
        required = [read_as[column] or _NAMES[column][0] for column in _REQUIRED]
        check_names(
            export, names, [name for written in _NAMES.values() for name in written], required, "incidents"
        )
    refuse_doubled(export, names, [name for name in read_as.values() if name])
    unused = [name for name in dict.fromkeys(names) if name not in read_as.values()]
    warnings = []
    if unused:
        shown = ", ".join(unused[:12]) + (", …" if len(unused) > 12 else "")
        warnings.append(Problem(export.name, 1, None, f"{len(unused)} columns are not used: {shown}.", None))

    version_kind = None if read_as["updated_at"] in _REST_NAMES else "update"
    contract = Contract(
        tuple(
            Field(column, _KINDS.get(column, "text"), None, name or column, column in _REQUIRED_VALUES)
            for column, name in read_as.items()
        )
        + tuple(Field(f"{column}_latest", "as_is") for column in _WALL_TIMES)
        + (
            Field("version_kind", "as_is", "null::varchar" if version_kind is None else quote(version_kind)),
            Field("evidence", "as_is", quote(_EVIDENCE[version_kind])),
        ),
        has_null_markers=True,
    )
    parameters = {"null_markers": ["", *source.null_markers], "date_format": " or ".join(date_formats)}
    convert = _wall_time_converter(time_zone, date_formats)
    rows_read = 0
    for records in read_records(export, names, options):
        warnings += records.notes
        writer.refuse(records.refused)
        rows_read += len(records.rows) + len(records.refused)
        if not records.rows:
            continue
        values = dict(zip(names, zip(*records.rows, strict=True), strict=True))
        columns: dict[str, pa.Array] = {"line_number": pa.array(records.line_numbers, pa.int64())}
        for column, name in read_as.items():
            columns[column] = (
                pa.array(values[name], pa.string()) if name else pa.nulls(len(records.rows), pa.string())
            )
            if _KINDS.get(column) == "wall_time":
                columns[f"{column}_utc"], columns[f"{column}_latest"] = convert(columns[column])
        connection.register("records", pa.table(columns))
        judge(connection, contract, "select *, 0 as place from records", parameters)
        refused, versions = read_judged(connection, "ticket_versions", _VERSIONS)
        writer.refuse(refused)
        writer.add("ticket_versions", versions)
        writer.add("ticket_changes", connection.sql(f"{_DATES} order by line_number, place").to_arrow_table())
        for event_type in dict.fromkeys(sign.event_type for sign in source.events):
            bound = {"event_type": event_type} | {
                name: [
                    one.field_value
                    for one in source.events
                    if (one.event_type, one.field_name) == (event_type, field)
                ]
                for name, field in (("states", "state"), ("close_codes", "close_code"))
            }
            writer.add("ticket_changes", connection.execute(_MARKS, bound).to_arrow_table())
        connection.unregister("records")
    return rows_read, warnings


def _wall_time_converter(
    time_zone: str, date_formats: Sequence[str]
) -> Callable[[pa.Array], tuple[pa.Array, pa.Array]]:
    """Texts to UTC and to the last second of the window that each is, null where it is exact; both null where one follows
    no format. Every distinct text is converted once.
    """
    known: dict[str, Window | None] = {}

    def convert_one(written: str) -> Window | None:
        if written not in known:
            known[written] = find_window(written, time_zone, date_formats)
        return known[written]

    def convert(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        if len(known) > _KNOWN_WALL_TIMES:
            known.clear()
        encoded = texts.dictionary_encode()
        windows = [convert_one(text) for text in encoded.dictionary.to_pylist()]
        kind = pa.timestamp("us")
        firsts = pa.array([None if one is None else one.first for one in windows], kind)
        latest = pa.array([None if one is None else one.latest for one in windows], kind)
        return firsts.take(encoded.indices), latest.take(encoded.indices)

    return convert
