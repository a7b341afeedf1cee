"""Commands about hours: business-time questions, and a helpdesk's own schedules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.line import app
from pipeline.errors import PartlyDone


@app.command()
def clock(
    questions: Annotated[Path, typer.Argument(help="NDJSON, one question a line.")],
    calendars: Annotated[Path, typer.Option(help="A calendar file.")],
) -> None:
    """Answer business-time questions with the very SQL that the models use.

    Example: sla clock questions.ndjson --calendars data/reference/calendars/business_hours.yml
    """
    from pipeline.calendars.clock import answer_questions

    if answer_questions(questions, calendars, sys.stdout) != 0:
        raise PartlyDone("Some questions could not be answered; each of them says why in its own line.")


@app.command()
def schedules(
    file: Annotated[Path, typer.Argument(help="Zendesk's schedules or Freshdesk's business hours, as JSON.")],
) -> None:
    """A helpdesk's own schedules as a file for reference/calendars, on stdout.

    Example: sla schedules schedules.json > reference/calendars/helpdesk.yml
    """
    from pipeline.calendars.read_schedules import write_calendars

    typer.echo(write_calendars(file), nl=False)
