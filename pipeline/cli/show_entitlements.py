"""Balances, statements and alerts as tables."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cli.tables import LEFT, RIGHT, TextTable, say_number
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Alert, Balance, Movement, Statement


def entitlements_table(balances: Sequence[Balance]) -> TextTable:
    """One line per subscription term and pool."""

    def number(balance: Balance, value: int | None) -> str:
        return figures.quantity(value, is_unlimited=balance.is_unlimited, is_stated=balance.is_stated)

    rows = tuple(
        (
            row.customer_id,
            row.plan,
            f"{row.term_starts_on} to {row.term_ends_on} ({row.term_status})",
            figures.words(row.pool),
            number(row, row.granted_quantity),
            str(row.purchased_quantity),
            str(row.used_quantity),
            str(row.credited_quantity),
            figures.signed(row.overflowed_out_quantity - row.overflowed_in_quantity),
            str(row.expired_quantity),
            figures.signed(row.carried_quantity),
            number(row, row.remaining_quantity),
            str(row.overage_quantity),
            "–" if row.burn is None else f"{row.burn.numerator} of {row.burn.denominator}",
            figures.percent_alone(row.even_pace),
            str(row.days_left),
        )
        for row in balances
    )
    columns = (
        ("customer", LEFT), ("plan", LEFT), ("term", LEFT), ("pool", LEFT), ("granted", RIGHT),
        ("purchased", RIGHT),
        ("used", RIGHT), ("credited", RIGHT), ("overflow", RIGHT), ("expired", RIGHT), ("carried", RIGHT),
        ("remaining", RIGHT), ("overage", RIGHT), ("consumed", RIGHT), ("term passed", RIGHT), ("days left", RIGHT),
    )  # fmt: skip
    notes = (
        "granted + purchased - used + credited + overflow + overage - expired + carried = remaining.",
        f"As of {figures.instant(balances[0].as_of)}."
        if balances
        else "No subscription term falls under this choice.",
    )
    return TextTable("Entitlements", columns, rows, notes)


def ledger_tables(statements: Sequence[Statement]) -> list[TextTable]:
    """A bank statement per pool: opening, every line with the balance after it, closing."""
    if not statements:
        return [TextTable("Entitlement ledger", (("pool", LEFT),), (), ("Nothing has moved here.",))]
    return [_statement_table(statement) for statement in statements if _is_told(statement)] or [
        TextTable("Entitlement ledger", (("pool", LEFT),), (), ("Nothing has moved in this month.",))
    ]


def _is_told(statement: Statement) -> bool:
    """An assistance that was not redeemed and that the plan does not state is left out."""
    return (
        statement.closing_quantity is not None
        or bool(statement.lines[1:])
        or statement.months[0].is_unlimited
    )


def _statement_table(statement: Statement) -> TextTable:
    first, last = statement.months[0], statement.months[-1]

    def number(value: int | None) -> str:
        return figures.quantity(value, is_unlimited=first.is_unlimited, is_stated=first.is_stated)

    rows = [
        (
            figures.instant(line.happened_at),
            line.movement_kind,
            (line.reason or "–") + (f" ({line.cause_id})" if line.cause_kind == "purchase" else ""),
            line.ticket_id or "–",
            figures.supply(line.payer_kind, line.payer_id),
            "–" if line.quantity is None else figures.signed(line.quantity),
            "–" if line.balance_after is None else str(line.balance_after),
        )
        for line in statement.lines
    ]
    span = first.month if first.month == last.month else f"{first.month} to {last.month}"
    title = (
        f"{figures.words(statement.pool)} of {statement.subscription_id} ({statement.plan}, "
        f"{first.term_starts_on} to {first.term_ends_on}), {span}"
    )
    columns = (
        ("when", LEFT), ("movement", LEFT), ("why", LEFT), ("ticket", LEFT), ("paid by", LEFT),
        ("quantity", RIGHT), ("balance", RIGHT),
    )  # fmt: skip
    blank = ("", "", "", "")
    opened = ("", "", "opening balance", *blank[1:], number(first.opening_quantity))
    closed = ("", "", "closing balance", *blank[1:], number(last.closing_quantity))
    over = last.overage_to_date_quantity
    notes = (f"Over the included number so far: {over}.",) if over else ()
    return TextTable(title, columns, (opened, *rows, closed), notes)


def movements_table(movements: Sequence[Movement]) -> TextTable:
    """The lines that one ticket caused, in whatever pool."""
    rows = tuple(
        (
            figures.words(line.pool),
            figures.instant(line.happened_at),
            line.movement_kind,
            "–" if line.quantity is None else figures.signed(line.quantity),
            "–" if line.balance_after is None else str(line.balance_after),
            figures.supply(line.payer_kind, line.payer_id),
            line.reason or "–",
        )
        for line in movements
    )
    columns = (
        ("pool", LEFT), ("when", LEFT), ("movement", LEFT), ("quantity", RIGHT), ("balance", RIGHT), ("paid by", LEFT),
        ("why", LEFT),
    )  # fmt: skip
    return TextTable("Entitlement ledger", columns, rows)


def alerts_table(alerts: Sequence[Alert]) -> TextTable:
    """One line per alert, in the order given."""
    rows = tuple(
        (
            figures.alert(row),
            row.customer_id,
            row.subscription_id,
            figures.words(row.pool),
            "–" if row.consumed_quantity is None else f"{row.consumed_quantity} of {row.available_quantity}",
            say_number(row.overage_quantity) if row.pool else "–",
            str(row.days_left),
            (row.next_subscription_id or "none") if row.pool is None else "–",
            figures.instant(row.raised_at),
        )
        for row in alerts
    )
    columns = (
        ("alert", LEFT), ("customer", LEFT), ("term", LEFT), ("pool", LEFT), ("consumed", RIGHT), ("overage", RIGHT),
        ("days left", RIGHT), ("next term", LEFT), ("since", LEFT),
    )  # fmt: skip
    notes = (
        "Consumed = used - credited + taken over from other pools - given to them, of what was granted, bought and "
        "carried over and has not expired.",
        f"As of {figures.instant(alerts[0].as_of)}."
        if alerts
        else "Nothing to tell: no alert falls under this choice.",
    )
    return TextTable("Alerts", columns, rows, notes)
