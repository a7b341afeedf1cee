"""Commands that prove a figure to another person: `sla verify` computes an evidence archive again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.line import app, options
from pipeline.errors import ChecksFailed, ConfigurationError

if TYPE_CHECKING:
    from pipeline.periods.editions import Issue
    from pipeline.settings import Workspace


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An archive that `sla report --evidence` wrote.")],
) -> None:
    """Compute every figure of an evidence archive again, from its rows alone: no workspace is needed.

    Example: sla verify c-0001-2026-06-evidence.zip
    """
    from pipeline.evidence.recompute import recompute_evidence

    if not file.is_file():
        raise ConfigurationError(
            f"There is no file {file}. Name an archive that `sla report --evidence` wrote."
        )
    found = recompute_evidence(file)
    if found.differences:
        raise ChecksFailed(
            f"{file} is unchanged since it was packed, and its rows do not give the figures that it states: "
            f"{len(found.differences)} differ.",
            found.differences,
        )
    if options.is_json:
        from pipeline.cli.tables import to_json

        typer.echo(to_json(found))
        return
    typer.echo(f"{file} is unchanged and proves its figures.")
    typer.echo(
        f"customer     {found.customer_name} ({found.customer_id}), {found.month}, data as of {found.as_of}"
    )
    typer.echo(f"build        {found.build_id}")
    typer.echo(
        f"computed     {found.met} of {found.counted} promises met, from {found.obligations} obligations"
    )
    typer.echo(
        f"             {found.seconds} seconds on their clocks, {found.movements} movements of the ledger"
    )


def write_evidence(workspace: Workspace, issues: Sequence[Issue], out: Path) -> list[Path]:
    """The evidence archive of each edition, beside its report, from the build that its figures are read from."""
    from pipeline.evidence.collect import collect_evidence
    from pipeline.periods.issue import name_files
    from pipeline.reporting.published import EVERY_CUSTOMER, open_of_record
    from pipeline.whole_files import write_whole

    written = []
    for issue in issues:
        path = out / f"{name_files(issue)}-evidence.zip"
        with open_of_record(workspace, issue.build, issue.history) as published:
            write_whole(path, collect_evidence(published, EVERY_CUSTOMER, issue.customer_id, issue.month))
        written.append(path)
    return written
