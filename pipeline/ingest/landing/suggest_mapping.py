"""A mapping to review, made of what a file looks like: `sla ingest --suggest`.

What only a person can know (zone, level, side, an order of day and month that the data leave open) is written as REVIEW,
which no mapping is read with: a suggestion cannot be used unread.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.ingest.files.exports import Export, printable
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.rules.mapping import ISO

# Our column -> what exports call it, most telling first; all compared in lower case without blanks and signs.
_NAMES: dict[str, tuple[str, ...]] = {
    "ticket_id": (
        "ticketid",
        "issuekey",
        "key",
        "ticketnumber",
        "number",
        "issueid",
        "caseid",
        "ticket",
        "id",
    ),
    "submitted_at": (
        "createdat",
        "createdtime",
        "created",
        "openedat",
        "syscreatedon",
        "submittedat",
        "opened",
    ),
    "updated_at": ("updatedat", "lastupdatetime", "updated", "sysupdatedon", "lastupdated"),
    "severity": ("severity", "priority", "urgency"),
    "ticket_status": ("status", "state", "incidentstate"),
    "channel": ("channel", "viachannel", "via", "source", "contacttype"),
    "customer_id": (
        "organizationid",
        "organization",
        "companyname",
        "company",
        "customerid",
        "customer",
        "accountid",
    ),
    "requester": ("requesteremail", "requester", "requesterid", "reporter", "callerid", "email", "contactid"),
    "subject": ("subject", "summary", "shortdescription", "title"),
    "ticket_type": ("tickettype", "issuetype", "type"),
}
_REPLY_NAMES = ("ispublic", "public", "authorid", "userid", "body", "commentid")
_SOLVED_NAMES = ("solvedat", "resolvedat", "resolvedtime", "resolved", "resolutiondate")
_STATUS_WORDS = {
    "new": "new",
    "open": "open",
    "inprogress": "open",
    "pending": "pending",
    "waitingforcustomer": "pending",
    "hold": "on_hold",
    "onhold": "on_hold",
    "solved": "solved",
    "resolved": "solved",
    "done": "solved",
    "closed": "closed",
}
_TICKET_LINES = (
    "ticket_id",
    "customer_id",
    "requester",
    "channel",
    "severity",
    "submitted_at",
    "subject",
    "ticket_type",
    "ticket_status",
    "updated_at",
)
_REVIEW = "REVIEW"


def suggest_mapping(path: Path, *, child: LandingChild | None = None) -> str:
    """The text of a mapping for one file, to be reviewed. Raises ConfigurationError and InputRejected."""
    if not path.is_file():
        raise ConfigurationError(f"{printable(path)} is no file. Name one export to suggest a mapping for.")
    export = Export(path, "suggestion", printable(path.name), printable(path))
    with ExitStack() as stack:
        reader = child or stack.enter_context(LandingChild())
        return _write(path.name, reader.describe_columns(export))


def _write(file: str, found: dict[str, Any]) -> str:
    columns: list[dict[str, Any]] = found["columns"]
    chosen = _choose(columns)
    used = ("submitted_at", "updated_at", "solved")
    dated = [column for ours, column in chosen.items() if ours in used and column["kind"] == "instant"]
    lines = [
        f"# A suggestion for {_shown(printable(file))}, made of {found['rows']} rows. Review every line, then try it:",
        "#   sla ingest FILE --source NAME --mapping THIS --dry-run",
        f"# {_REVIEW} stands where the data prove nothing; a mapping that still holds it is refused.",
    ]
    if found["refused"]:
        lines.append(f"# {found['refused']} rows could not be read at all and are not looked at here.")
    if found["encoding"] != "utf-8":
        lines += [
            "# The file is not UTF-8. Which of the one-byte encodings it is, no file can prove.",
            f"encoding: {found['encoding']}",
        ]
    lines += ["", *_dates(dated), *_zone(dated), 'null_markers: [""]', ""]
    lines += [
        "# What these exports show of a ticket: messages, statuses, resolution, debug, bugs. What is not listed here is",
        "# not measurable; a thing that is listed and did not happen counts as not done.",
        f"evidence: [{'resolution' if 'solved' in chosen and not _is_replies(columns) else ''}]",
        "",
        "files:",
        f"  {_name(file)}:",
        f"    format: {found['format']}",
    ]
    if found["repeated"]:
        names = ", ".join(map(_shown, found["repeated"]))
        lines.append(f"    # Named more than once, to be used one cell at a time with each: {names}")
    lines += _replies(columns, chosen) if _is_replies(columns) else _tickets(columns, chosen)
    lines += ["", "# The columns:"]
    for column in columns:
        sample = "" if column["sample"] is None else f", such as {_shown(column['sample'][:60])}"
        lines.append(
            f"#   {_shown(column['name'])}: {column['kind']}, {column['filled']} of {found['rows']} filled{sample}"
        )
    return "\n".join(lines) + "\n"


def _choose(columns: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    by_name = {_plain(column["name"]): column for column in reversed(columns)}
    chosen = {}
    for ours, names in (*_NAMES.items(), ("solved", _SOLVED_NAMES)):
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is not None and (ours not in ("submitted_at", "updated_at", "solved") or found["dates"]):
            chosen[ours] = found
    return chosen


def _is_replies(columns: list[dict[str, Any]]) -> bool:
    names = {_plain(column["name"]) for column in columns}
    return len(names & set(_REPLY_NAMES)) >= 2 and not names & {"subject", "summary", "shortdescription"}


def _dates(dated: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    patterns: list[str] = []
    for column in dated:
        fitting = column["dates"]
        orders = {_order(pattern) for pattern in fitting}
        if len(orders) > 1:
            listed = " or ".join(_shown(pattern) for pattern in fitting)
            lines.append(
                f"# NOT PROVED in {_shown(column['name'])}: no day is above 12, so it reads as {listed}."
            )
        else:
            patterns += [pattern for pattern in fitting[:1] if pattern not in patterns]
    if lines:
        # A column with a day above 12 says how this exporter writes; it does not prove it of another column.
        lines.append(
            "# Ask the user who exported it which comes first, day or month, and write only that format."
        )
        patterns = [_REVIEW, *patterns]
    if any("%y" in pattern for pattern in patterns):
        lines += ["# A year of two digits.", "century: 2000"]
    if not patterns:
        lines.append("# No column of instants was recognised.")
        patterns = [_REVIEW]
    return [*lines, f"dates: [{', '.join(_shown(pattern) for pattern in patterns)}]"]


def _order(pattern: str) -> str:
    return "".join(re.findall("%([YymdbB])", pattern)).replace("y", "Y").replace("b", "m").replace("B", "m")


def _zone(dated: list[dict[str, Any]]) -> list[str]:
    if dated and all(column["dates"] == [ISO] for column in dated):
        return []
    return [
        "# The zone of the user who exported it, such as Europe/Berlin or UTC; the file does not say.",
        f"time_zone: {_REVIEW}",
    ]


def _tickets(columns: list[dict[str, Any]], chosen: dict[str, dict[str, Any]]) -> list[str]:
    lines = ["    tickets:"]
    for ours in _TICKET_LINES:
        column = chosen.get(ours)
        if column is None:
            if ours in ("ticket_id", "submitted_at"):
                lines.append(
                    f"      {ours}: {{column: {_REVIEW}, values: {_REVIEW}}}   # no column looks like it"
                )
            elif ours == "customer_id":
                lines.append(f"      # customer_id: {{constant: {_REVIEW}}}")
            continue
        name = _shown(column["name"])
        if ours in ("severity", "ticket_status") and column["words"]:
            known = _STATUS_WORDS if ours == "ticket_status" else {}
            words = ", ".join(
                f"{_shown(word)}: {known.get(_plain(word), _REVIEW)}" for word in column["words"]
            )
            lines.append(f"      {ours}: {{column: {name}, values: {{{words}}}}}")
        else:
            lines.append(f"      {ours}: {name}")
    solved = chosen.get("solved")
    if solved is not None:
        lines += [
            "    events:",
            "      - event_type: {constant: status_changed}",
            f"        event_at: {_shown(solved['name'])}",
            "        value: {constant: solved}",
            f"        when: {{column: {_shown(solved['name'])}, filled: true}}",
        ]
    return lines


def _replies(columns: list[dict[str, Any]], chosen: dict[str, dict[str, Any]]) -> list[str]:
    by_name = {_plain(column["name"]): _shown(column["name"]) for column in columns}
    ticket = next(
        (by_name[name] for name in ("ticketid", "issueid", "issuekey", "ticket") if name in by_name), _REVIEW
    )
    actor = next((by_name[name] for name in ("authorid", "userid", "author") if name in by_name), _REVIEW)
    public = next((by_name[name] for name in ("ispublic", "public") if name in by_name), None)
    created = chosen.get("submitted_at") or next((column for column in columns if column["dates"]), None)
    return [
        "    events:",
        "      - event_type: {constant: message}",
        f"        event_id: {by_name.get('id', by_name.get('commentid', _REVIEW))}",
        f"        ticket_id: {ticket}",
        f"        event_at: {_shown(created['name']) if created else _REVIEW}",
        f"        actor: {actor}",
        "        # Whose side the author is on: here, or from a table of people (see MAPPINGS.md).",
        f"        actor_kind: {{column: {actor}, values: {{{_REVIEW}: {_REVIEW}}}}}",
        f"        is_public: {public or f'{{constant: {_REVIEW}}}'}",
    ]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _name(file: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", Path(file).stem.lower()).strip("_")
    return name if re.match("[a-z]", name) else "export"


def _shown(text: str) -> str:
    """Any text as one quoted YAML value on one line."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
