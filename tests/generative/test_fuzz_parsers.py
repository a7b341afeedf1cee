"""Any bytes at all: a parser takes them, or refuses them with an error that a user can act on. Nothing else may come out.

Short here; `make test-long` spends ten minutes, shared between the targets.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.calendars.load_calendars import load_calendars
from pipeline.errors import SlaError
from pipeline.ingest.files.exports import Export, fingerprint, read_start
from pipeline.ingest.files.read_archive import list_members
from pipeline.ingest.files.read_table import (
    TableOptions,
    find_kind,
    read_documents,
    read_header,
    read_records,
)
from pipeline.ingest.forms.landed_rows import Horizon, Unusable
from pipeline.ingest.forms.read_cells import compile_dates
from pipeline.ingest.landing.suggest_mapping import suggest_mapping
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.load_sources import load_sources
from pipeline.rules.mapping import Mapping, says_a_day
from pipeline.zones import find_zone
from tests.unit.ingest.conftest import HereChild

LONG_SECONDS = 600
EXAMPLES = 60

# Pieces that mean something to one parser or another, so that random text gets past the first check.
PIECES = st.sampled_from(
    [
        b"a,b\n", b"1,2\n", b'"', b'""', b"\r", b"\n", b"\0", b";", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"}", b"[", b"]",
        b'{"a": 1}', b'{"a": "b"}\n', b",", b":", b"null", b"1e999", b"\\u0000", b"\\ud800", b"<a>", b"</a>", b"<a/>", b"<?xml?>",
        b"<!DOCTYPE a>", b"&x;", b"&#0;",
        b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x1f\x8b", b"PAR1", b"\xed\xa0\x80", b"\x80",
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=25).map(b"".join))
SHEET = "<worksheet><sheetData>%s</sheetData></worksheet>"
CELL = st.builds(
    '<row r="{}"><c r="{}" t="{}" s="{}"><v>{}</v></c></row>'.format,
    st.sampled_from(["1", "2", "x", "99999999", ""]),
    st.sampled_from(["A1", "B2", "XFD9", "1", ""]),
    st.sampled_from(["n", "s", "b", "e", "str", "inlineStr", "d", "z"]),
    st.sampled_from(["0", "1", "-1", "x"]),
    st.sampled_from(["0", "1", "-1", "1e400", "NaN", "inf", "60", "2958466", "x", "", "9" * 30, "0.5"]),
)


def try_to_read(content: bytes, folder: Path) -> None:
    """Everything that landing does to a file before its source type matters."""
    path = folder / "file"
    path.write_bytes(content)
    for member in only_refused(lambda: list_members(Export(path, "own", "file", "file"))) or []:
        only_refused(lambda member=member: read_one(member))


def read_one(export: Export) -> None:
    fingerprint(export)
    if find_kind(read_start(export)) in ("json", "xml"):
        for lines in read_documents(export):
            assert lines.table.num_rows + len(lines.refused) >= 0
        return
    options = TableOptions(keeps_repeated_names=True)
    names = read_header(export, options)
    for records in read_records(export, names, options):
        assert all(len(row) == len(names) for row in records.rows)
        assert len(records.line_numbers) == len(records.rows)


def only_refused(work: Callable[[], object]) -> object:
    try:
        return work()
    except SlaError as refusal:
        assert str(refusal)
        return None


def pack_workbook(cells: list[str], styles: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", '<workbook><sheets><sheet name="a" id="r1"/></sheets></workbook>')
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="r1" Target="s.xml"/></Relationships>',
        )
        archive.writestr("xl/s.xml", SHEET % "".join(cells))
        archive.writestr("xl/styles.xml", styles)
    return stream.getvalue()


def pack_member(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name.replace("\0", "_") or "a", content)
    return stream.getvalue()


def try_to_suggest(content: bytes, folder: Path) -> None:
    """A suggestion or a refusal; it never says that there are no instants beside some."""
    path = folder / "tickets.csv"
    path.write_bytes(content)
    text = only_refused(lambda: suggest_mapping(path, child=HereChild()))
    if text is None:
        return
    assert isinstance(text, str)
    assert "No column of instants" not in text or ": instant, " not in text
    (folder / "suggested.yml").write_text(text, encoding="utf-8")
    only_refused(lambda: load_mapping(folder / "suggested.yml", "suggested.yml"))


def write_cut_instant(pattern: str, zone: str, wall_time: datetime, cell: str | None) -> bytes:
    return json.dumps([pattern, zone, wall_time.isoformat(), cell]).encode()


def try_to_read_window(content: bytes, folder: Path) -> None:
    """The window of what a format keeps of a wall time holds every instant that the wall time can have been."""
    pattern, zone, written, cell = json.loads(content)
    wall_time = datetime.fromisoformat(written)
    # A mapping and sla.yml take no other formats. A year of two digits is read in the declared century.
    if not says_a_day(pattern) or ("%y" in pattern and wall_time.year // 100 != 20):
        return
    text = wall_time.strftime(pattern) if cell is None else cell
    try:
        window = compile_dates(Mapping("", zone, (pattern,), century=2000), (pattern,))("At", text)
    except Unusable:
        is_after_landing = wall_time > Horizon.latest - timedelta(days=1)
        assert cell is not None or is_after_landing or not 1970 < wall_time.year < 2200
        return
    assert window.first <= window.last < window.first + timedelta(days=2)
    if cell is None:
        readings = [wall_time.replace(tzinfo=find_zone(zone), fold=fold) for fold in (0, 1)]
        instants = [one.astimezone(UTC) for one in readings]
        # A wall time in the gap of a spring night has never been.
        if instants[0] <= instants[1]:
            for instant in instants:
                assert window.first <= instant.replace(tzinfo=None) <= window.last


def try_yaml(load: Callable[[Path], object]) -> Callable[[bytes, Path], None]:
    def target(content: bytes, folder: Path) -> None:
        path = folder / "file.yml"
        path.write_bytes(content)
        only_refused(lambda: load(path))

    return target


WORDS = st.sampled_from(
    [
        "calendars", "sources", "weekly", "mon", "time_zone", "Europe/Berlin", "09:00-17:00", "24:00-00:00", "holidays",
        "2026-02-30", "country", "DE", "versions", "valid_from", "type", "canonical", "x", "", "null", "é", "\u202e",
        "a: &a [*a]", "!!python/name:os.system",
    ]
)  # fmt: skip
TREES = st.recursive(
    st.one_of(WORDS, st.integers(), st.booleans(), st.none(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=15,
)
MAPPING_WORDS = st.sampled_from(
    [
        "files", "format", "csv", "xml", "json", "tickets", "events", "people", "columns", "names", "when", "is",
        "filled", "each", "ticket_id", "submitted_at", "severity", "event_type", "event_at", "value", "constant",
        "message", "values", "words", "unknown", "refuse", "otherwise", "dates", "iso", "%d/%m/%Y", "evidence",
        "messages", "allow", "months", "century", "join", "split_by", "part", "optional", "repeated", "Key", "é", "\u202e", "",
    ]
)  # fmt: skip
MAPPING_TREES = st.recursive(
    st.one_of(MAPPING_WORDS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(MAPPING_WORDS, inner, max_size=5)),
    max_leaves=25,
)
MAPPINGS = st.one_of(
    MAPPING_TREES.map(lambda tree: json.dumps(tree).encode()),
    MAPPING_TREES.map(lambda tree: json.dumps({"dates": ["iso"], "files": {"desk": tree}}).encode()),
    MAPPING_TREES.map(
        lambda tree: json.dumps(
            {
                "dates": ["iso"],
                "files": {
                    "desk": {
                        "format": "csv",
                        "tickets": {"ticket_id": "Key", "submitted_at": tree},
                        "events": [tree],
                    }
                },
            }
        ).encode()
    ),
)
YAML = st.one_of(
    BYTES,
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    TREES.map(lambda tree: json.dumps(tree).encode()),
    TREES.map(lambda tree: json.dumps({"calendars": {"desk": tree}}).encode()),
    TREES.map(lambda tree: json.dumps({"sources": {"desk": tree}}).encode()),
)
# Around the nights on which clocks change, and anywhere else.
WALL_TIMES = st.one_of(
    st.datetimes(datetime(1960, 1, 1), datetime(2210, 1, 1)),
    st.datetimes(datetime(2025, 10, 26), datetime(2025, 10, 26, 5)),
    st.datetimes(datetime(2026, 3, 29), datetime(2026, 3, 29, 5)),
    st.datetimes(datetime(2026, 4, 4, 22), datetime(2026, 4, 5, 4)),
).map(lambda one: one.replace(microsecond=0))
DATE_FORMATS = st.one_of(
    st.sampled_from(
        [
            "%Y-%m-%d",
            "%d/%m/%Y",
            "%d.%m.%Y %H:%M",
            "%Y-%m-%d %H:%M:%S",
            "%d/%b/%y %I:%M %p",
            "%m/%d/%Y %I %p",
            "%Y-%m-%dT%H",
        ]
    ),
    st.lists(
        st.sampled_from(
            ["%Y", "%m", "%d", "%H", "%M", "%S", "%I", "%p", "%b", "%B", "%y", "%%", " ", "/", ":"]
        ),
        max_size=8,
    ).map("".join),
)
CUT_INSTANTS = st.builds(
    write_cut_instant,
    DATE_FORMATS,
    st.sampled_from(
        [
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "America/Sao_Paulo",
        ]
    ),
    WALL_TIMES,
    st.one_of(st.none(), st.text(max_size=20)),
)
HEADER_WORDS = st.sampled_from(
    [
        "Ticket ID", "Criado", "Data de abertura", "createDate", "Created time", "Status", "Priorität", "Ticket#", "#", "", "Key",
        "fields.created", "Résolu", "Moment", "body", "author_id", "is_public",
        "case", "time", "activity", "field_name", "Zeitstempel", "\u202e", "a: b", '"', "REVIEW",
    ]
)  # fmt: skip
CELL_WORDS = [
    "-", "NULL", "1900-01-01", "13/02/2026 09:10", "02/02/2026", "18/févr./26 9:10 AM", "2026-02-13T09:10:00Z", "1782896400",
    "0", "52 267", "", "open", "\u2028",
]  # fmt: skip
CELLS = st.one_of(st.sampled_from(CELL_WORDS), st.text(max_size=8))


def write_rows(header: list[str], rows: list[list[str]], delimiter: str) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(
        [header, *(row[: len(header)] + [""] * (len(header) - len(row)) for row in rows)]
    )
    return stream.getvalue().encode("utf-8", "replace")


TICKETS = st.builds(
    write_rows,
    st.lists(HEADER_WORDS, min_size=1, max_size=6),
    st.lists(st.lists(CELLS, max_size=6), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
)
PAGES = st.builds(
    lambda key, names, cells: json.dumps({"total": 1, key: [dict(zip(names, cells, strict=False))]}).encode(),
    st.sampled_from(["issues", "tickets", "x", ""]),
    st.lists(HEADER_WORDS, max_size=5),
    st.lists(st.one_of(CELLS, TREES), min_size=5, max_size=5),
)
TARGETS: dict[str, tuple[st.SearchStrategy[bytes], Callable[[bytes, Path], None]]] = {
    "bytes": (BYTES, try_to_read),
    "gzip": (
        st.builds(lambda one, cut: gzip.compress(one)[: 1 + cut], BYTES, st.integers(0, 400)),
        try_to_read,
    ),
    "zip": (st.builds(pack_member, st.text(max_size=20), BYTES), try_to_read),
    "workbook": (st.builds(pack_workbook, st.lists(CELL, max_size=6), BYTES), try_to_read),
    "list": (st.lists(PIECES, max_size=25).map(lambda found: b"[" + b"".join(found)), try_to_read),
    "xml": (st.lists(PIECES, max_size=25).map(lambda found: b"<a>" + b"".join(found)), try_to_read),
    "suggest": (st.one_of(TICKETS, PAGES, BYTES), try_to_suggest),
    "windows": (CUT_INSTANTS, try_to_read_window),
    "calendars": (YAML, try_yaml(load_calendars)),
    "sources": (YAML, try_yaml(load_sources)),
    "mappings": (st.one_of(YAML, MAPPINGS), try_yaml(lambda path: load_mapping(path, "mappings/desk.yml"))),
}


def fuzz(target: str, folder: Path, seed_examples: int) -> None:
    contents, work = TARGETS[target]

    @settings(
        max_examples=seed_examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(contents)
    def run(content: bytes) -> None:
        work(content, folder)

    run()


@pytest.mark.parametrize("target", TARGETS)
def test_any_input_is_taken_or_refused_in_words(target: str, tmp_path: Path) -> None:
    fuzz(target, tmp_path, EXAMPLES)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_any_input_is_taken_or_refused_in_words_for_ten_minutes(target: str, tmp_path: Path) -> None:
    until = time.monotonic() + LONG_SECONDS / len(TARGETS)
    while time.monotonic() < until:
        fuzz(target, tmp_path, 1_000)
