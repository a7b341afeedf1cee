"""The demo's months, and text files that start a new part before they grow too large to read in one go."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

LINES_A_FILE = 100_000


class Month(NamedTuple):
    """One calendar month UTC, half-open in epoch seconds. `label` is `YYYY-MM`."""

    label: str
    starts_at: int
    ends_at: int


def epoch_of(day: date) -> int:
    """The first second of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def list_months(ends_on: date, count: int) -> tuple[Month, ...]:
    """The `count` calendar months before `ends_on`, which is the first of a month."""
    last = ends_on.year * 12 + ends_on.month - 1
    firsts = [date(number // 12, number % 12 + 1, 1) for number in range(last - count, last + 1)]
    return tuple(
        Month(f"{first:%Y-%m}", epoch_of(first), epoch_of(following))
        for first, following in zip(firsts, firsts[1:], strict=False)
    )


_DAY_TEXTS: dict[int, str] = {}


def instant_text(at: int) -> str:
    """`2026-06-30T23:59:35Z`. The day part is remembered: formatting it again dominates large demos."""
    day, second = divmod(at, 86400)
    text = _DAY_TEXTS.get(day)
    if text is None:
        text = _DAY_TEXTS[day] = f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d}"
    minute, second = divmod(second, 60)
    return f"{text}T{minute // 60:02d}:{minute % 60:02d}:{second:02d}Z"


class PartedFile:
    """Lines into `<stem>.<suffix>`, then `<stem>-002.<suffix>` and so on, each part with the same first line.

    Nothing is created before the first line. UTF-8, `\\n`.
    """

    def __init__(
        self, folder: Path, stem: str, suffix: str, first_line: str = "", lines_a_file: int = LINES_A_FILE
    ) -> None:
        self._folder = folder
        self._stem = stem
        self._suffix = suffix
        self._first_line = first_line
        self._lines_a_file = lines_a_file
        self._lines_left = 0
        self._part: TextIO | None = None
        self.files_count = 0

    def write(self, line: str) -> None:
        """Append one line, given without its end."""
        if self._lines_left == 0:
            self._open_part()
        assert self._part is not None
        self._part.write(line + "\n")
        self._lines_left -= 1

    def _open_part(self) -> None:
        self.close()
        self.files_count += 1
        part = "" if self.files_count == 1 else f"-{self.files_count:03d}"
        path = self._folder / f"{self._stem}{part}.{self._suffix}"
        self._part = path.open("w", encoding="utf-8", newline="\n")
        if self._first_line:
            self._part.write(self._first_line + "\n")
        self._lines_left = self._lines_a_file

    def close(self) -> None:
        """Finish the current part; a later `write` starts the next one."""
        if self._part is not None:
            self._part.close()
            self._part = None
        self._lines_left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
