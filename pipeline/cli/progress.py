"""How far a list of reports is: a bar on a terminal, nothing elsewhere and where it is asked to be quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

OnStep = Callable[[str], None]


@contextmanager
def count_steps(stream: TextIO, is_quiet: bool, what: str) -> Iterator[Callable[[int], OnStep]]:
    """Gives a function of the number of steps, which gives what each step calls with its name. `stream` is where messages go."""
    if is_quiet or not stream.isatty():
        yield lambda total: lambda name: None
        return
    # Only here: rich takes longer to import than a small report.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:

        def start(total: int) -> OnStep:
            task = bar.add_task(what, total=total, name="")
            begun = 0

            def step(name: str) -> None:
                nonlocal begun
                # A name is data: nothing in it colours the terminal.
                bar.update(task, completed=begun, name=escape(name[-40:]))
                begun += 1

            return step

        yield start
