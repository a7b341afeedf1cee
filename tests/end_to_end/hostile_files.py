"""Files that are wrong on purpose, each with what must become of it: made by code, so that every byte can be read here.

A case is a file of one source: `desk` (canonical), `zen` (Zendesk JSON), `snow` (ServiceNow tables in Berlin time).
`good` rows stand beside the bad one wherever a file may be taken in part, so that a good row lost is seen.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

Outcome = Literal["rejected", "quarantined", "warned", "landed", "left"]

NAMES = (
    "ticket_id", "customer_id", "requester", "channel", "severity",
    "submitted_at", "subject", "ticket_type", "tags", "updated_at",
)  # fmt: skip
HEADER = ",".join(NAMES) + "\n"
EVENTS_HEADER = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value\n"
AT = "2026-07-01T09:00:00Z"


@dataclass(frozen=True)
class Hostile:
    """One file. `rows`: (read, landed) where they are known; `line`, `column`, `words`: what the first message says."""

    name: str
    content: bytes | Callable[[Path], None]
    outcome: Outcome
    words: tuple[str, ...] = ()
    line: int | None = None
    column: str | None = None
    rows: tuple[int, int] | None = None
    source: str = "desk"


def ticket(
    ticket_id: str = "G1", submitted_at: str = AT, subject: str = "Sync stops", severity: str = "3"
) -> str:
    return f"{ticket_id},acme,ann@acme.test,console,{severity},{submitted_at},{subject},incident,,\n"


GOOD = ticket("G1")


def all_hostile_files() -> dict[str, list[Hostile]]:
    """Every case by group. File names are unique within a source."""
    return {
        "headers": list(headers()),
        "table rows": list(rows()),
        "values": list(values()),
        "events": list(events()),
        "json": list(json_lines()),
        "json lists": list(json_lists()),
        "zendesk": [*zendesk(), *zendesk_metric_events(), *zendesk_xml()],
        "servicenow": [*servicenow(), *servicenow_records()],
        "gzip and zip": list(archives()),
        "workbooks": list(workbooks()),
        "parquet": list(parquet()),
        "xml": list(xml()),
        "names and kinds": list(names_and_kinds()),
    }


def headers() -> Iterator[Hostile]:
    for name in NAMES:
        lacking = ",".join(one for one in NAMES if one != name)
        yield Hostile(f"lacks_{name}.csv", f"{lacking}\nx\n".encode(), "rejected", (f"lacks '{name}'",), 1)
    text: dict[str, tuple[str, str, int | None]] = {
        "doubled": (HEADER.replace("tags", "subject"), "'subject' more than once", 1),
        "localised": (HEADER.replace("ticket_id", "Clave de incidencia"), "lacks 'ticket_id'", 1),
        "upper_case": (HEADER.upper(), "is not that of a canonical export", 1),
        "one_more": (HEADER.replace("tags", "tags,note"), "unknown columns: 'note'", 1),
        "trailing_comma": (HEADER.replace("\n", ",\n"), "unknown columns: ''", 1),
        "semicolons": (HEADER.replace(",", ";"), "separated by semicolons", 1),
        "tabs": (HEADER.replace(",", "\t"), "separated by tabs", 1),
        "bars": (HEADER.replace(",", "|"), "separated by vertical bars", 1),
        "unclosed_quote": ('"' + HEADER, "unclosed quote", 1),
        "title_line": ("Tickets of June\n" + HEADER + GOOD, "is not that of a canonical export", 1),
        "comment_line": ("# made by hand\n" + HEADER + GOOD, "is not that of a canonical export", 1),
        "no_header": (GOOD, "'' more than once", 1),
        "cr_only": ((HEADER + GOOD).replace("\n", "\r"), "the lines end in CR alone", 1),
        "zero_width_name": (HEADER.replace("tags", "ta\u200bgs"), "lacks 'tags'", 1),
        "bidi_name": (HEADER.replace("tags", "\u202egat"), "lacks 'tags'", 1),
        "nul_name": (HEADER.replace("tags", "ta\0gs"), "lacks 'tags'", 1),
        "quote_in_name": (HEADER.replace("tags", '"ta""gs"'), "lacks 'tags'", 1),
        "sql_in_name": (HEADER.replace("tags", "tags\"; drop table x; --"), "lacks 'tags'", 1),
        "ten_thousand_columns": (",".join(f"c{n}" for n in range(10_000)) + "\n", "10,000 columns; the limit", 1),
        "header_of_3_mb": ("x" * (3 << 20) + "\n", "is longer than 1 MB", 1),
        "html": ("<html><body>Sign in</body></html>", "is an HTML page", None),
        "html_doctype": ("\n\n<!DOCTYPE html>\n<title>Login</title>", "is an HTML page", None),
        "html_after_bom": ("\ufeff <!doctype HTML><p>", "is an HTML page", None),
        "html_without_doctype": ("<head></head><HTML>", "is an HTML page", None),
        "json_instead": ('{"error": "unauthorised"}\n', "none of its 1 records can be used", None),
        "empty": ("", "the file is empty", None),
        "white_space": (" \n\t\r\n  \n", "holds only white space", None),
        "bom_only": ("\ufeff", "holds only white space", None),
        "nul_only": ("\0" * 1000, "is not that of a canonical export", 1),
        "pdf": ("%PDF-1.7\n%âãÏÓ", "is a document", None),
        "form_feed": ("\f\f\f\n", "holds only white space", None),
        "one_letter": ("x", "is not that of a canonical export", 1),
        "quotes_only": ('""""""\n', "is not that of a canonical export", 1),
        "commas_only": (",,,,,\n", "more than once", 1),
    }  # fmt: skip
    for name, (content, words, line) in text.items():
        yield Hostile(f"header_{name}.csv", content.encode(), "rejected", (words,), line)
    binary: dict[str, tuple[bytes, str, int | None]] = {
        "utf_16": ((HEADER + GOOD).encode("utf-16"), "is UTF-16, not UTF-8", None),
        "utf_16_be": (b"\xfe\xff" + (HEADER + GOOD).encode("utf-16-be"), "is UTF-16, not UTF-8", None),
        "utf_16_without_bom": ((HEADER + GOOD).encode("utf-16-le"), "is not that of a canonical export", 1),
        "utf_32": ((HEADER + GOOD).encode("utf-32"), "is UTF-16, not UTF-8", None),
        "latin_1": (HEADER.replace("tags", "größe").encode("latin-1"), "the header is not UTF-8", 1),
        "old_office": (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
            "old or encrypted office document",
            None,
        ),
        "png": (b"\x89PNG\r\n\x1a\n" + bytes(200), "", 1),
        "program": (b"\x7fELF\x02\x01\x01" + bytes(200), "is not that of a canonical export", 1),
        "sqlite": (b"SQLite format 3\0" + bytes(200), "is not that of a canonical export", 1),
        "random": (bytes(n * 167 % 251 for n in range(5000)), "", None),
    }
    for name, (content_bytes, words, line) in binary.items():
        yield Hostile(f"header_{name}.csv", content_bytes, "rejected", (words,), line)
    yield Hostile("header_alone.csv", HEADER.encode(), "landed", rows=(0, 0))
    turned = ",".join(reversed(NAMES)) + "\n" + ",".join(reversed(ticket("G9").strip().split(","))) + "\n"
    yield Hostile("header_reordered.csv", turned.encode(), "landed", rows=(1, 1))
    yield Hostile(
        "header_bom_and_crlf.csv",
        ("\ufeff" + HEADER + GOOD).replace("\n", "\r\n").encode(),
        "landed",
        rows=(1, 1),
    )
    yield Hostile("header_blank_lines.csv", ("\n\n" + HEADER + "\n\n" + GOOD).encode(), "landed", rows=(1, 1))
    yield Hostile("header_spaces.csv", (HEADER.replace(",", " , ") + GOOD).encode(), "landed", rows=(1, 1))


def rows() -> Iterator[Hostile]:
    """One bad line between two good ones."""
    bad: dict[str, tuple[bytes, str, str | None]] = {
        "short": (b"T1,acme\n", "has 2 values, the header has 10", "requester"),
        "long": (ticket().replace("\n", ",1,2\n").encode(), "has 12 values, the header has 10", None),
        "total": (b"Total: 2,,,\n", "has 4 values, the header has 10", "severity"),
        "total_of_full_width": (b"Total: 2,,,,,,,,,\n", "is missing", "submitted_at"),
        "control_z": (b"\x1a\n", "has 1 values, the header has 10", "customer_id"),
        "comment": (b"# exported by ann\n", "has 1 values, the header has 10", "customer_id"),
        "nul": (ticket(subject="a\0b").encode(), "holds a NUL character", "subject"),
        "unclosed_quote": (ticket(subject='"open').encode(), "opens a quote that is not closed", None),
        "text_after_quote": (ticket(subject='"a"b').encode(), "opens a quote that is not closed", None),
        "cr_inside": (ticket(subject="a\rb").encode(), "holds a CR outside quotes", None),
        "latin_1": (ticket(subject="größe").encode("latin-1"), "is not UTF-8", "subject"),
        "stray_byte": (ticket(subject="a").encode().replace(b",a,", b",a\x80,"), "is not UTF-8", "subject"),
        "half_character": (
            ticket(subject="a").encode().replace(b",a,", b",\xed\xa0\x80,"),
            "is not UTF-8",
            "subject",
        ),
        "overlong": (ticket(subject="a").encode().replace(b",a,", b",\xc0\xaf,"), "is not UTF-8", "subject"),
        "value_of_200_kb": (
            ticket(subject="x" * 200_000).encode(),
            "a value longer than 131,072 characters",
            None,
        ),
        "line_of_3_mb": (ticket(subject="x" * (3 << 20)).encode(), "longer than", None),
        "header_again": (HEADER.encode(), "is not a possible instant", "submitted_at"),
        "json_line": (b'{"ticket_id": "T1"}\n', "has 1 values", "customer_id"),
        "html_line": (b"<p>Gateway timeout</p>\n", "has 1 values", "customer_id"),
        "semicolons": (ticket().replace(",", ";").encode(), "has 1 values", "customer_id"),
        "decimal_comma": (ticket(severity="3,5").encode(), "has 11 values", None),
    }
    for name, (line, words, column) in bad.items():
        content = HEADER.encode() + ticket("G1").encode() + line + ticket("G2").encode()
        yield Hostile(f"row_{name}.csv", content, "quarantined", (words,), 3, column, rows=(3, 2))
    yield Hostile(
        "row_quote_open_to_the_end.csv",
        (HEADER + GOOD + ticket("T2", subject='"open')).encode(),
        "quarantined", ("opens a quote that is not closed",), 3, rows=(2, 1),
    )  # fmt: skip
    many = "".join(ticket(f"B{n}", subject='"open') for n in range(300))
    yield Hostile("row_many_open_quotes.csv", (HEADER + GOOD + many).encode(), "quarantined", ("a quote",), 3)
    yield Hostile(
        "row_all_bad.csv", (HEADER + "x\n" * 100).encode(), "rejected", ("none of its 100 records",), None
    )
    yield Hostile(
        "row_newline_in_quotes.csv", (HEADER + ticket(subject='"a\nb"')).encode(), "landed", rows=(1, 1)
    )
    yield Hostile("row_no_line_end.csv", (HEADER + GOOD.rstrip("\n")).encode(), "landed", rows=(1, 1))


def values() -> Iterator[Hostile]:
    instants: dict[str, str] = {
        "24:00:00": "2026-07-01T24:00:00Z",
        "second_60": "2026-06-30T23:59:60Z",
        "month_13": "2026-13-01T09:00:00Z",
        "31_june": "2026-06-31T09:00:00Z",
        "29_february": "2026-02-29T09:00:00Z",
        "epoch_seconds": "1782896400",
        "epoch_milliseconds": "1782896400000",
        "ambiguous": "03/04/2026 09:00",
        "two_digit_year": "01.07.26 09:00",
        "month_name": "18/jul/26 9:10 AM",
        "NaN": "NaN",
        "inf": "inf",
        "question_mark": "?",
        "date_alone": "2026-07-01",
        "zone_of_25_hours": "2026-07-01T09:00:00+25:00",
        "zone_name": "2026-07-01T09:00:00 Europe/Berlin",
        "spreadsheet_number": "46204.375",
        "other_digits": "２０２６-07-01T09:00:00Z",
        "sql": "2026-07-01'; drop table tickets; --",
        "negative": "-2026-07-01T09:00:00Z",
        "infinity": "infinity",
        "long": "2" * 5000,
    }
    for name, written in instants.items():
        yield Hostile(
            f"instant_{name}.csv", (HEADER + GOOD + ticket("T2", submitted_at=written)).encode(),
            "quarantined", ("is not a possible instant",), 3, "submitted_at", (2, 1),
        )  # fmt: skip
    for name, written in {"null_word": "NULL", "dash": "-"}.items():
        yield Hostile(
            f"instant_{name}.csv", (HEADER + GOOD + ticket("T2", submitted_at=written)).encode(),
            "quarantined", ("is missing",), 3, "submitted_at", (2, 1),
        )  # fmt: skip
    yield Hostile(
        "instant_without_zone.csv", (HEADER + GOOD + ticket("T2", submitted_at="2026-07-01T09:00:00")).encode(),
        "quarantined", ("has no time zone",), 3, "submitted_at", (2, 1),
    )  # fmt: skip
    for name, written in {
        "1900": "1900-01-02T00:00:00Z",
        "9999": "9999-12-31T00:00:00Z",
        "0001": "0001-01-02T00:00:00Z",
    }.items():
        yield Hostile(
            f"instant_{name}.csv", (HEADER + GOOD + ticket("T2", submitted_at=written)).encode(),
            "quarantined", ("lies outside the years 1970 to 2200",), 3, "submitted_at", (2, 1),
        )  # fmt: skip
    for name, written in {
        "spreadsheet": "1.03E+13", "more_digits": "1.03006E+13", "float": "12345.0", "decimal_comma": '"1,5E+10"', "bare": "1E+9",
    }.items():  # fmt: skip
        yield Hostile(
            f"id_{name}.csv", (HEADER + GOOD + ticket(written)).encode(),
            "quarantined", ("is a number that lost digits",), 3, "ticket_id", (2, 1),
        )  # fmt: skip
    yield Hostile(
        "id_missing.csv",
        (HEADER + GOOD + ticket("")).encode(),
        "quarantined",
        ("is missing",),
        3,
        "ticket_id",
        (2, 1),
    )
    for name, subject in {
        "formula": "=1+1", "command": "=cmd|' /C calc'!A0", "at": "@SUM(1)", "bidi": "\u202egnp.exe",
        "zero_width": "a\u200b\u200db",
        "line_separator": "a\u2028b\u0085c", "emoji": "🙂" * 100, "combining": "e" + "\u0301" * 2000,
        "template": "{{7*7}}${7*7}<%= 7 %>",
        "markup": "<script>alert(1)</script>", "control": "a\x07\x1b[31mred\x08", "percent": "%s%n%x",
        "private_use": "\ue000\U0010ffff",
    }.items():  # fmt: skip
        yield Hostile(f"text_{name}.csv", (HEADER + ticket(subject=subject)).encode(), "landed", rows=(1, 1))


def events() -> Iterator[Hostile]:
    def event(**changed: str) -> str:
        row = {
            "event_id": "E1", "ticket_id": "G1", "event_at": AT, "event_type": "message",
            "actor_kind": "agent", "actor": "mia", "is_public": "true", "value": "",
        } | changed  # fmt: skip
        return ",".join(row.values()) + "\n"

    for name, column, written, words in (
        ("unknown_type", "event_type", "mesage", "is not in the closed list"),
        ("unknown_actor", "actor_kind", "robot", "is not in the closed list"),
        ("no_actor_kind", "actor_kind", "", "is missing on a message"),
        ("yes", "is_public", "yes", "is neither true nor false"),
        ("no_is_public", "is_public", "", "is missing on a message"),
        ("no_instant", "event_at", "", "is missing"),
        ("mangled_id", "event_id", "1.5E+12", "lost digits"),
        ("mangled_ticket", "ticket_id", "7.0", "lost digits"),
    ):
        content = (EVENTS_HEADER + event() + event(**{column: written})).encode()
        yield Hostile(f"event_{name}.csv", content, "quarantined", (words,), 3, column, (2, 1))
    yield Hostile(
        "event_unknown_status.csv", (EVENTS_HEADER + event() + event(event_type="status_changed", value="Closed")).encode(),
        "quarantined", ("is not a status",), 3, "value", (2, 1),
    )  # fmt: skip


def json_lines() -> Iterator[Hostile]:
    good = json.dumps({"ticket_id": "G1", "customer_id": "acme", "submitted_at": AT})
    bad: dict[str, tuple[bytes, str]] = {
        "no_json": (b"sorry", "is not valid JSON"),
        "single_quotes": (b"{'ticket_id': 'T1'}", "is not valid JSON"),
        # The engine reads past a comma at the end; what it reads is still judged.
        "trailing_comma": (b'{"ticket_id": "T1",}', "is missing"),
        "comment": (b'{"ticket_id": "T1"} // x', "is not valid JSON"),
        "two_objects": (b'{"ticket_id": "T1"}{"ticket_id": "T2"}', "is not valid JSON"),
        "open": (b'{"ticket_id": "T1", "subject": "a', "is not valid JSON"),
        "list": (b"[1, 2]", "is a list, not an object"),
        "text": (b'"T1"', "is a text, not an object"),
        "number": (b"12", "is a number, not an object"),
        "null": (b"null", "is null, not an object"),
        "true": (b"true", "is true or false, not an object"),
        "empty_object": (b"{}", "holds none of"),
        "other_object": (b'{"error": {"code": 429}}', "holds none of"),
        "latin_1": ('{"ticket_id": "größe"}'.encode("latin-1"), "is not UTF-8"),
        "half_character_bytes": (b'{"ticket_id": "\xed\xa0\x80"}', "is not UTF-8"),
        "nul_byte": (b'{"ticket_id": "a\0b"}', "is not valid JSON"),
        "deep_list": (b'{"ticket_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        "deep_object": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ""),
        "html": (b"<html>502 Bad Gateway</html>", "is not valid JSON"),
        "csv": (ticket("T1").strip().encode(), "is not valid JSON"),
        "unknown_key": (
            good.replace("customer_id", "client").encode(),
            "is not a field of this record",
        ),
        "infinity": (b'{"ticket_id": "T1", "submitted_at": Infinity}', ""),
        "nan": (b'{"ticket_id": "T1", "submitted_at": NaN}', ""),
        "instant_as_number": (b'{"ticket_id": "T1", "submitted_at": 1782896400}', "is not a possible instant"),
        "instant_as_object": (b'{"ticket_id": "T1", "submitted_at": {"$date": 1}}', "is not a possible instant"),
        "id_as_float": (b'{"ticket_id": 1.03E+13, "submitted_at": "' + AT.encode() + b'"}', "lost digits"),
        "id_null": (b'{"ticket_id": null, "subject": "x", "submitted_at": "' + AT.encode() + b'"}', "is missing"),
        "no_instant": (b'{"ticket_id": "T1", "subject": "x"}', "is missing"),
        "event_and_ticket": (b'{"ticket_id": "T1", "event_id": "E1", "severity": 1}', ""),
    }  # fmt: skip
    for name, (line, words) in bad.items():
        content = good.encode() + b"\n" + line + b"\n" + good.encode() + b"\n"
        yield Hostile(
            f"line_{name}.ndjson", content, "quarantined", (words,) if words else (), 2, rows=(3, 2)
        )
    yield Hostile(
        "line_truncated.ndjson", (good + '\n{"ticket_id": "T').encode(),
        "quarantined", ("is truncated: the file ends inside this record",), 2, rows=(2, 1),
    )  # fmt: skip
    lands = {
        "huge_integer": f'{{"ticket_id": {10**400}, "submitted_at": "{AT}"}}',
        "integer_above_2_63": f'{{"ticket_id": {2**64 + 1}, "submitted_at": "{AT}"}}',
        "blank_lines": f"\n\n{good}\n\n",
        "bom_and_crlf": f"\ufeff{good}\r\n",
        "spread": json.dumps(json.loads(good), indent=2),
        "formula": f'{{"ticket_id": "=1+1", "submitted_at": "{AT}"}}',
    }
    for name, text in lands.items():
        yield Hostile(f"line_{name}.ndjson", text.encode(), "landed", rows=(1, 1))
    twice = f'{{"ticket_id": "T1", "ticket_id": "T2", "submitted_at": "{AT}"}}'
    half = f'{{"ticket_id": "a\\ud800b", "submitted_at": "{AT}"}}'
    nul = f'{{"ticket_id": "a\\u0000b", "submitted_at": "{AT}"}}'
    for name, text in {"doubled_key": twice, "half_character": half, "nul_escape": nul}.items():
        yield Hostile(f"line_{name}.ndjson", f"{good}\n{text}\n".encode(), "quarantined", (), 2, rows=(2, 1))
    yield Hostile("line_utf_16.ndjson", good.encode("utf-16"), "rejected", ("is UTF-16",))
    yield Hostile(
        "line_spread_and_cut.ndjson", json.dumps(json.loads(good), indent=2)[:-5].encode(), "rejected", ()
    )


def json_lists() -> Iterator[Hostile]:
    good = f'{{"ticket_id": "G1", "submitted_at": "{AT}"}}'
    rejected = {
        "damaged": f'[{good},\n{{"ticket_id": }}, {good}]',
        "no_comma": f"[{good}\n{good}]",
        "comma_at_end": f"[{good},\n]",
        "text_after": f"[{good}]\nx",
        "second_list": f"[{good}]\n[{good}]",
        "deep": "[" * 100_000 + "]" * 100_000,
        "open_brackets": "[" * 100_000,
        "only_bracket": "[",
        "html_inside": f"[{good},\n<html>",
    }
    for name, text in rejected.items():
        yield Hostile(f"list_{name}.json", text.encode(), "rejected", ())
    yield Hostile(
        "list_latin_1.json", f'[{good}, "größe"]'.encode("latin-1"), "rejected", ("is not UTF-8",), 1
    )
    yield Hostile(
        "list_truncated.json",
        f'[{good},\n{{"ticket_id": "T'.encode(),
        "quarantined",
        ("is truncated",),
        2,
        rows=(2, 1),
    )
    yield Hostile(
        "list_open_at_end.json", f"[{good}".encode(), "quarantined", ("is truncated",), 1, rows=(2, 1)
    )
    yield Hostile(
        "list_of_lists.json",
        f"[{good}, [1], 2, null]".encode(),
        "quarantined",
        ("is a list, not an object",),
        1,
        rows=(4, 1),
    )
    yield Hostile("list_empty.json", b"[]", "landed", rows=(0, 0))
    yield Hostile("list_good.json", f"\ufeff [\n{good} ,\n{good}\n]\n".encode(), "landed", rows=(2, 2))


def zendesk() -> Iterator[Hostile]:
    def made(**changed: Any) -> str:
        return json.dumps(
            {"id": 1, "created_at": AT, "updated_at": AT, "status": "open", "subject": "x"} | changed
        )

    audit = {
        "id": 5,
        "ticket_id": 1,
        "created_at": AT,
        "author_id": 9,
        "events": [{"id": 6, "type": "Comment", "public": True}],
    }
    good = made(id=7)
    bad: dict[str, tuple[str, str, str | None]] = {
        "no_created_at": (made(created_at=None), "is missing", "created_at"),
        "epoch_seconds": (made(created_at=1782896400), "is not a possible instant", "created_at"),
        "id_of_float": (good.replace('"id": 7', '"id": 1.03E+13'), "lost digits", "id"),
        "no_events": (json.dumps(audit | {"events": None}), "is missing", "events"),
        "events_as_text": (json.dumps(audit | {"events": "Comment"}), "", None),
        "events_as_object": (json.dumps(audit | {"events": {"type": "Comment"}}), "", None),
        "audit_without_ticket": (json.dumps(audit | {"ticket_id": ""}), "is missing", "ticket_id"),
        "error_answer": ('{"error": "RecordNotFound", "description": "Not found"}', "holds none of", None),
        "wrapper_of_text": ('{"ticket": "gone"}', "", None),
        "page_of_text": ('{"tickets": "gone"}', "", None),
        "deep": ('{"ticket":' * 100_000 + "1" + "}" * 100_000, "", None),
    }  # fmt: skip
    for name, (line, words, column) in bad.items():
        content = f"{good}\n{line}\n{good}\n".encode()
        yield Hostile(
            f"zendesk_{name}.json",
            content,
            "quarantined",
            (words,) if words else (),
            2,
            column,
            (3, 2),
            "zen",
        )
    table = b"Summation column,Id,Requester,Created at,Updated at\n1,35436,Ann,2026-07-01 09:00:00,2026-07-01 09:00:00\n"
    yield Hostile(
        "zendesk_table.csv", table, "rejected", ("written without a zone", "time_zone"), source="zen"
    )
    yield Hostile(
        "zendesk_login.json", b"<!DOCTYPE html><p>Sign in", "rejected", ("is an HTML page",), source="zen"
    )
    yield Hostile(
        "zendesk_empty_page.json", b'{"tickets": [], "count": 0}', "landed", (), rows=(0, 0), source="zen"
    )
    page = f'{{"tickets": [{made(id=8)}, {made(id=9, created_at="x")}], "count": 2}}'
    yield Hostile(
        "zendesk_page.json",
        page.encode(),
        "quarantined",
        ("is not a possible instant",),
        1,
        "created_at",
        (2, 1),
        "zen",
    )


def zendesk_metric_events() -> Iterator[Hostile]:
    event = {"id": 1, "ticket_id": 5, "metric": "reply_time", "instance_id": 1, "type": "fulfill", "time": AT}
    good = json.dumps(event)
    bad: dict[str, tuple[dict[str, Any], str, str]] = {
        "unknown_type": ({"type": "snooze"}, "is not in the closed list", "type"),
        "no_ticket": ({"ticket_id": None}, "is missing", "ticket_id"),
        "no_time": ({"time": ""}, "is missing", "time"),
        "time_of_epoch": ({"time": 1782896400}, "is not a possible instant", "time"),
        "instance_of_text": ({"instance_id": "first"}, "is not a whole number", "instance_id"),
        "minutes_of_text": (
            {"type": "update_status", "status": {"calendar": "ten"}}, "is not a whole number", "status.calendar"
        ),
        "huge_target": ({"type": "apply_sla", "sla": {"target": 10**12}}, "is not a whole number", "sla.target"),
        "deleted_of_text": ({"type": "breach", "deleted": "perhaps"}, "is neither true nor false", "deleted"),
    }  # fmt: skip
    for name, (changed, words, column) in bad.items():
        content = f"{good}\n{json.dumps(event | changed)}\n{good}\n".encode()
        yield Hostile(f"metric_{name}.json", content, "quarantined", (words,), 2, column, (3, 2), "zen")
    yield Hostile(
        "metric_status_of_text.json",
        f"{good}\n{json.dumps(event | {'type': 'update_status', 'status': 'open'})}\n".encode(),
        "landed",
        rows=(2, 2),
        source="zen",
    )


def zendesk_xml() -> Iterator[Hostile]:
    good = f"<ticket><nice-id>1</nice-id><created-at>{AT}</created-at><updated-at>{AT}</updated-at></ticket>"

    def listed(*elements: str) -> bytes:
        return "\n".join(["<tickets>", *elements, "</tickets>"]).encode()

    bad: dict[str, tuple[str, str, str | None]] = {
        "no_id": (good.replace("nice-id", "nice_id"), "is missing", "id"),
        "mangled_id": (good.replace(">1<", ">1.03E+13<"), "lost digits", "id"),
        "no_zone": (good.replace(f"<updated-at>{AT}", "<updated-at>2026-07-01T09:00:00"), "has no time zone", "updated_at"),
        "stranger": ("<post><id>1</id></post>", "holds none of", None),
        "damaged_comment": (
            good.replace("</ticket>", "<comments><comment><created-at>soon</created-at></comment></comments></ticket>"),
            "holds a comment without", "comments",
        ),
    }  # fmt: skip
    for name, (element, words, column) in bad.items():
        yield Hostile(
            f"zendesk_xml_{name}.xml",
            listed(good, element),
            "quarantined",
            (words,),
            3,
            column,
            (2, 1),
            "zen",
        )
    yield Hostile(
        "zendesk_xml_cut.xml",
        listed(good, good)[:-40],
        "quarantined",
        ("nothing after this line could be read",),
        rows=(2, 1),
        source="zen",
    )
    yield Hostile(
        "zendesk_xml_dtd.xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + listed(good),
        "rejected",
        ("has a DTD",),
        source="zen",
    )
    yield Hostile("zendesk_xml_empty.xml", b"<tickets/>", "landed", rows=(0, 0), source="zen")
    yield Hostile(
        "zendesk_xml_groups.xml",
        b"<groups><group/></groups>",
        "warned",
        ("no rule reads",),
        rows=(0, 0),
        source="zen",
    )
    yield Hostile(
        "zendesk_xml_other.xml", b"<rss><item/></rss>", "rejected", ("the XML has no element",), source="zen"
    )


def servicenow_records() -> Iterator[Hostile]:
    change = {
        "sys_id": "a1", "tablename": "incident", "documentkey": "s1", "fieldname": "state", "oldvalue": "1", "newvalue": "2",
        "sys_created_on": "2026-07-01 09:00:00",
    }  # fmt: skip
    good = json.dumps(change)
    bad: dict[str, tuple[dict[str, Any], str, str]] = {
        "no_incident": ({"documentkey": ""}, "is missing", "documentkey"),
        "no_change_id": ({"sys_id": None}, "is missing", "sys_id"),
        "no_instant": ({"sys_created_on": ""}, "is missing", "sys_created_on"),
        "local_instant": ({"sys_created_on": "01/07/2026 09:00"}, "is not a possible time", "sys_created_on"),
        "year_1900": ({"sys_created_on": "1900-01-02 00:00:00"}, "lies outside the years", "sys_created_on"),
    }
    for name, (changed, words, column) in bad.items():
        content = f"{good}\n{json.dumps(change | changed)}\n{good}\n".encode()
        yield Hostile(f"audit_{name}.json", content, "quarantined", (words,), 2, column, (3, 2), "snow")
    header = ",".join(change)
    yield Hostile(
        "audit_raw_in_a_table.csv",
        f"{header}\n{','.join(change.values())}\n".encode(),
        "rejected",
        ("none of its 1 records can be used",),
        source="snow",
    )


def servicenow() -> Iterator[Hostile]:
    header = "number,incident_state,opened_at,sys_updated_at,sys_mod_count\n"
    good = "INC1,New,01-07-2026 09:00,01-07-2026 09:00,0\n"
    bad = {
        "other_format": (
            "INC2,New,2026-07-01 09:00,01-07-2026 09:00,0\n",
            "in the declared date format",
            "opened_at",
        ),
        "month_first": (
            "INC2,New,07-31-2026 09:00,01-07-2026 09:00,0\n",
            "in the declared date format",
            "opened_at",
        ),
        "24_hours": (
            "INC2,New,01-07-2026 24:00,01-07-2026 09:00,0\n",
            "in the declared date format",
            "opened_at",
        ),
        "year_1900": (
            "INC2,New,02-01-1900 00:00,01-07-2026 09:00,0\n",
            "lies outside the years",
            "opened_at",
        ),
        "no_number": (",New,01-07-2026 09:00,01-07-2026 09:00,0\n", "is missing", "number"),
        "mangled_number": ("1.5E+9,New,01-07-2026 09:00,01-07-2026 09:00,0\n", "lost digits", "number"),
        "count_of_text": (
            "INC2,New,01-07-2026 09:00,01-07-2026 09:00,many\n",
            "is not a whole number",
            "sys_mod_count",
        ),
        "huge_count": (
            "INC2,New,01-07-2026 09:00,01-07-2026 09:00,99999999999\n",
            "is not a whole number",
            "sys_mod_count",
        ),
        "short": ("INC2,New\n", "has 2 values, the header has 5", "opened_at"),
    }
    for name, (line, words, column) in bad.items():
        yield Hostile(
            f"snow_{name}.csv",
            (header + good + line).encode(),
            "quarantined",
            (words,),
            3,
            column,
            (2, 1),
            "snow",
        )
    yield Hostile(
        "snow_labels.csv",
        b"Number,State,Opened,Updated\nINC1,New,x,y\n",
        "rejected",
        ("none of its 1 records can be used",),
        None,
        source="snow",
    )
    yield Hostile("snow_json.json", b'{"result": []}', "landed", (), rows=(0, 0), source="snow")
    unused = header.replace("\n", ",extra\n") + good.replace("\n", ",1\n")
    yield Hostile(
        "snow_unused.csv",
        unused.encode(),
        "warned",
        ("1 columns are not used: extra",),
        1,
        rows=(1, 1),
        source="snow",
    )


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content, compress_type=how)
    return stream.getvalue()


def member(name: str, mode: int = 0o100644, system: int = 3) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr, info.create_system = mode << 16, system
    return info


def archives() -> Iterator[Hostile]:
    table = (HEADER + GOOD).encode()
    squeezed = gzip.compress(table * 50, mtime=0)
    bomb = gzip.compress(HEADER.encode() + bytes(60 << 20), mtime=0)
    for name, content, words in (
        ("truncated", squeezed[:-30], "the gzip is damaged or cut off"),
        ("wrong_checksum", squeezed[:-8] + bytes(8), "the gzip is damaged or cut off"),
        ("bomb", bomb, "the gzip grows more than 100 times"),
        ("of_gzip", gzip.compress(squeezed, mtime=0), "a packed file inside a packed file"),
        ("of_zip", gzip.compress(packed(("a.csv", table)), mtime=0), "a packed file inside a packed file"),
        ("of_nothing", gzip.compress(b"", mtime=0), "the file is empty"),
        ("magic_alone", b"\x1f\x8b", "the gzip is damaged or cut off"),
        ("other_method", b"\x1f\x8b\x07" + bytes(50), "the gzip is damaged or cut off"),
        ("garbage_after", gzip.compress(table, mtime=0) + b"garbage", "the gzip is damaged or cut off"),
    ):
        yield Hostile(f"gzip_{name}.csv.gz", content, "rejected", (words,))
    yield Hostile(
        "gzip_good.csv.gz", gzip.compress((HEADER + ticket("GZ")).encode(), mtime=0), "landed", rows=(1, 1)
    )
    whole = packed(("a.csv", table), ("b.csv", table))
    link = member("a.csv", 0o120777)
    encrypted = bytearray(packed(("a.csv", table)))
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    lying = bytearray(packed(("a.csv", table), how=zipfile.ZIP_STORED))
    at = lying.index(b"PK\x01\x02")
    struct.pack_into("<I", lying, at + 24, 5)
    flipped = bytearray(packed(("a.csv", table), how=zipfile.ZIP_STORED))
    flipped[60] ^= 0xFF
    nul_name = packed(("a_b.csv", table)).replace(b"a_b.csv", b"a\0b.csv")
    for name, content, words in (
        ("truncated", whole[:-40], "the ZIP is damaged or cut off"),
        ("head_alone", whole[:40], "the ZIP is damaged or cut off"),
        ("magic_alone", b"PK\x03\x04", "the ZIP is damaged or cut off"),
        ("empty", packed(), "the ZIP holds no file"),
        ("folders_alone", packed(("a/", b"")), "the ZIP holds no file"),
        ("bomb", packed(("a.csv", bytes(60 << 20))), "the ZIP grows more than 100 times"),
        ("parent", packed(("../a.csv", table)), "has a path that leads elsewhere"),
        ("parent_inside", packed(("a/../../b.csv", table)), "has a path that leads elsewhere"),
        ("absolute", packed(("/etc/a.csv", table)), "has a path that leads elsewhere"),
        ("backslash", packed(("a\\b.csv", table)).replace(b"a/b", b"a\\b"), "has a path that leads elsewhere"),
        ("drive", packed(("c:a.csv", table)), "has a path that leads elsewhere"),
        ("dot", packed(("./a.csv", table)), "has a path that leads elsewhere"),
        ("link", packed((link, b"/etc/hostname")), "is a link"),
        ("device", packed((member("a.csv", 0o020644), b"")), "is no regular file"),
        ("encrypted", bytes(encrypted), "is encrypted"),
        ("doubled", packed(("a.csv", table), ("b.csv", table)).replace(b"b.csv", b"a.csv"), "more than once"),
        ("case_doubled", packed(("a.csv", table), ("A.CSV", table)), "more than once"),
        ("of_zip", packed(("a.zip", whole)), "a packed file inside a packed file"),
        ("of_hidden_zip", packed(("a.csv", whole)), "a packed file inside a packed file"),
        ("of_gzip", packed(("a.csv.gz", squeezed)), "a packed file inside a packed file"),
        ("line_break_name", packed(("a\nb.csv", table)), "has a name that cannot be shown"),
        ("bidi_name", packed(("a\u202eb.csv", table)), "has a name that cannot be shown"),
        ("nul_name", nul_name, ""),
        ("long_name", packed(("x" * 300 + ".csv", table)), "has a name that cannot be shown"),
        ("bzip2", packed(("a.csv", table), how=zipfile.ZIP_BZIP2), "is packed in a way that is not read"),
        ("lzma", packed(("a.csv", table), how=zipfile.ZIP_LZMA), "is packed in a way that is not read"),
        ("too_many", packed(*((f"{n}.csv", b"x") for n in range(251))), "251 members; the limit is 250"),
        ("lying_size", bytes(lying), ""),
        ("wrong_checksum", bytes(flipped), "the ZIP is damaged or cut off"),
        ("document", packed(("[Content_Types].xml", b"<Types/>"), ("word/d.xml", b"<w/>")), "office document without a sheet"),
        ("binary_workbook", packed(("xl/workbook.bin", b"x")), "a binary workbook"),
        ("open_document", packed(("mimetype", b"x"), ("content.xml", b"<x/>")), "an OpenDocument file"),
        ("overlapping", overlapping_zip(), "overlap"),
    ):  # fmt: skip
        yield Hostile(f"zip_{name}.zip", content, "rejected", (words,) if words else ())
    two = packed(
        ("in/a.csv", (HEADER + ticket("Z1")).encode()), ("__MACOSX/._a.csv", b"x"), ("b.csv", b"<html>")
    )
    yield Hostile("zip_one_good_one_bad.zip", two, "rejected", ("!b.csv", "is an HTML page"))


def overlapping_zip() -> bytes:
    """Twenty members that all claim the same packed bytes."""
    whole = packed(("a.csv", os.urandom(2_000)), how=zipfile.ZIP_STORED)
    at, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entries = b"".join(whole[at:end].replace(b"a.csv", f"{chr(97 + n)}.csv".encode()) for n in range(20))
    tail = bytearray(whole[end:])
    struct.pack_into("<HHI", tail, 8, 20, 20, len(entries))
    return whole[:at] + entries + bytes(tail)


Cell = str | float | datetime | None
_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(*lines: list[Cell], sheets: int = 1, fill: Callable[[Any, Any], None] | None = None) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(
        stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    dates = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number in range(sheets):
        sheet = book.add_worksheet()
        for at, line in enumerate(lines):
            for column, value in enumerate(line):
                if isinstance(value, datetime):
                    sheet.write_datetime(at, column, value, dates)
                elif value is not None:
                    sheet.write(at, column, value)
        if number == 0 and fill is not None:
            fill(book, sheet)
    book.close()
    return stream.getvalue()


def with_part(content: bytes, name: str, replace: Callable[[bytes], bytes] | None) -> bytes:
    """The workbook with one part changed, or left out."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
            elif replace is not None:
                new.writestr(part, replace(old.read(part)))
    return stream.getvalue()


