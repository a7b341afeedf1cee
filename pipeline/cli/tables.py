"""Tables on a terminal, and the same answers as JSON for programs. Ticket text is data: it is printed, never interpreted."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import is_safe
from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally
from pipeline.reporting.published import Ratio

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True)
class TextTable:
    """A title, columns (header, alignment), rows of finished text, and sentences below."""

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def say_number(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def write_tables(tables: TextTable | Iterable[TextTable], stream: TextIO) -> None:
    """Prints tables: drawn on a terminal, plain aligned text into a pipe or where NO_COLOR is set."""
    listed = [tables] if isinstance(tables, TextTable) else list(tables)
    is_drawn = stream.isatty() and _can_be_drawn_on(stream)
    for number, table in enumerate(listed):
        if number:
            stream.write("\n")
        if is_drawn:
            _write_drawn(table, stream)
        else:
            _write_plain(table, stream)


def _can_be_drawn_on(stream: TextIO) -> bool:
    from rich.console import Console

    # rich knows what NO_COLOR and TERM say.
    console = Console(file=stream)
    return not console.no_color and not console.is_dumb_terminal


def _write_drawn(table: TextTable, stream: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    # Text objects are never searched for markup, so that a subject cannot colour, link or hide anything.
    drawn = Table(title=Text(printable(table.title)), box=box.SIMPLE_HEAD, title_justify="left",
                  show_header=any(header for header, _ in table.columns))  # fmt: skip
    for header, alignment in table.columns:
        drawn.add_column(Text(header), justify=alignment, overflow="fold")  # type: ignore[arg-type]
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    console.print(drawn)
    for note in table.notes:
        console.print(Text(printable(note), style="dim"))


def _write_plain(table: TextTable, stream: TextIO) -> None:
    lines = [tuple(map(printable, row)) for row in table.rows]
    headers = tuple(header for header, _ in table.columns)
    if any(headers):
        lines.insert(0, headers)
    widths = [max((_width(line[index]) for line in lines), default=0) for index in range(len(headers))]
    stream.write(f"{printable(table.title)}\n")
    for line in lines:
        cells = [
            f"{' ' * (width - _width(cell))}{cell}"
            if alignment == RIGHT
            else f"{cell}{' ' * (width - _width(cell))}"
            for cell, width, (_, alignment) in zip(line, widths, table.columns, strict=True)
        ]
        stream.write("  ".join(cells).rstrip() + "\n")
    for note in table.notes:
        stream.write(f"{printable(note)}\n")


def printable(text: str) -> str:
    """Text without anything that could steer a terminal: escape sequences, line breaks and direction marks
    become visible code points."""
    return "".join(
        " " if character in "\n\r\t" else character if is_safe(character) else f"[U+{ord(character):04X}]"
        for character in text
    )


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def to_json(result: Any) -> str:
    """The same answer for programs: keys as the records name them, instants ISO with Z, durations whole
    seconds, rates as {"met", "counted", "ratio", "undecided", "lower", "upper"}: ratio null for 0 of 0 and where there are only
    bounds, lower and upper null where nothing is undecided."""
    text = json.dumps(_plain(result), ensure_ascii=False, indent=2)
    # A program reads the same text; a terminal does not obey it.
    return "".join(
        character if character == "\n" or is_safe(character) else json.dumps(character)[1:-1]
        for character in text
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Ratio):
        return _rate(value)
    if isinstance(value, Tally):
        return {field.name: getattr(value, field.name) for field in fields(value)} | {
            "compliance": _rate(value.compliance),
            "compliance_before_waivers": _rate(value.raw_compliance),
        }
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _rate(ratio: Ratio) -> dict[str, Any]:
    lower, upper = figures.decimal_bounds(ratio) or (None, None)
    return {
        "met": ratio.numerator,
        "counted": ratio.denominator,
        "ratio": figures.decimal_ratio(ratio),
        "undecided": ratio.undecided,
        "lower": lower,
        "upper": upper,
    }
