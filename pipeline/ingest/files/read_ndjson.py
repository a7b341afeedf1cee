"""NDJSON as Arrow batches of whole lines.

Lines are found here and parsed by the engine: no JSON is parsed in Python, except to say what is wrong with a
line that the engine refused.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.ingest.files.engine import connect
from pipeline.ingest.files.exports import Export, open_export, reject
from pipeline.ingest.files.limits import DOCUMENT_BYTES as LINE_LIMIT_BYTES
from pipeline.ingest.files.limits import LINES_AT_ONCE
from pipeline.ingest.files.refused import Refused

CHUNK_BYTES = 64 << 20
# Small enough that every thread of the engine gets some of a chunk.
_LINES_PER_BATCH = 2048
_LINE_END = 10
_BLANKS = np.frombuffer(b" \t\n\r\v\f", np.uint8)
_WINDOW_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"
_AGAIN = "Export the file again."
# The escape of one half of a character beyond the first 65,536; both halves together, or what only looks like an escape.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_NO_HALF = re.compile(r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
HALF_REASON = "holds half a character: an escape such as \\ud83d without its other half"
HALF_HINT = "A text was cut there, mostly an emoji. Export it again, or correct the text in the helpdesk."


@dataclass(frozen=True)
class Lines:
    """Some lines of a file, in order: `table` has line_number and line; `refused` are the lines that were no
    UTF-8.

    The table is valid until the next lines are read. `cut_off_line` is the last line of the file when no line
    end follows it.
    """

    table: pa.Table
    refused: list[Refused]
    cut_off_line: int | None


def read_lines(export: Export) -> Iterator[Lines]:
    """The lines that are not blank. Raises InputRejected for a line above the limit."""
    whole = _read_spread_object(export)
    if whole is not None:
        yield Lines(
            pa.table({"line_number": pa.array([1], pa.int64()), "line": pa.array([whole], pa.string())}),
            [],
            None,
        )
        return
    # While the engines parse some lines, the next are read and found.
    with closing(_read_chunks(export)) as chunks, ThreadPoolExecutor(1) as beside:
        ahead = beside.submit(next, chunks, None)
        while (lines := ahead.result()) is not None:
            ahead = beside.submit(next, chunks, None)
            yield lines


def _read_chunks(export: Export) -> Generator[Lines]:
    line_number = 1
    try:
        for buffer, start, stop in _read_whole_lines(export):
            while start < stop:
                lines, line_count, start = _split(buffer, start, stop, line_number)
                line_number += line_count
                # The engine takes as long for nothing as for a line.
                if lines.table.num_rows or lines.refused:
                    yield lines
    except _LineTooLong as problem:
        raise reject(
            export,
            f"a line is longer than {LINE_LIMIT_BYTES >> 20} MB.",
            "Export smaller pages, or one object a line.",
            problem.line_number or line_number,
        ) from None


class _LineTooLong(Exception):
    """Only inside this module. `line_number`: None for the first line of what is read next."""

    def __init__(self, line_number: int | None = None) -> None:
        self.line_number = line_number
        super().__init__(line_number)


def _read_whole_lines(export: Export) -> Iterator[tuple[mmap.mmap, int, int]]:
    """The content as whole lines: a buffer and where in it they start and stop.

    The buffer is filled again for the next lines but one. Raises _LineTooLong.
    """
    # Mapped, because that memory is only taken where it is written: most files are small.
    buffer, other = mmap.mmap(-1, CHUNK_BYTES), mmap.mmap(-1, CHUNK_BYTES)
    filled = 0
    is_first = True
    with open_export(export) as stream:
        while True:
            read = stream.readinto(memoryview(buffer)[filled:])
            filled += read
            stop = buffer.rfind(b"\n", 0, filled) + 1 if read else filled
            if stop:
                start = len(_BOM) if is_first and buffer[: len(_BOM)] == _BOM else 0
                is_first = False
                yield buffer, start, stop
                if len(other) < len(buffer):
                    other = mmap.mmap(-1, len(buffer))
                other[: filled - stop] = buffer[stop:filled]
                filled -= stop
                buffer, other = other, buffer
            if not read:
                return
            if filled == len(buffer):
                if filled >= LINE_LIMIT_BYTES:
                    raise _LineTooLong()
                longer = mmap.mmap(-1, 2 * filled)
                longer[:filled] = buffer[:filled]
                buffer = longer


def _split(buffer: mmap.mmap, start: int, stop: int, first_line: int) -> tuple[Lines, int, int]:
    """The first lines of a part of the buffer, how many they are, and where the next ones start."""
    window = min(stop, start + _WINDOW_BYTES)
    ends = _find_ends(buffer, start, window)
    # Only short lines fill a window; of long ones all are taken at once.
    if window < stop and len(ends) <= LINES_AT_ONCE:
        ends = _find_ends(buffer, start, stop)
    ends = ends[:LINES_AT_ONCE]
    is_cut_off = buffer[stop - 1] != _LINE_END and len(ends) < LINES_AT_ONCE
    if is_cut_off:
        ends = np.append(ends, stop)
    stop = int(ends[-1])
    line_count = len(ends)
    offsets = np.concatenate(([start], ends)).astype(np.int32)
    too_long = np.flatnonzero(np.diff(offsets) > LINE_LIMIT_BYTES)
    if len(too_long):
        raise _LineTooLong(first_line + int(too_long[0]))
    numbers = pa.array(np.arange(first_line, first_line + line_count, dtype=np.int64))
    # The lines stay where they were read; the line end belongs to the value and is white space to JSON.
    lines = pa.Array.from_buffers(
        pa.string(), line_count, [None, pa.py_buffer(offsets), pa.py_buffer(buffer)]
    )
    refused: list[Refused] = []
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        numbers, lines, refused = _keep_utf8(buffer, offsets, first_line)
    else:
        # A line end alone, or after one more blank: a carriage return, mostly.
        lengths = np.diff(offsets)
        content = np.frombuffer(buffer, np.uint8)
        is_blank = (lengths <= 2) & np.isin(content[offsets[:-1]], _BLANKS)
        is_blank &= np.isin(content[offsets[1:] - 1], _BLANKS)
        del content
        if is_blank.any():
            numbers, lines = numbers.filter(pa.array(~is_blank)), lines.filter(pa.array(~is_blank))
    table = pa.table({"line_number": numbers, "line": lines})
    table = pa.Table.from_batches(table.to_batches(max_chunksize=_LINES_PER_BATCH), table.schema)
    return Lines(table, refused, first_line + line_count - 1 if is_cut_off else None), line_count, stop


def _find_ends(buffer: mmap.mmap, start: int, stop: int) -> np.ndarray:
    """Where the lines end that end within a part of the buffer."""
    # No view of the buffer may be left: it could not be replaced by a longer one.
    return np.flatnonzero(np.frombuffer(buffer, np.uint8)[start:stop] == _LINE_END) + (start + 1)


def _keep_utf8(
    buffer: mmap.mmap, offsets: np.ndarray, first_line: int
) -> tuple[pa.Array, pa.Array, list[Refused]]:
    numbers, lines, refused = [], [], []
    for at in range(len(offsets) - 1):
        line = buffer[offsets[at] : offsets[at + 1]]
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as problem:
            shown = line.strip().decode("utf-8", "surrogateescape")
            reason = f"is not UTF-8 at byte {problem.start + 1} of the line"
            refused.append(Refused(first_line + at, None, shown, reason, "Export the file as UTF-8."))
            continue
        if text.strip():
            numbers.append(first_line + at)
            lines.append(text)
    return pa.array(numbers, pa.int64()), pa.array(lines, pa.string()), refused


def _read_spread_object(export: Export) -> str | None:
    """The whole file when it is one JSON object spread over several lines, as a saved API answer often is."""
    with open_export(export) as stream:
        first = stream.readline(CHUNK_BYTES).removeprefix(_BOM).strip()
        if not first.startswith(b"{") or first.endswith(b"}"):
            return None
        content = stream.read(LINE_LIMIT_BYTES)
    try:
        text = (first + b"\n" + content).decode("utf-8")
    except UnicodeDecodeError:
        return None
    with closing(connect()) as connection:
        found = connection.execute("select json_valid(?)", [text]).fetchone()
    return text if found == (True,) else None


def holds_half_character(text: str) -> bool:
    """Whether JSON text escapes one half of a character without the other. JSON lets it pass; no file can hold it."""
    return bool(_HALF.search(text)) and bool(_HALF.search(_NO_HALF.sub("", text)))


def explain_lines(lines: list[tuple[int, str]], cut_off_line: int | None, expected: str) -> list[Refused]:
    """Say for each refused line (number, text) what is wrong with it; `expected` names what a line may
    hold.
    """
    return [
        Refused(number, None, line.strip(), *_explain(line, number == cut_off_line, expected))
        for number, line in lines
    ]


def _explain(line: str, is_cut_off: bool, expected: str) -> tuple[str, str]:
    try:
        value = json.loads(line)
    except RecursionError:
        return "is nested too deeply", _AGAIN
    except ValueError as problem:
        if is_cut_off:
            return "is truncated: the file ends inside this record", _AGAIN
        at = (
            f": {problem.msg} at character {problem.pos + 1}"
            if isinstance(problem, json.JSONDecodeError)
            else ""
        )
        return f"is not valid JSON{at}", _AGAIN
    if isinstance(value, dict) and holds_half_character(line):
        return HALF_REASON, HALF_HINT
    if isinstance(value, dict):
        return f"holds none of {expected}", "Check that the file belongs to this source and its type."
    kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )
    return f"is {kind}, not an object", "One JSON object a line is expected."
