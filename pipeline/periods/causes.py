"""Why a figure of a closed month changed: the inputs that differ between two builds, as far as they bear on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# What a change of a value rests on, besides the rows of its ticket: the rule files that decide it, by the beginning of
# their names.
_CONTRACTS = (
    "reference/subscriptions.csv",
    "reference/licenses.csv",
    "reference/purchases.csv",
    "reference/redemptions.csv",
    "reference/customers.csv",
    "reference/customer_words.csv",
)
_RULES_OF = {
    "waiver": ("reference/waivers.csv",),
    "name": ("reference/customers.csv",),
    "due": ("reference/calendars/", "reference/plans/", *_CONTRACTS),
    "target": ("reference/plans/", *_CONTRACTS),
    "time counted": ("reference/calendars/", "reference/plans/", *_CONTRACTS),
}
# Of a status and its reason: in this order, the first that changed with the value and has a file that changed.
_OF_A_VERDICT = ("waiver", "due", "target", "time counted")
_SHOWN = 12


class Causes:
    """The inputs that differ between a build on record, attached as `name`, and the served one; `ticket_ids` are those
    that changed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, ticket_ids: set[str]) -> None:
        changed = connection.execute(
            f"""
            select kind, name, digest, batch_id from (
                (select * from served.meta.inputs except select * from {name}.meta.inputs)
                union
                (select * from {name}.meta.inputs except select * from served.meta.inputs)
            )
            order by kind, name, digest
            """
        ).fetchall()
        # A file that changed differs twice: as it was and as it is.
        self._changed = list(dict.fromkeys(_say(kind, text, digest) for kind, text, digest, _ in changed))
        self._rules = sorted({text for kind, text, *_ in changed if kind == "rules"})
        landed = {
            batch: _say(kind, text, digest) for kind, text, digest, batch in changed if batch is not None
        }
        # The same content, read by another release or with other settings, is on both sides.
        read_again = {
            batch
            for (batch,) in connection.execute(
                f"select batch_id from served.meta.inputs where batch_id in (select batch_id from {name}.meta.inputs)"
            ).fetchall()
        }
        self._landed: dict[str, list[str]] = defaultdict(list)
        lineage = connection.execute(
            f"""
            select distinct ticket_id, batch_id
            from (
                select ticket_id, batch_id from served.core.fct_ticket_events
                union all select ticket_id, batch_id from served.core.dim_tickets
                union all select ticket_id, batch_id from {name}.core.fct_ticket_events
                union all select ticket_id, batch_id from {name}.core.dim_tickets
            )
            where list_contains($batches::varchar[], batch_id) and list_contains($tickets::varchar[], ticket_id)
            order by 1, 2
            """,
            {"batches": sorted(set(landed) - read_again), "tickets": sorted(ticket_ids)},
        ).fetchall()
        for ticket_id, batch_id in lineage:
            self._landed[ticket_id].append(landed[batch_id])

    def find(self, what: str, ticket_id: str | None, changed_with: Set[str]) -> tuple[str, ...]:
        """The inputs behind one changed value. `changed_with`: what else of the same item changed.

        Where none can be named with certainty: one text, "one of" those that it may be.
        """
        kinds = [what] if what in _RULES_OF else [kind for kind in _OF_A_VERDICT if kind in changed_with]
        # A waiver and a name have one file each; nothing else changes them.
        for certain in ("waiver", "name"):
            if certain in kinds and (found := self._rules_under(_RULES_OF[certain])):
                return found
        landed = tuple(dict.fromkeys(self._landed[ticket_id])) if ticket_id is not None else ()
        decided = [kind for kind in kinds if kind in _OF_A_VERDICT]
        rules = tuple(dict.fromkeys(file for kind in decided for file in self._rules_under(_RULES_OF[kind])))
        if what not in _OF_A_VERDICT and not decided:
            rules = self._rules_under(_CONTRACTS)
        if landed and rules:
            return _one_of([*landed, *rules])
        return landed or rules or self._any()

    def _rules_under(self, beginnings: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for text in self._rules if text.startswith(beginnings))

    def _any(self) -> tuple[str, ...]:
        return _one_of(self._changed) if self._changed else ("a later as_of",)


def _one_of(inputs: Sequence[str]) -> tuple[str, ...]:
    if len(inputs) == 1:
        return tuple(inputs)
    left = len(inputs) - _SHOWN
    listed = ", ".join(inputs[:_SHOWN]) + (f" and {left} more" if left > 0 else "")
    return (f"one of {listed}",)


def _say(kind: str, name: str, digest: str) -> str:
    if kind == "landed":
        # Two exports of one name are two inputs.
        return f"{name} ({digest[:8]})"
    return {"rules": name, "package": f"package {name}", "program": f"program ({name})"}.get(kind, name)
