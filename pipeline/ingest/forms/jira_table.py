"""Jira's tables of issues: the export of all fields, and the issues of Data Center's data pipeline.

The export of all fields is in the language and the zone of whoever exported it, with one column per comment. A comment cell is
`date;accountId;body`. Whether the customer could see it is not in the file, and neither is the history of statuses. SLA cells
are the time that was left, signed.

The pipeline's issues_job*.csv has ISO instants in UTC and no comments; its columns are those of the vendor's documentation (the
names of people in the first schema only). Its history names issues by their id, which canonical rows do not have: a mapping
reads both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.read_table import TableOptions, read_header
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import Adapted, CanonicalRows, Unusable
from pipeline.ingest.forms.read_rows import Layout, Row, read_rows, read_written_instant
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_DATE_FORMAT = "%d/%b/%y %I:%M %p"
_COLUMNS = {
    "ticket_id": ("Issue key",),
    "subject": ("Summary",),
    "ticket_type": ("Issue Type",),
    "status": ("Status",),
    "priority": ("Priority",),
    "created_at": ("Created",),
    "updated_at": ("Updated",),
    "resolved_at": ("Resolved",),
    "reporter": ("Reporter",),
    "reporter_id": ("Reporter Id",),
    "creator_id": ("Creator Id",),
    "labels": ("Labels",),
    "project": ("Project key",),
    "comment": ("Comment",),
    "first_comment_at": ("Custom field ([CHART] Date of First Response)",),
}
_PIPELINE_COLUMNS = {
    "ticket_id": ("key",),
    "subject": ("summary",),
    "ticket_type": ("issue_type",),
    "status": ("status",),
    "priority": ("priority_name",),
    "created_at": ("created_date",),
    "updated_at": ("updated_date",),
    "resolved_at": ("resolution_date",),
    "reporter": ("reporter_name",),
    "reporter_id": ("reporter_id",),
    "creator_id": ("creator_id",),
    "project": ("project_key",),
}
# What tells the pipeline's files, by columns that all their versions have.
_PIPELINE_ISSUES = frozenset({"instance_url", "project_key", "created_date"})
_PIPELINE_HISTORY = frozenset({"issue_id", "changelog_id", "to_string"})
_SLA_HEADER = re.compile(r"Custom field \((Time to .+)\)", re.IGNORECASE)
# Exports are usually cut off at so many rows, without a word.
_USUAL_CAP = 1_000


# The accounts of a portal's customers are named by themselves.
_PORTAL_ACCOUNT = "qm:"


def portal_role(account: str | None) -> str | None:
    """The role that the id of an account shows; None for all but customers of a portal."""
    return "customer" if account is not None and account.startswith(_PORTAL_ACCOUNT) else None


def land_jira_table(export: Export, source: Source, writer: RowWriter) -> tuple[int, list[Problem]]:
    """Land a table of issues; the number of rows read, and warnings. Raises InputRejected."""
    names = read_header(export, TableOptions(keeps_repeated_names=True))
    if _PIPELINE_HISTORY.issubset(names):
        raise reject(
            export,
            "it is the history of Jira's data pipeline, which names issues by an id that this source's tickets do not have.",
            "Read both files of the pipeline by a mapping: data/reference/mappings/examples/jira_data_pipeline.yml.",
            1,
        )
    is_pipeline = _PIPELINE_ISSUES.issubset(names)
    columns, date_format = (_PIPELINE_COLUMNS, None) if is_pipeline else (_COLUMNS, _DATE_FORMAT)
    layout, found_rows, notes = read_rows(
        export, source, columns, ("ticket_id", "created_at"), date_format, names
    )
    rows = CanonicalRows(writer)
    comments = 0
    for line_number, row in found_rows:
        if isinstance(row, Refused):
            rows.refuse(row)
            continue
        with rows.record(line_number) as adapted:
            _add_issue(adapted, row, layout, source)
            # Customers can see their own.
            reporter_id = row.text("reporter_id") or row.text("reporter")
            comments += sum(
                table == "ticket_messages"
                and written["author_role"] is None
                and written["author_id"] != reporter_id
                for table, written in adapted.rows
            )
    warnings = list(notes)
    if not (source.unmarked_comments and "comment" in layout):
        warnings.append(
            Problem(
                export.name,
                1,
                None,
                "the first response is not measurable: a table does not say which of its "
                f"{comments} comments the customer could see."
                if "comment" in layout
                else "the first response is not measurable: the file has no column of comments.",
                "Declare `comments: public` (or internal) for this source in sla.yml, or export through the REST API.",
            )
        )
    if rows.rows_read == _USUAL_CAP and not is_pipeline:
        warnings.append(
            Problem(export.name, None, None, "it has exactly 1,000 rows, at which Jira usually cuts an export off.",
                    "Export smaller ranges of dates.")
        )  # fmt: skip
    return rows.finish(), warnings


def _add_issue(adapted: Adapted, row: Row, layout: Layout, source: Source) -> None:
    key, created_at = row.identifier("ticket_id"), row.required_instant("created_at")
    updated_at = row.instant("updated_at") or created_at
    reporter_id = row.text("reporter_id") or row.text("reporter")
    for number, cell in enumerate(row.texts("comment"), 1):
        written_at, _, rest = cell.partition(";")
        account, _, _ = rest.partition(";")
        if not account:
            raise Unusable(
                "Comment", cell, "is not a comment", "A comment is exported as date;accountId;body."
            )
        adapted.add(
            "ticket_messages",
            message_id=f"{key}:comment:{number}",
            ticket_id=key,
            message_kind="comment",
            author_id=account,
            author_role=portal_role(account),
            version_at=updated_at,
            **row.window("said_at", read_written_instant("Comment", written_at, row)),
        )
    resolved_at = row.instant("resolved_at")
    if resolved_at:
        adapted.add(
            "ticket_changes",
            change_id=f"{key}:resolved",
            ticket_id=key,
            change_kind="date",
            field_name="status",
            value="solved",
            version_at=updated_at,
            **row.window("changed_at", resolved_at),
        )
    evidence = (["unmarked_messages"] if "comment" in layout else []) + (
        ["resolution"] if "resolved_at" in layout else []
    )
    adapted.add(
        "ticket_versions",
        ticket_id=key,
        customer_id=_find(row, layout, source.customer_field),
        requester=row.text("reporter"),
        requester_id=reporter_id,
        opener=row.text("creator_id") or reporter_id,
        channel=_find(row, layout, source.channel_field),
        severity=_find(row, layout, source.severity_field),
        submitted_at=created_at,
        subject=row.text("subject"),
        ticket_type=row.text("ticket_type"),
        tags=" ".join(row.texts("labels")) or None,
        updated_at=updated_at,
        status=row.text("status"),
        evidence=" ".join(evidence),
        width_seconds=None if layout.has_seconds else 60,
    )
    _add_figures(adapted, row, layout, key)


def _add_figures(adapted: Adapted, row: Row, layout: Layout, key: str) -> None:
    created_at, updated_at = row.instant("created_at"), row.instant("updated_at")
    for column in layout.places:
        found = _SLA_HEADER.fullmatch(layout.shown(column))
        left = row.clock_seconds(column) if found else None
        if found and left is not None:
            words = found.group(1).lower()
            adapted.add(
                "vendor_sla_figures",
                ticket_id=key,
                figure=found.group(1),
                obligation="first_response"
                if "first response" in words
                else "resolution"
                if "resolution" in words
                else None,
                cycle_number=1,
                figure_kind="remaining",
                clock_kind="business",
                they_seconds=left,
                unit_seconds=60,
                they_breached=left < 0 or (row.text(column) or "").startswith("-"),
                they_started_at=created_at,
                read_at=updated_at,
            )
    first_comment_at = row.instant("first_comment_at")
    if first_comment_at and created_at:
        adapted.add(
            "vendor_sla_figures",
            ticket_id=key,
            figure="[CHART] Date of First Response",
            obligation="first_response",
            cycle_number=1,
            figure_kind="elapsed",
            clock_kind="calendar",
            they_seconds=int((first_comment_at - created_at).total_seconds()),
            unit_seconds=60,
            they_started_at=created_at,
            they_stopped_at=first_comment_at,
            read_at=updated_at,
        )


def _find(row: Row, layout: Layout, name: str | None) -> str | None:
    """What sla.yml names: our own word for a column (priority, reporter, project), or the header's."""
    return row.text(name) if name in _COLUMNS else row.text(layout.find(name))
