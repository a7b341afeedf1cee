"""The closed vocabularies, read from the seeds of the dbt project: what stands there once is what Python and SQL know.

Every constant is a tuple of words in the order of its seed.
"""

from __future__ import annotations

import csv

from pipeline.settings import DBT_PROJECT


def _read(seed: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


# Event type -> what of a ticket such an event shows.
EVIDENCE_OF = {row["event_type"]: row["evidence"] for row in _read("event_types")}
EVENT_TYPES = tuple(EVIDENCE_OF)
TICKET_STATUSES = tuple(row["ticket_status"] for row in _read("ticket_statuses"))
ACTOR_KINDS = tuple(row["actor_kind"] for row in _read("actor_kinds"))
# The languages that documents for customers are written in; one of any other language gets the first.
LANGUAGES = ("en", "de", "fr")
# Why a promise was breached, in the order in which the classes are looked for.
BREACH_CLASSES = tuple(
    row["breach_class"] for row in sorted(_read("breach_classes"), key=lambda row: int(row["precedence"]))
)
SLA_STATUSES = tuple(row["status"] for row in _read("sla_statuses"))
