"""A mapping to review, made of what a file looks like: `sla ingest --suggest`.

What only a person can know (zone, level, side, an order of day and month that the data leave open) is written as REVIEW,
which no mapping is read with: a suggestion cannot be used unread.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.declarations.read_yaml import read_yaml
from pipeline.errors import ConfigurationError
from pipeline.ingest.files.exports import Export, printable
from pipeline.ingest.forms.read_mapped import find_places
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.rules.mapping import DELIMITERS, ISO

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
# Our columns that hold instants.
_DATES = ("submitted_at", "updated_at", "solved_at", "responded_at")
# What of a ticket a log may have beside its events.
_ATTRIBUTES = ("customer_id", "requester", "channel", "severity", "subject", "ticket_type", "ticket_status")
# From so many rows a ticket on, rows are events: a table of tickets repeats few of them.
_ROWS_OF_A_LOG = 1.2


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
    instants = [column for column in columns if column["dates"]]
    named = [column for ours, column in chosen.items() if ours in _DATES]
    # Where no name says anything, the format is that of all of them.
    dated = [column for column in named or instants if column["kind"] == "instant"]
    helpdesk = _recognise(found)
    is_replies = _is_replies(columns)
    log = None if is_replies else _find_log(columns, chosen)
    if log is not None:
        named = [log.event_at, *([log.submitted_at] if log.submitted_at else [])]
        dated = [column for column in named if column["kind"] == "instant"]
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
    if helpdesk is not None:
        article = "an" if helpdesk["name"][0] in "AEIO" else "a"
        lines += ["#", f"# This looks like {article} {helpdesk['name']} export: {helpdesk['read_by']}."]
        if "mapped" not in helpdesk["read_by"]:
            lines.append(
                "# Declare it so in sla.yml; a mapping is needed only for what that type does not read."
            )
    if "submitted_at" not in chosen and not is_replies and log is None and instants:
        listed = ", ".join(_shown(column["name"]) for column in instants)
        lines += [
            "#",
            f"# These columns hold instants, and no name says which one is the submission: {listed}",
        ]
    lines += ["", *_dates(named, instants, dated), *_zone(named or instants), 'null_markers: [""]', ""]
    lines += [
        "# What these exports show of a ticket: messages, statuses, resolution, debug, bugs. What is not listed here is",
        "# not measurable; a thing that is listed and did not happen counts as not done.",
        *([] if is_replies or log else _evidence_notes(chosen)),
        f"evidence: [{', '.join(_evidence_of_log(chosen) if log else [] if is_replies else _evidence(chosen))}]",
        "",
        "files:",
        f"  {_name(file)}:",
        f"    format: {found['format']}",
    ]
    if found["records_at"]:
        lines.append(f"    records_at: {_shown(found['records_at'])}")
    if found["repeated"]:
        names = ", ".join(map(_shown, found["repeated"]))
        lines.append(f"    # Named more than once, to be used one cell at a time with each: {names}")
    if log is not None:
        lines += _log(log, chosen)
    else:
        lines += _replies(columns, chosen) if is_replies else _tickets(chosen)
    lines += ["", "# The columns:"]
    for column in columns:
        sample = "" if column["sample"] is None else f", such as {_shown(column['sample'][:60])}"
        lines.append(
            f"#   {_shown(column['name'])}: {column['kind']}, {column['filled']} of {found['rows']} filled{sample}"
        )
    return "\n".join(lines) + "\n"


@cache
def _words() -> dict[str, Any]:
    """The words of headers: `columns`, `pieces`, `messages`, `statuses`, `helpdesks`."""
    file = files("pipeline.ingest.landing") / "header_words.yml"
    words: dict[str, Any] = read_yaml(Path(str(file))).data
    return words


@cache
def _status_words() -> dict[str, str]:
    return {_plain(word): status for status, words in _words()["statuses"].items() for word in words}


def _choose(columns: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Our column -> the column of the file whose name says so; what holds instants must look like it."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for column in columns:
        by_name.setdefault(_plain(column["name"]), []).append(column)
    for column in columns:
        # Of a nested key, also what stands behind the first dot.
        _, dot, rest = column["name"].partition(".")
        if dot:
            by_name.setdefault(_plain(rest), []).append(column)
    chosen = {}
    for ours, names in _words()["columns"].items():
        fitting = (one for name in names for one in by_name.get(_plain(name), ()))
        found = next((one for one in fitting if ours not in _DATES or one["dates"]), None)
        if found is None:
            pieces = _words()["pieces"].get(ours, ())
            dated = (one for one in columns if one["dates"])
            found = next(
                (one for one in dated if any(piece in _plain(one["name"]) for piece in pieces)), None
            )
        if found is not None:
            chosen[ours] = found
    return chosen


def _recognise(found: dict[str, Any]) -> dict[str, Any] | None:
    """The helpdesk whose export has this header: its name, and what reads it."""
    names = [column["name"] for column in found["columns"]]
    folded = {name.casefold() for name in names}
    kind = "csv" if found["format"] in DELIMITERS else found["format"]
    for one in _words()["helpdesks"]:
        if kind not in one["kinds"]:
            continue
        if not all(any(name.casefold() in folded for name in group) for group in one["groups"]):
            continue
        if "form" in one and not _fits_form(one["form"], names):
            continue
        helpdesk: dict[str, Any] = one
        return helpdesk
    return None


def _fits_form(form: str, names: list[str]) -> bool:
    """Whether a header has what a shipped form needs of every row of tickets."""
    from pipeline.ingest.forms.mapped import load_form

    return any(
        all(find_places(column, names) for column in file.columns if column.name in file.required)
        for file in load_form(form).files
        if file.tickets is not None
    )


def _is_replies(columns: list[dict[str, Any]]) -> bool:
    names = {_plain(column["name"]) for column in columns}
    of_messages = {_plain(name) for name in _words()["messages"]}
    subjects = {_plain(name) for name in _words()["columns"]["subject"]}
    return len(names & of_messages) >= 2 and not names & subjects


class _Log(NamedTuple):
    """The columns of a log of events; `rows_per_ticket`: how often it names a ticket, on average."""

    event_at: dict[str, Any]
    submitted_at: dict[str, Any] | None
    activity: dict[str, Any] | None
    rows_per_ticket: float


def _find_log(columns: list[dict[str, Any]], chosen: dict[str, dict[str, Any]]) -> _Log | None:
    """What a table with one row per event has: its tickets come several times, with an instant and attributes in each row."""
    ticket = chosen.get("ticket_id")
    by_name = {_plain(column["name"]): column for column in reversed(columns)}

    def find(words: str) -> Iterator[dict[str, Any]]:
        return (by_name[_plain(name)] for name in _words()[words] if _plain(name) in by_name)

    activity = next(find("activity"), None)
    if ticket is None or ticket["rows_per_value"] < _ROWS_OF_A_LOG or any(find("fields")):
        return None
    if activity is None and not any(ours in chosen for ours in _ATTRIBUTES):
        return None
    submitted_at = chosen.get("submitted_at")
    told = next((column for column in find("event_at") if column["dates"]), None)
    event_at = told or chosen.get("updated_at") or submitted_at
    if event_at is None:
        return None
    return _Log(
        event_at, None if submitted_at is event_at else submitted_at, activity, ticket["rows_per_value"]
    )


def _evidence_of_log(chosen: dict[str, dict[str, Any]]) -> list[str]:
    return ["statuses"] if "ticket_status" in chosen else []


def _log(log: _Log, chosen: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        f"    # One row per event: a ticket comes {log.rows_per_ticket:.1f} times. Its first row is its submission, unless",
        "    # submitted_at names a column; what stands beside an event counts from its instant on.",
        "    log:",
        f"      event_at: {_shown(log.event_at['name'])}",
    ]
    taken = {"updated_at"} | (set() if log.submitted_at else {"submitted_at"})
    lines += _columns(chosen, [ours for ours in _TICKET_LINES if ours not in taken])
    if log.activity is not None:
        name, words = _shown(log.activity["name"]), list(log.activity["words"])
        listed = ", ".join(_shown(word) for word in words) if words else "more than 40 words"
        lines += [
            f"    # What each row is, by {name}: {listed}.",
            "    events:",
            "      - event_type: {constant: message}",
            f"        actor_kind: {{constant: {_REVIEW}}}",
            f"        is_public: {{constant: {_REVIEW}}}",
            f"        when: {{column: {name}, is: [{_REVIEW}]}}",
        ]
    return lines


def _evidence(chosen: dict[str, dict[str, Any]]) -> list[str]:
    shown = ["resolution"] if "solved_at" in chosen else []
    return [*shown, "first_response_if_any"] if "responded_at" in chosen else shown


def _evidence_notes(chosen: dict[str, dict[str, Any]]) -> list[str]:
    if "responded_at" not in chosen:
        return []
    return [
        "# first_response_if_any: a ticket without a first response is not judged. Where an empty cell means that",
        "# no agent has answered, write response_date.",
    ]


def _dates(
    named: list[dict[str, Any]], instants: list[dict[str, Any]], dated: list[dict[str, Any]]
) -> list[str]:
    """The formats of the columns that are used, or of all that hold instants where no name says which to use."""
    lines: list[str] = []
    epochs = [column["dates"][0] for column in named or instants if column["kind"] == "whole numbers"]
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
    patterns += [epoch for epoch in dict.fromkeys(epochs) if epoch not in patterns]
    months = {name: number for column in dated for name, number in column["months"].items()}
    if months:
        lines.append(
            f"months: {{{', '.join(f'{_shown(name)}: {number}' for name, number in months.items())}}}"
        )
    if not patterns:
        lines.append("# No column of instants was recognised.")
        patterns = [_REVIEW]
    return [*lines, f"dates: [{', '.join(_shown(pattern) for pattern in patterns)}]"]


def _order(pattern: str) -> str:
    return "".join(re.findall("%([YymdbB])", pattern)).replace("y", "Y").replace("b", "m").replace("B", "m")


def _zone(dated: list[dict[str, Any]]) -> list[str]:
    # Epochs and instants with their zone need none.
    if dated and all(column["kind"] != "instant" or column["dates"] == [ISO] for column in dated):
        return []
    return [
        "# The zone of the user who exported it, such as Europe/Berlin or UTC; the file does not say.",
        f"time_zone: {_REVIEW}",
    ]


def _tickets(chosen: dict[str, dict[str, Any]]) -> list[str]:
    lines = ["    tickets:", *_columns(chosen, _TICKET_LINES)]
    solved, responded = chosen.get("solved_at"), chosen.get("responded_at")
    if solved is not None or responded is not None:
        lines.append("    events:")
    if responded is not None:
        lines += [
            "      - event_type: {constant: message}",
            f"        event_at: {_shown(responded['name'])}",
            "        actor_kind: {constant: agent}",
            "        is_public: {constant: true}",
            f"        when: {{column: {_shown(responded['name'])}, filled: true}}",
        ]
    if solved is not None:
        lines += [
            "      - event_type: {constant: status_changed}",
            f"        event_at: {_shown(solved['name'])}",
            "        value: {constant: solved}",
            f"        when: {{column: {_shown(solved['name'])}, filled: true}}",
        ]
    return lines


def _columns(chosen: dict[str, dict[str, Any]], wanted: Sequence[str]) -> list[str]:
    """One line per column of ours that the file has, and for those that a ticket needs."""
    lines = []
    for ours in wanted:
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
            known = _status_words() if ours == "ticket_status" else {}
            words = ", ".join(
                f"{_shown(word)}: {known.get(_plain(word), _REVIEW)}" for word in column["words"]
            )
            lines.append(f"      {ours}: {{column: {name}, values: {{{words}}}}}")
        else:
            lines.append(f"      {ours}: {name}")
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
    """A name without case, accents, blanks and signs; one of signs alone as it is."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in bare if one.isalnum()) or name.strip()


def _name(file: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", Path(file).stem.lower()).strip("_")
    return name if re.match("[a-z]", name) else "export"


def _shown(text: str) -> str:
    """Any text as one quoted YAML value on one line."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
