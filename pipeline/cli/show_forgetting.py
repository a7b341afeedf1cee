"""What a request to forget changed, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.line import options, say
from pipeline.settings import Workspace

if TYPE_CHECKING:
    from pipeline.privacy.forget import Forgetting


def show_forgetting(workspace: Workspace, done: Forgetting) -> None:
    if options.is_json:
        from pipeline.cli.tables import to_json

        typer.echo(to_json(done))
        return
    typer.echo(
        f"{done.tickets} tickets, {done.values} names and addresses, {done.batches} batches; "
        f"customers: {', '.join(done.customers) or 'none'}"
    )
    for what, paths in (("removed", done.removed), ("changed", done.changed)):
        for path in paths:
            typer.echo(f"{what}: {path.relative_to(workspace.root)}")
    say("Backups, the helpdesk itself and what was delivered are not changed: forget there too.")
