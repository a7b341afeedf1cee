"""The portal's export in the canonical form: tickets.csv and events.csv, the state at the end of the data.

`severity` in tickets.csv is the one submitted; changes stand in events.csv.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.demo.lives import Ticket
from pipeline.demo.windows import PartedFile, instant_text

TICKET_COLUMNS = (
    "ticket_id", "customer_id", "requester", "channel", "severity", "submitted_at", "subject", "ticket_type",
    "tags", "updated_at",
)  # fmt: skip
EVENT_COLUMNS = (
    "event_id",
    "ticket_id",
    "event_at",
    "event_type",
    "actor_kind",
    "actor",
    "is_public",
    "value",
)


class PortalWriter:
    """Writes tickets in the order given; call `close` at the end."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._tickets = PartedFile(folder, "tickets", "csv", ",".join(TICKET_COLUMNS))
        self._events = PartedFile(folder, "events", "csv", ",".join(EVENT_COLUMNS))

    def write(self, ticket: Ticket) -> None:
        severity = "" if ticket.severity is None else str(ticket.severity)
        self._tickets.write(
            csv_line(
                ticket.ticket_id, ticket.customer_id, ticket.requester.email, ticket.channel, severity,
                instant_text(ticket.submitted_at), ticket.subject, ticket.ticket_type, "",
                instant_text(ticket.steps[-1].at),
            )
        )  # fmt: skip
        number = 0
        for step in ticket.steps:
            at = instant_text(step.at)
            for act in step.acts:
                number += 1
                is_message = act.kind == "message"
                is_public = ("true" if act.value == "public" else "false") if is_message else ""
                self._events.write(
                    csv_line(
                        f"{ticket.ticket_id}-E{number:02d}", ticket.ticket_id, at, act.kind,
                        step.actor.kind, step.actor.email, is_public, "" if is_message else act.value,
                    )
                )  # fmt: skip

    def close(self) -> int:
        """Finish the files and give their number."""
        self._tickets.close()
        self._events.close()
        return self._tickets.files_count + self._events.files_count


def csv_line(*values: str) -> str:
    """One CSV record without its end, quoted only where needed."""
    return ",".join(
        '"' + value.replace('"', '""') + '"' if "," in value or '"' in value or "\n" in value else value
        for value in values
    )
