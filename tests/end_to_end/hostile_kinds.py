"""More files that are wrong on purpose: instants, levels, values of events and of JSON, code pages, packings.

Each is one thing that a helpdesk, a spreadsheet or a transfer has made of a good file. A form as in `hostile_files.py`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator

from tests.end_to_end.hostile_files import AT, EVENTS_HEADER, GOOD, HEADER, Hostile, Outcome, ticket

# How an instant is written, and whether it can be one.
_INSTANTS: dict[str, tuple[str, Outcome]] = {
    "month_00": ("2026-00-01T09:00:00Z", "quarantined"),
    "day_00": ("2026-07-00T09:00:00Z", "quarantined"),
    "hour_25": ("2026-07-01T25:00:00Z", "quarantined"),
    "minute_60": ("2026-07-01T09:60:00Z", "quarantined"),
    "second_61": ("2026-07-01T09:00:61Z", "quarantined"),
    "30_february": ("2026-02-30T09:00:00Z", "quarantined"),
    "five_digits_of_year": ("12026-07-01T09:00:00Z", "quarantined"),
    "week_date": ("2026-W27-3T09:00:00Z", "quarantined"),
    "day_of_year": ("2026-182T09:00:00Z", "quarantined"),
    "offset_of_15_hours": ("2026-07-01T09:00:00+15:00", "quarantined"),
    "offset_without_digits": ("2026-07-01T09:00:00+", "quarantined"),
    "two_zones": ("2026-07-01T09:00:00Z+02:00", "quarantined"),
    "zone_letters": ("2026-07-01T09:00:00 CEST", "quarantined"),
    "twelve_hours": ("2026-07-01T09:00:00 PM", "quarantined"),
    "slashes": ("2026/07/01T09:00:00Z", "landed"),
    "dots": ("2026.07.01T09:00:00Z", "quarantined"),
    "minus_sign": ("2026\u221207\u221201T09:00:00Z", "quarantined"),
    "no_break_space": ("2026-07-01\u00a009:00:00Z", "quarantined"),
    "right_to_left": ("\u200f2026-07-01T09:00:00Z", "quarantined"),
    "arabic_digits": ("\u0662\u0660\u0662\u0666-\u0660\u0667-\u0660\u0661T09:00:00Z", "quarantined"),
    "quoted_twice": ('"""2026-07-01T09:00:00Z"""', "quarantined"),
    "text_around": ("on 2026-07-01T09:00:00Z", "quarantined"),
    "two_instants": ("2026-07-01T09:00:00Z/2026-07-02T09:00:00Z", "quarantined"),
    "duration": ("P1DT2H", "quarantined"),
    "date_object": ("/Date(1782896400000)/", "quarantined"),
    "formula": ("=NOW()", "quarantined"),
    "overflow": ("########", "quarantined"),
    "boolean": ("true", "quarantined"),
    "zero": ("0", "quarantined"),
    "empty_quotes": ('""', "quarantined"),
    "zero_date": ("0000-00-00T00:00:00Z", "quarantined"),
    "next_century": ("2226-07-01T09:00:00Z", "quarantined"),
    "next_year": ("2027-07-01T09:00:00Z", "quarantined"),
}

# How a level is written. It lands in the source's own words; the models say that no mapping knows it.
_LEVELS: dict[str, tuple[str, Outcome]] = {
    "6": ("6", "landed"),
    "minus_1": ("-1", "landed"),
    "plus_3": ("+3", "landed"),
    "3_point_0": ("3.0", "landed"),
    "3_point_5": ("3.5", "landed"),
    "leading_zero": ("03", "landed"),
    "superscript": ("\u00b3", "landed"),
    "full_width": ("\uff13", "landed"),
    "arabic": ("\u0663", "landed"),
    "roman": ("III", "landed"),
    "word": ("high", "landed"),
    "hexadecimal": ("0x3", "landed"),
    "exponent": ("3e0", "landed"),
    "huge": ("9" * 400, "landed"),
    "two": ("3;4", "landed"),
    "nan": ("NaN", "landed"),
    "true": ("true", "landed"),
    "underscore": ("0_3", "landed"),
}

# A change of an event that is good otherwise: column, what is written.
_EVENTS: dict[str, tuple[dict[str, str], Outcome]] = {
    "level_6": ({"event_type": "severity_changed", "value": "6"}, "quarantined"),
    "level_word": ({"event_type": "severity_changed", "value": "high"}, "quarantined"),
    "no_level": ({"event_type": "severity_changed"}, "quarantined"),
    "no_status": ({"event_type": "status_changed"}, "quarantined"),
    "status_in_capitals": ({"event_type": "status_changed", "value": "OPEN"}, "quarantined"),
    "status_with_space": ({"event_type": "status_changed", "value": "on hold"}, "quarantined"),
    "merge_into_nothing": ({"event_type": "merged"}, "landed"),
    "type_in_capitals": ({"event_type": "Message"}, "quarantined"),
    "type_missing": ({"event_type": ""}, "quarantined"),
    "type_of_html": ({"event_type": "<b>message</b>"}, "quarantined"),
    "kind_in_capitals": ({"actor_kind": "Agent"}, "quarantined"),
    "public_1": ({"is_public": "1"}, "landed"),
    "public_in_words": ({"is_public": "WAHR"}, "quarantined"),
    "public_null": ({"is_public": "NULL"}, "quarantined"),
    "no_event_id": ({"event_id": ""}, "quarantined"),
    "no_ticket_id": ({"ticket_id": ""}, "quarantined"),
    "instant_of_words": ({"event_at": "yesterday"}, "quarantined"),
    "instant_of_next_year": ({"event_at": "2027-07-01T09:00:00Z"}, "quarantined"),
    "instant_without_zone": ({"event_at": "2026-07-01 09:00"}, "quarantined"),
}

# One line of NDJSON between two good ones.
_OBJECTS: dict[str, tuple[bytes, Outcome]] = {
    "level_text": (b'{"ticket_id": "T1", "severity": "high", "submitted_at": "%s"}', "landed"),
    "level_float": (b'{"ticket_id": "T1", "severity": 3.5, "submitted_at": "%s"}', "landed"),
    "level_list": (b'{"ticket_id": "T1", "severity": [3], "submitted_at": "%s"}', "quarantined"),
    "level_object": (b'{"ticket_id": "T1", "severity": {"id": 3}, "submitted_at": "%s"}', "quarantined"),
    "id_list": (b'{"ticket_id": ["T1"], "submitted_at": "%s"}', "quarantined"),
    "id_object": (b'{"ticket_id": {"id": 1}, "submitted_at": "%s"}', "quarantined"),
    "id_true": (b'{"ticket_id": true, "submitted_at": "%s"}', "quarantined"),
    "tags_list": (b'{"ticket_id": "T1", "tags": ["a"], "submitted_at": "%s"}', "landed"),
    "tags_object": (b'{"ticket_id": "T1", "tags": {"a": 1}, "submitted_at": "%s"}', "quarantined"),
    "level_true": (b'{"ticket_id": "T1", "severity": true, "submitted_at": "%s"}', "landed"),
    "level_huge": (b'{"ticket_id": "T1", "severity": 1e400, "submitted_at": "%s"}', "landed"),
    "id_empty": (b'{"ticket_id": "", "submitted_at": "%s"}', "quarantined"),
    "instant_list": (b'{"ticket_id": "T1", "submitted_at": ["%s"]}', "quarantined"),
    "instant_true": (b'{"ticket_id": "T1", "submitted_at": true}', "quarantined"),
    "instant_null": (b'{"ticket_id": "T1", "submitted_at": null}', "quarantined"),
    "hex_number": (b'{"ticket_id": 0x1F, "submitted_at": "%s"}', "quarantined"),
    "leading_zero": (b'{"ticket_id": 007, "submitted_at": "%s"}', "quarantined"),
    "plus_sign": (b'{"ticket_id": +7, "submitted_at": "%s"}', "quarantined"),
    "bad_escape": (b'{"ticket_id": "a\\x41", "submitted_at": "%s"}', "quarantined"),
    "cut_escape": (b'{"ticket_id": "a\\u00", "submitted_at": "%s"}', "quarantined"),
    "low_half": (b'{"ticket_id": "a\\udc00", "submitted_at": "%s"}', "quarantined"),
    "raw_newline": (b'{"ticket_id": "a\nb", "submitted_at": "%s"}', "quarantined"),
    "raw_tab": (b'{"ticket_id": "a\tb", "submitted_at": "%s"}', "quarantined"),
    "no_quotes": (b'{ticket_id: "T1", submitted_at: "%s"}', "quarantined"),
    "missing_colon": (b'{"ticket_id" "T1", "submitted_at": "%s"}', "quarantined"),
    "missing_comma": (b'{"ticket_id": "T1" "submitted_at": "%s"}', "quarantined"),
    "missing_brace": (b'"ticket_id": "T1", "submitted_at": "%s"}', "quarantined"),
    "python_none": (b'{"ticket_id": None, "submitted_at": "%s"}', "quarantined"),
    "undefined": (b'{"ticket_id": undefined, "submitted_at": "%s"}', "quarantined"),
    "prefix": (b')]}\',{"ticket_id": "T1", "submitted_at": "%s"}', "quarantined"),
    "callback": (b'show({"ticket_id": "T1", "submitted_at": "%s"});', "quarantined"),
    "upper_key": (b'{"TICKET_ID": "T1", "SUBMITTED_AT": "%s"}', "quarantined"),
    "key_with_space": (b'{"ticket_id ": "T1", "submitted_at": "%s"}', "quarantined"),
}


def instants() -> Iterator[Hostile]:
    for name, (written, outcome) in _INSTANTS.items():
        content = (HEADER + GOOD + ticket("T2", submitted_at=written)).encode()
        rows = (2, 2) if outcome == "landed" else (2, 1)
        yield Hostile(f"written_{name}.csv", content, outcome, rows=rows)


def levels() -> Iterator[Hostile]:
    for name, (written, outcome) in _LEVELS.items():
        content = (HEADER + GOOD + ticket("T2", severity=written)).encode()
        rows = (2, 2) if outcome == "landed" else (2, 1)
        yield Hostile(f"level_{name}.csv", content, outcome, rows=rows)


def event_values() -> Iterator[Hostile]:
    good = {
        "event_id": "E1", "ticket_id": "G1", "event_at": AT, "event_type": "message",
        "actor_kind": "agent", "actor": "mia", "is_public": "true", "value": "",
    }  # fmt: skip
    first = ",".join(good.values()) + "\n"
    for name, (changed, outcome) in _EVENTS.items():
        line = ",".join((good | {"event_id": "E2"} | changed).values()) + "\n"
        rows = (2, 2) if outcome == "landed" else (2, 1)
        yield Hostile(f"change_{name}.csv", (EVENTS_HEADER + first + line).encode(), outcome, rows=rows)


def json_values() -> Iterator[Hostile]:
    good = json.dumps({"ticket_id": "G1", "customer_id": "acme", "submitted_at": AT}).encode()
    for name, (line, outcome) in _OBJECTS.items():
        content = good + b"\n" + line.replace(b"%s", AT.encode()) + b"\n"
        yield Hostile(f"object_{name}.ndjson", content, outcome)


def code_pages() -> Iterator[Hostile]:
    """Text in another code page, which a file may not be: what it says would be guessed."""
    text = HEADER + ticket(subject="größer als 5 €")
    pages: dict[str, Outcome] = {
        "cp1252": "rejected",
        "cp1250": "rejected",
        "mac_roman": "rejected",
        "iso8859_15": "rejected",
    }
    for page, outcome in pages.items():
        yield Hostile(f"page_{page}.csv", text.encode(page, "replace"), outcome)
    for page, word in {
        "cp1251": "заявка",
        "koi8_r": "заявка",
        "shift_jis": "問い合わせ",
        "gb18030": "工单",
        "big5": "工單",
    }.items():
        content = (HEADER + GOOD).encode() + ticket("T2", subject=word).encode(page)
        yield Hostile(f"page_{page}.csv", content, "quarantined", rows=(2, 1))
    yield Hostile("page_ebcdic.csv", (HEADER + GOOD).encode("cp500"), "rejected")
    yield Hostile("page_utf_7.csv", (HEADER + GOOD + ticket("T2", subject="grö")).encode("utf-7"), "landed")
    yield Hostile("page_two_marks.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + (HEADER + GOOD).encode(), "rejected")
    yield Hostile("page_mark_inside.csv", (HEADER + "\ufeff" + GOOD).encode(), "landed")


def packings() -> Iterator[Hostile]:
    plain = (HEADER + GOOD).encode()
    packed = gzip.compress(plain, mtime=0)
    yield Hostile("packed_tail.csv.gz", packed + b"garbage", "rejected")
    yield Hostile("packed_zero_tail.csv.gz", packed + bytes(512), "landed")
    yield Hostile(
        "packed_two_members.csv.gz", packed + gzip.compress(ticket("G2").encode(), mtime=0), "landed"
    )
    yield Hostile("packed_wrong_sum.csv.gz", packed[:-8] + bytes(4) + packed[-4:], "rejected")
    yield Hostile("packed_wrong_length.csv.gz", packed[:-4] + b"\x01\x00\x00\x00", "rejected")
    yield Hostile("packed_other_method.csv.gz", packed[:2] + b"\x07" + packed[3:], "rejected")
    yield Hostile("packed_zlib.csv.gz", zlib.compress(plain), "rejected")
    yield Hostile("packed_plain.csv.gz", plain, "landed")
    yield Hostile("packed_twice.csv.gz", gzip.compress(packed, mtime=0), "rejected")
    yield Hostile("packed_nothing.csv.gz", gzip.compress(b"", mtime=0), "rejected")
    yield Hostile("packed_head_alone.csv.gz", packed[:10], "rejected")
    yield Hostile("packed_one_byte.csv.gz", b"\x1f", "rejected")


def more_hostile_files() -> dict[str, list[Hostile]]:
    """Every case by group. File names are unique within a source, also with those of `hostile_files.py`."""
    return {
        "more instants": list(instants()),
        "levels": list(levels()),
        "values of events": list(event_values()),
        "values of JSON": list(json_values()),
        "code pages": list(code_pages()),
        "packings": list(packings()),
    }
