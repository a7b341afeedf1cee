"""Commands that prove a figure to another person: is a document ours, unchanged, and do its figures stand?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.line import app, options
from pipeline.errors import ChecksFailed, ConfigurationError, clean

if TYPE_CHECKING:
    from pipeline.periods.editions import Issue
    from pipeline.reporting.edition import Change
    from pipeline.settings import Workspace


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(help="A report as it was issued, or an archive of `sla report --evidence`.")
    ],
) -> None:
    """Is this report one that we issued, unchanged, and do its figures still stand?

    The figures of an archive (.zip) are computed again from its rows alone; for that no workspace is needed.

    Example: sla verify kestrel-aerospace-ltd-75c30719-2026-05.pdf
    """
    if file.is_dir():
        raise ConfigurationError(
            f"{file} is a folder. Name one file of it: a report (PDF, CSV or XLSX) as it was issued, or an archive of "
            "`sla report --evidence`."
        )
    if not file.is_file():
        raise ConfigurationError(
            f"There is no file {file}. Name a report or an archive of `sla report --evidence`."
        )
    if file.suffix == ".zip":
        _verify_archive(file)
    else:
        _verify_document(file)


def _verify_archive(file: Path) -> None:
    from pipeline.evidence.recompute import recompute_evidence

    found = recompute_evidence(file)
    if found.differences:
        raise ChecksFailed(
            f"{file} is unchanged since it was packed, and its rows do not give the figures that it states: "
            f"{len(found.differences)} differ.",
            found.differences,
        )
    lines = (
        f"{file} is unchanged and proves its figures.",
        f"customer     {found.customer_name} ({found.customer_id}), {found.month}, data as of {found.as_of}",
        f"build        {found.build_id}",
        f"computed     {found.met} of {found.counted} promises met, from {found.obligations} obligations",
        f"             {found.seconds} seconds on their clocks, {found.movements} movements of the ledger",
    )
    _show(found, lines)


def _verify_document(file: Path) -> None:
    from pipeline.periods.verify import verify_document

    found = verify_document(options.find_workspace(), file)
    lines = [
        f"{file} is {found.report_number} as it was issued for {found.customer_id}, {found.month}: unchanged."
    ]
    if found.is_replaced:
        lines.append(
            "This workspace has forgotten a person or customer since, and keeps this edition without them."
        )
    if found.stands:
        lines.append("Its figures stand: nothing corrects them.")
    elif found.newest is None:
        lines.append(f"{found.month} was reopened since, so its figures are open again.")
    else:
        lines.append(f"Its figures were corrected: {found.newest} is in force.")
        lines += [_describe_change(change) for change in found.changes]
    _show(found, lines)


def _describe_change(change: Change) -> str:
    of = ", ".join(part for part in (change.ticket_id, change.obligation) if part)
    because = "; ".join(change.causes)
    return f"  {change.what}{f' of {of}' if of else ''}: {change.old or 'none'} -> {change.new or 'none'} ({because})"


def _show(found: object, lines: Sequence[str]) -> None:
    if options.is_json:
        from pipeline.cli.tables import to_json

        typer.echo(to_json(found))
        return
    for line in lines:
        typer.echo(clean(line))


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
