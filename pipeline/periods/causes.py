"""Why a figure of a closed month changed: the inputs that differ between two builds, as far as they bear on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# The rule files that a value rests on, besides the rows of its ticket, by the beginning of their names.
_WAIVERS = ("reference/waivers.csv",)
_CUSTOMERS = ("reference/customers.csv", "reference/customer_words.csv")
_TERMS = ("reference/subscriptions.csv", "reference/licenses.csv")
_HOURS = ("reference/calendars/", "reference/plans/", *_TERMS)
_UNITS = (
    *_TERMS,
    "reference/purchases.csv",
    "reference/redemptions.csv",
    *_WAIVERS,
    *_CUSTOMERS,
    "reference/plans/",
)
# A verdict follows from these; where one of them changed with it, the verdict has its causes.
_MEASURED = {"due", "target", "time counted"}
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
        in_one = connection.execute(
            f"""
            select ticket_id from (
                (select ticket_id from served.core.dim_tickets except select ticket_id from {name}.core.dim_tickets)
                union all
                (select ticket_id from {name}.core.dim_tickets except select ticket_id from served.core.dim_tickets)
            )
            where list_contains($tickets::varchar[], ticket_id)
            """,
            {"tickets": sorted(ticket_ids)},
        ).fetchall()
        self._in_one_build = {ticket_id for (ticket_id,) in in_one}
        for ticket_id, batch_id in lineage:
            self._landed[ticket_id].append(landed[batch_id])

    def find(self, what: str, ticket_id: str, changed_with: Set[str], is_whole: bool) -> tuple[str, ...]:
        """The inputs behind one changed value of a ticket. `changed_with`: what else of the same item changed;
        `is_whole`: the item as a whole came to the customer's month, or left it.

        Where none can be named with certainty: one text, "one of" those that it may be.
        """
        landed = tuple(sorted(set(self._landed[ticket_id])))
        # A ticket that one of the two builds does not have at all is there, or not, because of its files.
        if ticket_id in self._in_one_build and landed:
            return landed
        if "waiver" in changed_with and not is_whole and (found := self._rules_under(_WAIVERS)):
            return found
        if is_whole:
            rules = self._rules_under((*_CUSTOMERS, *_HOURS))
        elif what in _MEASURED or changed_with & _MEASURED:
            rules = self._rules_under(_HOURS)
        else:
            rules = ()
        return self._choose(landed, rules)

    def find_of_movement(self, ticket_id: str | None) -> tuple[str, ...]:
        """The inputs behind a movement of units, which a ticket or a contract record causes."""
        landed = () if ticket_id is None else tuple(sorted(set(self._landed[ticket_id])))
        if ticket_id in self._in_one_build and landed:
            return landed
        return self._choose(landed, self._rules_under(_UNITS))

    def find_of_name(self) -> tuple[str, ...]:
        """The inputs behind the name of a customer."""
        return self._rules_under(_CUSTOMERS[:1]) or self._any()

    def find_of_sum(self, parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        """The inputs behind a count or a balance: those of the changed values of the same customer and month that it is
        made of."""
        return tuple(sorted({cause for causes in parts for cause in causes})) or self._choose(
            (), self._rules_under(_UNITS)
        )

    def _choose(self, landed: tuple[str, ...], rules: tuple[str, ...]) -> tuple[str, ...]:
        if landed and not rules:
            return landed
        return _one_of([*landed, *rules]) if landed or rules else self._any()

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
