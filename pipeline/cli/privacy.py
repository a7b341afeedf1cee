"""Commands that forget a person or customer, and remove what is older than it has to be kept."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.line import app, options, say
from pipeline.cli.recording import recorded
from pipeline.cli.show_forgetting import show_forgetting
from pipeline.cli.workspace import finish_forgetting


@app.command()
def forget(
    whom: Annotated[
        str,
        typer.Argument(
            metavar="REQUESTER|CUSTOMER", help="An address or name as exported, or a customer id."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be changed and removed; write nothing.")
    ] = False,
) -> None:
    """Take a person's or customer's names, addresses and texts out of the workspace; counts, verdicts and balances stay.

    Exports in which they stand are removed, documents are rendered again, and what lands later is cleaned. Kept are ids, and the
    domain of an address. Backups, the helpdesk and what was delivered are not changed.

    Example: sla forget ann@acme.example --dry-run
    """
    from pipeline.privacy.forget import begin, preview
    from pipeline.warehouse.build import lock_workspace

    workspace = options.find_workspace()
    if dry_run:
        show_forgetting(workspace, preview(workspace, whom))
        return
    with lock_workspace(workspace), recorded(workspace, "forget"):
        finish_forgetting(workspace)
        begin(workspace, whom)
        finish_forgetting(workspace)


@app.command()
def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed; write nothing.")
    ] = False,
) -> None:
    """Remove what is older than `retention:` of sla.yml says: exports, values of refused records, reports, runs, versions.

    Figures, closed months with their builds and documents, and the ledger of deliveries stay.

    Example: sla prune --dry-run
    """
    from pipeline.privacy.prune import find_old
    from pipeline.privacy.prune import prune as remove_old
    from pipeline.rules.load_sources import load_sources
    from pipeline.settings import read_clock
    from pipeline.warehouse.build import lock_workspace

    workspace = options.find_workspace()
    retention = load_sources(workspace.sla_yml).retention
    if dry_run:
        found = find_old(workspace, retention, read_clock())
    else:
        with lock_workspace(workspace), recorded(workspace, "prune"):
            found = remove_old(workspace, retention, read_clock())
    if options.is_json:
        from pipeline.cli.tables import to_json

        typer.echo(to_json(found))
        return
    for old in found:
        what = "values of refused records in " if old.kind == "quarantine" else ""
        typer.echo(f"{old.kind}: {what}{old.path.relative_to(workspace.root)} (since {old.since})")
    say(f"{'Would remove' if dry_run else 'Removed'}: {len(found)}.")
