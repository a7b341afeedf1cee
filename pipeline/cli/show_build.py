"""What a build is at: one line on a terminal that is written over, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pipeline.warehouse.run_dbt import OnStep


@contextmanager
def show_build(stream: TextIO, is_quiet: bool) -> Iterator[OnStep]:
    """Give what `build_workspace` is to tell. `stream` is where messages go; a log or a pipe is told nothing."""
    if is_quiet or not stream.isatty():
        from pipeline.warehouse.run_dbt import tell_nothing

        yield tell_nothing
    else:
        yield from _show_bar(stream)


def _show_bar(stream: TextIO) -> Iterator[OnStep]:
    # Only here: rich takes longer to import than many commands take.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[step]}"),
        BarColumn(20),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None, step="building", count="")
        told = "building"

        def tell(step: str, model: str | None, number: int, total: int) -> None:
            nonlocal task, told
            if step != told:
                # A task that has had a goal keeps one; the next step may have none.
                bar.remove_task(task)
                # The name of a plan is the user's: nothing in it colours the terminal.
                task, told = bar.add_task("", total=None, step=escape(step[:60]), count=""), step
            if model:
                count = f"{number} of {total}"
                bar.update(task, description=escape(model[:60]), count=count, completed=number, total=total)

        yield tell
