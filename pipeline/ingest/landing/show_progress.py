"""How far the landing is: a bar on a terminal, a line now and then elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from pipeline.ingest.landing.land import Progress

# A short run says nothing; a log of an hour has a few hundred lines.
_LINE_EVERY_SECONDS = 10.0


@contextmanager
def show_progress(stream: TextIO, is_quiet: bool) -> Iterator[Progress | None]:
    """Give what `land_exports` is to tell, or None for nothing. `stream` is where messages go."""
    if is_quiet:
        yield None
    elif stream.isatty():
        yield from _show_bar(stream)
    else:
        yield _write_lines(stream, time.monotonic)


def _show_bar(stream: TextIO) -> Iterator[Progress]:
    # Only here: rich takes longer to import than a small landing.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
    )
    console = Console(file=stream)
    with Progress(*columns, console=console, transient=True) as bar:
        # How many rows a file has is known at its end only, so the bar moves without a goal.
        task = bar.add_task("landing", total=None, rate=0.0)
        at = _Pace(time.monotonic)

        def tell(file: str, rows: int) -> None:
            # A file name is data: nothing in it colours the terminal.
            bar.update(task, description=escape(file[-60:]), completed=rows, rate=at.rate(file, rows))

        yield tell


def _write_lines(stream: TextIO, clock: Callable[[], float]) -> Progress:
    at = _Pace(clock)
    told_at = clock()

    def tell(file: str, rows: int) -> None:
        nonlocal told_at
        rate = at.rate(file, rows)
        if clock() - told_at >= _LINE_EVERY_SECONDS:
            told_at = clock()
            print(f"{file}: {rows:,} rows so far, {rate:,.0f} a second", file=stream, flush=True)

    return tell


class _Pace:
    """Rows a second since the file at hand began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._file: str | None = None
        self._began = 0.0
        self._first_rows = 0

    def rate(self, file: str, rows: int) -> float:
        if file != self._file:
            self._file, self._began, self._first_rows = file, self._clock(), rows
        taken = self._clock() - self._began
        return (rows - self._first_rows) / taken if taken > 0 else 0.0