def workbooks() -> Iterator[Hostile]:
    names: list[Cell] = list(NAMES)
    row: list[Cell] = ["X1", "acme", "ann", "console", 3, AT, "Sync", "incident", None, None]
    plain = workbook(names, row)
    sheet, texts = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

    def rows_of(xml: str) -> Callable[[bytes], bytes]:
        return lambda _: f"<worksheet {_NS}><sheetData>{xml}</sheetData></worksheet>".encode()

    def after_declaration(old: bytes) -> bytes:
        head, mark, rest = old.partition(b"?>")
        return head + mark + laughs + rest

    rejected: dict[str, tuple[bytes, str]] = {
        "truncated": (plain[: len(plain) // 2], "damaged or cut off"),
        "dtd_in_sheet": (with_part(plain, sheet, after_declaration), "has a DTD"),
        "laughs_in_texts": (with_part(plain, texts, after_declaration), "has a DTD"),
        "dtd_in_workbook": (with_part(plain, "xl/workbook.xml", after_declaration), "has a DTD"),
        "bomb": (with_part(plain, sheet, lambda old: old + b" " * (80 << 20)), "grows more than 100 times"),
        "two_sheets": (workbook(names, row, sheets=2), "2 visible sheets ('Sheet1', 'Sheet2')"),
        "empty": (workbook(), "the sheet is empty"),
        "wrong_header": (workbook(["Ticket", "Kunde"], ["1", "2"]), "is not that of a canonical export"),
        "doubled_header": (workbook([*names, "tags"], row), "'tags' more than once"),
        "no_sheet_part": (with_part(plain, sheet, None), "the workbook is damaged"),
        "no_relations": (with_part(plain, "xl/_rels/workbook.xml.rels", None), "the workbook is damaged"),
        "external_sheet": (
            with_part(
                plain,
                "xl/_rels/workbook.xml.rels",
                lambda old: old.replace(b'Target="worksheets', b'TargetMode="External" Target="worksheets'),
            ),
            "the workbook is damaged",
        ),
        "broken_xml": (with_part(plain, sheet, lambda old: old[: len(old) // 2]), "is not well-formed XML"),
        "far_column": (
            with_part(plain, sheet, rows_of('<row r="1"><c r="XFD1" t="str"><v>x</v></c></row>')),
            "more than 2,000 columns",
        ),
        "far_row": (
            with_part(plain, sheet, rows_of('<row r="2000000"><c r="A2000000" t="str"><v>x</v></c></row>')),
            "more than 1,048,576 rows",
        ),
        "deep": (with_part(plain, sheet, rows_of("<a>" * 5_000)), "nested more than 100 deep"),
        "header_of_formula": (
            with_part(plain, sheet, rows_of('<row r="1"><c r="A1"><f>1+1</f></c></row>')),
            "a formula without a stored value",
        ),
        "huge_tag": (with_part(plain, sheet, rows_of(f'<row r="1" x="{"y" * (18 << 20)}"/>')), ""),
    }  # fmt: skip
    for name, (content, words) in rejected.items():
        yield Hostile(f"book_{name}.xlsx", content, "rejected", (words,) if words else ())

    def second(changed: dict[int, Cell]) -> bytes:
        other = [changed.get(at, value) for at, value in enumerate(["X2", *row[1:]])]
        return workbook(names, row, other)

    quarantined: dict[str, tuple[bytes, str, str]] = {
        "mangled_id": (second({0: 1.03006e19}), "is a number that lost digits", "ticket_id"),
        "date_without_zone": (second({5: datetime(2026, 7, 1, 9)}), "has no time zone", "submitted_at"),
        "instant_of_number": (second({5: 46204.375}), "is not a possible instant", "submitted_at"),
        "nul_escape": (second({6: "a_x0000_b"}), "", "subject"),
        "no_id": (second({0: None}), "is missing", "ticket_id"),
    }
    for name, (content, words, column) in quarantined.items():
        if name == "nul_escape":
            content = with_part(content, texts, lambda old: old.replace(b"_x005F_x0000_", b"_x0000_"))
            words = "holds a NUL character"
        yield Hostile(f"book_{name}.xlsx", content, "quarantined", (words,), 3, column, (2, 1))
    half = with_part(second({6: "a_xD800_b"}), texts, lambda old: old.replace(b"_x005F_xD800_", b"_xD800_"))
    yield Hostile("book_half_character.xlsx", half, "quarantined", ("is not UTF-8",), 3, "subject", (2, 1))
    lost = with_part(
        second({}), sheet, lambda old: old.replace(b'<c r="A3" t="s"><v>', b'<c r="A3" t="s"><v>9999')
    )
    yield Hostile(
        "book_lost_text.xlsx",
        lost,
        "quarantined",
        ("points to a text that the workbook does not have",),
        3,
        "A3",
        (2, 1),
    )
    no_number = with_part(second({4: 77}), sheet, lambda old: old.replace(b"<v>77</v>", b"<v>seven</v>"))
    yield Hostile("book_no_number.xlsx", no_number, "quarantined", ("is not a number",), 3, "E3", (2, 1))
    wide = workbook(names, row, [*["X2", *row[1:]], "surplus"])
    yield Hostile(
        "book_surplus.xlsx",
        wide,
        "quarantined",
        ("has a value to the right of the 10 named columns",),
        3,
        None,
        (2, 1),
    )
    formula = workbook(names, row, fill=lambda _, one: one.write_formula(1, 6, "=1+1", None, 2))
    yield Hostile(
        "book_formula.xlsx",
        formula,
        "warned",
        ("1 cells of the sheet 'Sheet1' hold formulas, the first is G2",),
        rows=(1, 1),
    )
    yield Hostile("book_good.xlsx", workbook(names, ["X9", *row[1:]]), "landed", rows=(1, 1))
    yield Hostile("book_number_id.xlsx", workbook(names, [35436, *row[1:]]), "landed", rows=(1, 1))
    hidden = workbook(names, ["X8", *row[1:]], sheets=2)
    hidden = with_part(
        hidden, "xl/workbook.xml", lambda old: old.replace(b'name="Sheet2"', b'name="Sheet2" state="hidden"')
    )
    yield Hostile("book_hidden_sheet.xlsx", hidden, "landed", rows=(1, 1))


def parquet() -> Iterator[Hostile]:
    def table(**changed: pa.Array) -> pa.Table:
        columns = {name: pa.array([None, None], pa.string()) for name in NAMES}
        columns |= {"ticket_id": pa.array(["P1", "P2"]), "submitted_at": pa.array([AT, AT])}
        return pa.table(columns | changed)

    def written(one: pa.Table) -> bytes:
        stream = io.BytesIO()
        pq.write_table(one, stream)
        return stream.getvalue()

    plain = written(table())
    (footer_size,) = struct.unpack("<I", plain[-8:-4])
    for name, content, words, column in (
        ("truncated", plain[:-20], "the Parquet file is damaged or cut off", None),
        ("magic_alone", b"PAR1", "the Parquet file is damaged or cut off", None),
        ("no_body", b"PAR1" + plain[-200:], "", None),
        ("lying_footer", plain[:-8] + struct.pack("<I", 1 << 30) + b"PAR1", "the Parquet file is damaged or cut off", None),
        ("flipped_footer", plain[: -8 - footer_size] + bytes(40) + plain[40 - 8 - footer_size :], "", None),
        ("flipped_pages", plain[:4] + bytes(200) + plain[204:], "", None),
        ("lists", written(table(tags=pa.array([["a"], ["b"]]))), "has no declared way to be written as text", "tags"),
        ("objects", written(table(tags=pa.array([{"a": 1}, {"a": 2}]))), "has no declared way to be written as text", "tags"),
        ("bytes", written(table(tags=pa.array([b"a", b"b"]))), "has no declared way to be written as text", "tags"),
        ("lacks_column", written(table().drop_columns(["tags"])), "lacks 'tags'", None),
        ("other_columns", written(pa.table({"a": [1]})), "is not that of a canonical export", None),
        ("many_columns", written(pa.table({f"c{n}": [1] for n in range(2_500)})), "2,500 columns; the limit is 2,000", None),
        ("bomb", written(pa.table({"a": pa.array(["x" * 1_000_000] * 120)})), "", None),
        ("numbers_for_instants", written(table(submitted_at=pa.array([1, 2]))), "none of its 2 records can be used", None),
    ):  # fmt: skip
        yield Hostile(f"columns_{name}.parquet", content, "rejected", (words,) if words else (), None, column)
    yield Hostile("columns_encrypted.parquet", b"PARE" + plain[4:-4] + b"PARE", "rejected", ())
    for name, changed, words, column in (
        ("float_id", {"ticket_id": pa.array([1.0, 1.03e19])}, "is a number that lost digits", "ticket_id"),
        ("no_id", {"ticket_id": pa.array(["P1", None])}, "is missing", "ticket_id"),
        ("nan_instant", {"submitted_at": pa.array([AT, "NaN"])}, "is not a possible instant", "submitted_at"),
        ("nul", {"subject": pa.array(["a", "a\0b"])}, "holds a NUL character", "subject"),
    ):
        yield Hostile(
            f"columns_{name}.parquet", written(table(**changed)), "quarantined", (words,), 2, column, (2, 1)
        )
    naive = pa.array([datetime(2026, 7, 1), datetime(2026, 7, 1)], pa.timestamp("us"))
    yield Hostile(
        "columns_naive.parquet", written(table(submitted_at=naive)), "rejected", ("has no time zone",)
    )
    zoned = pa.array([datetime(2026, 7, 1), datetime(2026, 7, 1)], pa.timestamp("ns", "Europe/Berlin"))
    yield Hostile(
        "columns_good.parquet",
        written(table(submitted_at=zoned, ticket_id=pa.array([2**60, 7]))),
        "landed",
        rows=(2, 2),
    )


def xml() -> Iterator[Hostile]:
    good = f"<ticket><ticket_id>M1</ticket_id><submitted_at>{AT}</submitted_at></ticket>"
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    for name, text, words, line in (
        ("dtd", f"<!DOCTYPE tickets><tickets>{good}</tickets>", "has a DTD", 1),
        ("laughs", f"<!DOCTYPE t [{laughs}]>\n<t>&l11;</t>", "has a DTD", 1),
        (
            "outer_entity",
            '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><t><a>&x;</a></t>',
            "has a DTD",
            1,
        ),
        (
            "outer_dtd",
            '<?xml version="1.0"?><!DOCTYPE t SYSTEM "http://127.0.0.1:9/x.dtd"><t><a/></t>',
            "has a DTD",
            1,
        ),
        ("unknown_entity", "<t><a>&x;</a></t>", "is not well-formed XML", 1),
        ("deep", "<t>" + "<a>" * 100_000, "nested more than 100 deep", 1),
        ("no_elements", "<t/>", "no element inside its root", None),
        ("text_alone", "<t>hello</t>", "no element inside its root", None),
        ("two_roots", "<t/><t/>", "is not well-formed XML", 1),
        (
            "unknown_encoding",
            '<?xml version="1.0" encoding="klingon"?><t><a/></t>',
            "has an encoding that is not read",
            1,
        ),
        ("open_tag", "<t " + "x" * 1000, "is not well-formed XML", 1),
        ("huge_text", "<t><a>" + "x" * (17 << 20), "holds an element of more than 16 MB", 1),
        ("doubled_attribute", '<t><a b="1" b="2"/></t>', "is not well-formed XML", 1),
        ("nul", "<t><a>\0</a></t>", "is not well-formed XML", 1),
        ("page", f"<tickets><ticket><x>{good}</x></ticket></tickets>", "none of its 1 records", None),
    ):
        yield Hostile(f"tree_{name}.xml", text.encode(), "rejected", (words,), line)
    cut = f"<tickets>\n{good}\n{good.replace('M1', 'M2')}\n<ticket><ticket_id>M3"
    yield Hostile(
        "tree_cut_off.xml",
        cut.encode(),
        "quarantined",
        ("nothing after this line could be read",),
        4,
        rows=(3, 2),
    )
    yield Hostile(
        "tree_good.xml", f'<?xml version="1.0"?><tickets>{good}</tickets>'.encode(), "landed", rows=(1, 1)
    )


def names_and_kinds() -> Iterator[Hostile]:
    for number, name in enumerate(
        (
            "[x].csv", "*.csv", "?.csv", "a;b'.csv", 'it\'s "1" --.csv', "line\nbreak.csv", "$(x)`y`.csv", "%s%n.csv", "-q.csv",
            "bidi\u202egnp.csv", "zero\u200bwidth.csv", " space .csv", "dot..csv", "ünïcode 報告 🙂.csv",
            "x" * 240 + ".csv", "a!b.csv",
            "back\\slash.csv", "colon:name.csv", "csv", "no_extension", "tab\tname.csv", "con.csv", "{a,b}.csv", "~home.csv",
        )
    ):  # fmt: skip
        yield Hostile(name, (HEADER + ticket(f"N{number}")).encode(), "landed", rows=(1, 1))
    yield Hostile("pipe.csv", lambda path: os.mkfifo(path), "rejected", ("it is not a regular file",))
    yield Hostile("nowhere.csv", lambda path: path.symlink_to("nothing"), "rejected", ("it is a link",))
    yield Hostile(
        "elsewhere.csv", lambda path: path.symlink_to("/etc/hostname"), "rejected", ("it is a link",)
    )
    yield Hostile("loop.csv", lambda path: path.symlink_to(path.name), "rejected", ("it is a link",))
    yield Hostile("zero.csv", lambda path: path.symlink_to("/dev/zero"), "rejected", ("it is a link",))
    yield Hostile("unfinished.csv.part", (HEADER + GOOD).encode(), "left", ("is still being written",))
    yield Hostile("unfinished.csv.crdownload", (HEADER + GOOD).encode(), "left", ("is still being written",))
