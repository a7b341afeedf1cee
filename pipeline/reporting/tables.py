"""Figures as tables for a terminal and as JSON for programs. Ticket text is data: it is printed, never
interpreted."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from pipeline.reporting import figures
from pipeline.reporting.records import (
    Alert,
    Balance,
    BalanceDifference,
    BuildStatus,
    Compliance,
    ComplianceRow,
    Explanation,
    Findings,
    Movement,
    Obligation,
    Ratio,
    Statement,
    Tally,
    Trial,
    VendorFigure,
    VerdictDifference,
)

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True)
class TextTable:
    """A title, columns (header, alignment), rows of finished text, and sentences below."""

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


_COUNTS = (("met", RIGHT), ("breached", RIGHT), ("running", RIGHT), ("waived", RIGHT), ("not covered", RIGHT),
           ("not measurable", RIGHT))  # fmt: skip


def compliance_table(result: Compliance) -> TextTable:
    """One line per cell of the cut, and the total that they add up to."""

    def line(labels: Sequence[str], tally: Tally) -> tuple[str, ...]:
        counts = (
            tally.met,
            tally.breached,
            tally.pending,
            tally.waived,
            tally.not_covered,
            tally.not_measurable,
        )
        return (*labels, figures.percent(tally.compliance), *map(str, counts))

    def label(row: ComplianceRow, word: str) -> str:
        if word == "customer":
            return " ".join(part for part in (row.customer_id, row.customer_name) if part) or "no customer"
        value = getattr(row, word)
        if word == "obligation" and row.obligation_kinds == ("estimate",):
            return f"{figures.words(value)} (estimate)"
        return "none" if value is None else figures.words(str(value)) if word == "obligation" else str(value)

    rows = [line([label(row, word) for word in result.by], row.tally) for row in result.rows]
    if result.by:
        rows.append(line(["total", *[""] * (len(result.by) - 1)], result.total))
    notes = [
        f"Month = the month in which an obligation was {result.month_basis}. "
        f"Compliance = met of (met + breached). As of {figures.instant(result.as_of)}."
    ]
    if not result.rows or not result.total.total:
        notes.insert(0, "No obligation falls under this choice.")
    if result.total.waived:
        notes.append(f"Before waivers: {figures.percent(result.total.raw_compliance)}.")
    if any("estimate" in row.obligation_kinds for row in result.rows):
        notes.append("Estimates (ETA) are measured like targets and are included.")
    running = list(dict.fromkeys(str(row.month) for row in result.rows if row.is_partial))
    if running:
        notes.append(f"Still running: {', '.join(running)}.")
    columns = (*((word, LEFT) for word in result.by), ("compliance", RIGHT), *_COUNTS)
    return TextTable("SLA compliance", columns, tuple(rows), tuple(notes))


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
            signed(row.overflowed_out_quantity - row.overflowed_in_quantity),
            str(row.expired_quantity),
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
        ("used", RIGHT), ("credited", RIGHT), ("overflow", RIGHT), ("expired", RIGHT), ("remaining", RIGHT),
        ("overage", RIGHT), ("consumed", RIGHT), ("term passed", RIGHT), ("days left", RIGHT),
    )  # fmt: skip
    notes = (
        "granted + purchased - used + credited + overflow + overage - expired = remaining.",
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
            "–" if line.quantity is None else signed(line.quantity),
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
        ("when", LEFT), ("movement", LEFT), ("why", LEFT), ("ticket", LEFT), ("quantity", RIGHT), ("balance", RIGHT),
    )  # fmt: skip
    blank = ("", "", "")
    opened = ("", "", "opening balance", *blank[1:], number(first.opening_quantity))
    closed = ("", "", "closing balance", *blank[1:], number(last.closing_quantity))
    over = last.overage_to_date_quantity
    notes = (f"Over the included number so far: {over}.",) if over else ()
    return TextTable(title, columns, (opened, *rows, closed), notes)


def _movements_table(movements: Sequence[Movement]) -> TextTable:
    """The lines that one ticket caused, in whatever pool."""
    rows = tuple(
        (
            figures.words(line.pool),
            figures.instant(line.happened_at),
            line.movement_kind,
            "–" if line.quantity is None else signed(line.quantity),
            "–" if line.balance_after is None else str(line.balance_after),
            line.reason or "–",
        )
        for line in movements
    )
    columns = (
        ("pool", LEFT), ("when", LEFT), ("movement", LEFT), ("quantity", RIGHT), ("balance", RIGHT), ("why", LEFT),
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
            _number(row.overage_quantity) if row.pool else "–",
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
        "Consumed = used - credited + taken over from other pools - given to them, of what was granted and bought and has "
        "not expired.",
        f"As of {figures.instant(alerts[0].as_of)}."
        if alerts
        else "Nothing to tell: no alert falls under this choice.",
    )
    return TextTable("Alerts", columns, rows, notes)


def findings_tables(found: Findings) -> tuple[TextTable, ...]:
    """How many there are of each kind, then each with what shows it and what it did to the figures."""
    total = (("total", "", str(len(found.rows))),) if found.rows else ()
    counts = tuple((row.finding, row.finding_label, str(row.finding_count)) for row in found.counts)
    rows = tuple(
        (
            row.finding,
            row.customer_id or "–",
            row.ticket_id or "–",
            row.evidence,
            row.effect,
            f"{row.source_file}:{row.line_number}" if row.source_file else "–",
        )
        for row in found.rows
    )
    columns = (
        ("finding", LEFT), ("customer", LEFT), ("ticket", LEFT), ("evidence", LEFT), ("did to the figures", LEFT),
        ("source", LEFT),
    )  # fmt: skip
    notes = (
        "Findings are suspicious, not wrong: the figures are published with them.",
        f"As of {figures.instant(found.as_of)}.",
    )
    heads = (("finding", LEFT), ("what it is", LEFT), ("count", RIGHT))
    summary = TextTable("Findings by kind", heads, (*counts, *total), notes)
    return (summary, TextTable("Findings", columns, rows)) if rows else (summary,)


def trial_tables(trial: Trial) -> list[TextTable]:
    """What another plan would change: the sums now and then, and only the differences behind them."""

    def line(what: str, now: str, then: str) -> tuple[str, ...]:
        return (what, now, then, "" if now == then else "changes")

    is_overage_known = not trial.fits or bool(trial.comparable_pools)
    overage = [str(units) for units in trial.overage] if is_overage_known else ["n/a", "n/a"]
    sums = (
        line("compliance with targets", *map(figures.percent, trial.targets)),
        line("compliance with estimates", *map(figures.percent, trial.estimates)),
        line("units over the included number", *overage),
    )
    count = len(trial.fits)
    notes = [
        f"{count} current term{'' if count == 1 else 's'} of another plan, with the tickets of each so far."
    ]
    unknown = [fit.subscription_id for fit in trial.fits if fit not in trial.comparable_pools]
    if unknown:
        notes.append(
            f"No version of the plan was in force when these terms began, so their pools are not compared: {', '.join(unknown)}."
        )
    if not trial.verdicts and not trial.balances:
        changes = "Nothing would change." if not unknown else "No verdict would change."
        notes.append(changes if count else "No current term has another plan.")
    tables = [
        TextTable(
            f"The same tickets under {trial.trial_plan}",
            (("", LEFT), ("now", RIGHT), ("then", RIGHT), ("", LEFT)),
            sums,
            tuple(notes),
        )
    ]
    if trial.balances:
        pool_columns = (("customer", LEFT), ("pool", LEFT), ("what would change", LEFT))
        pools = tuple(
            (row.customer_id, figures.words(row.pool), say_balance_difference(row)) for row in trial.balances
        )
        tables.append(TextTable("Pools that would differ", pool_columns, pools))
    if trial.verdicts:
        verdict_columns = (
            ("customer", LEFT),
            ("ticket", LEFT),
            ("promise", LEFT),
            ("what would change", LEFT),
        )
        verdicts = tuple(
            (row.customer_id, row.ticket_id, _cycle_name(row), say_verdict_difference(row))
            for row in trial.verdicts
        )
        tables.append(TextTable("Verdicts that would differ", verdict_columns, verdicts))
    return tables


def say_verdict_difference(row: VerdictDifference) -> str:
    """'24 h on business hours, counted 7 h: met; then 8 h on always, counted 9 h 12 min: breached.'"""

    def side(
        target: int | None, clock: str | None, elapsed: int | None, status: str | None, reason: str | None
    ) -> str:
        if status is None:
            return "no such promise"
        judged = figures.STATUS_NAMES[status].lower()
        if target is None or elapsed is None:
            return judged + (f" ({figures.words(reason)})" if reason else "")
        return f"{figures.duration(target)} on {figures.words(clock)}, counted {figures.duration(elapsed)}: {judged}"

    now = side(row.target_seconds, row.clock_name, row.elapsed_seconds, row.status, row.status_reason)
    then = side(
        row.trial_target_seconds,
        row.trial_clock_name,
        row.trial_elapsed_seconds,
        row.trial_status,
        row.trial_status_reason,
    )
    return f"{now}; then {then}."


def say_balance_difference(row: BalanceDifference) -> str:
    """'Included 10 becomes unlimited; remaining 0 becomes unlimited; overage 2 becomes 0.'"""

    def side(number: int | None, is_unlimited: bool, is_stated: bool) -> str:
        return figures.quantity(number, is_unlimited=is_unlimited, is_stated=is_stated)

    no_pool = "no such pool"
    pairs = (
        ("included", row.granted_quantity, row.trial_granted_quantity),
        ("remaining", row.remaining_quantity, row.trial_remaining_quantity),
    )
    parts = []
    for what, now, then in pairs:
        told = (
            no_pool if row.overage_quantity is None else side(now, row.is_unlimited, row.is_stated),
            no_pool
            if row.trial_overage_quantity is None
            else side(then, row.is_trial_unlimited, row.is_trial_stated),
        )
        if told[0] != told[1]:
            parts.append(f"{what} {told[0]} becomes {told[1]}")
    if row.overage_quantity != row.trial_overage_quantity:
        parts.append(f"overage {row.overage_quantity or 0} becomes {row.trial_overage_quantity or 0}")
    sentence = "; ".join(parts)
    return sentence[:1].upper() + sentence[1:] + "."


def _cycle_name(row: VerdictDifference) -> str:
    return figures.words(row.obligation) + (f" {row.cycle_number}" if row.cycle_number > 1 else "")


def tickets_table(obligations: Sequence[Obligation]) -> TextTable:
    """One line per obligation."""
    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            "–" if row.severity_in_force is None else str(row.severity_in_force),
            figures.STATUS_NAMES[row.status],
            figures.instant(row.due_at),
            figures.duration(row.elapsed_seconds),
            figures.duration(row.target_seconds),
            figures.duration(row.over_by_seconds),
            row.reason_label or figures.words(row.status_reason),
            row.subject or "–",
        )
        for row in obligations
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("severity", RIGHT), ("status", LEFT),
        ("due", LEFT), ("elapsed", RIGHT), ("target", RIGHT), ("over by", RIGHT), ("reason", LEFT),
        ("subject", LEFT),
    )  # fmt: skip
    notes = (f"{len(rows)} obligations of {len({row.ticket_id for row in obligations})} tickets.",)
    return TextTable("Obligations", columns, rows, notes)


def vendor_figures_table(compared: Sequence[VendorFigure]) -> TextTable:
    """One line per figure of the helpdesk that has one of ours beside it."""

    def say(seconds: int | None, is_breached: bool | None) -> str:
        said = [] if seconds is None else [("-" if seconds < 0 else "") + figures.duration(abs(seconds))]
        said += [] if is_breached is None else ["breached" if is_breached else "met"]
        return ", ".join(said) or "–"

    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            row.figure or "–",
            say(row.they_seconds, row.they_breached),
            say(row.our_seconds, row.we_breached),
            "–" if row.difference_seconds is None else f"{signed(row.difference_seconds)} s",
            row.reason_label,
        )
        for row in compared
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("their figure", LEFT), ("they say", RIGHT),
        ("we say", RIGHT), ("difference", RIGHT), ("why", LEFT),
    )  # fmt: skip
    counts = Counter(row.reason_label for row in compared)
    notes = tuple(
        f"{label}: {count}." for label, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return TextTable("The helpdesks' own figures beside ours", columns, rows, notes)


def at_risk_table(running: Sequence[Obligation]) -> TextTable:
    """One line per running obligation, in the order given, with the band of its target that is used up."""
    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            _number(row.severity_in_force),
            figures.duration(row.remaining_seconds),
            figures.instant(row.due_at),
            row.clock_name or "–",
            figures.risk(row.used) or "on track",
            row.subject or "–",
        )
        for row in running
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("severity", RIGHT), ("time left", RIGHT),
        ("due", LEFT), ("clock", LEFT), ("at risk", LEFT), ("subject", LEFT),
    )  # fmt: skip
    notes = (f"{len(rows)} obligations still run. Time left is on the clock of the promise.",)
    return TextTable("At risk", columns, rows, notes)


def explanation_tables(explained: Explanation) -> tuple[TextTable, ...]:
    """The ticket, then each obligation with every segment, then every event in order."""
    ticket = explained.ticket
    facts = (
        (
            "customer",
            " ".join(part for part in (ticket.customer_id, explained.customer_name) if part) or "none",
        ),
        ("subject", ticket.subject or "–"),
        (
            "submitted",
            f"{figures.instant(ticket.submitted_at)} by {ticket.requester or '–'} ({ticket.channel or '–'})",
        ),
        ("severity", f"submitted {_number(ticket.severity_submitted)}, now {_number(ticket.severity_now)}"),
        ("status", ticket.ticket_status or "–"),
        ("source", f"{ticket.source}: {ticket.source_file}, line {ticket.line_number}"),
        ("known up to", f"{figures.instant(explained.as_of)} (build {explained.build_id})"),
    )
    tables = [TextTable(f"Ticket {ticket.ticket_id}", (("", LEFT), ("", LEFT)), facts)]
    for why in explained.obligations:
        row = why.obligation
        notes = [_verdict(row)]
        if row.target_seconds is not None:
            kind = "estimate" if row.obligation_kind == "estimate" else "target"
            notes.append(f"Promise: {kind} {figures.duration(row.target_seconds)} on clock {row.clock_name}, "
                         f"plan {row.plan_version}, clause {row.clause or '–'}.")  # fmt: skip
        if row.clause_text:
            notes.append(f"The clause: {row.clause_text}")
        if why.segments:
            counted = sum(segment.counted_seconds for segment in why.segments)
            notes.append(f"Counted in all: {figures.duration(counted)}; "
                         f"calendars: {', '.join(why.calendar_versions) or '–'}.")  # fmt: skip
        if why.stopped_by:
            event = why.stopped_by
            notes.append(f"Stopped by event {event.event_id} ({figures.words(event.moment)} of "
                         f"{event.actor or '–'}): "
                         f"{event.source_file}, line {event.line_number}.")  # fmt: skip
        notes.extend(
            f"Passed over: event {event.event_id} at {figures.instant(event.event_at)}, an automatic reply."
            for event in why.passed_over
        )
        if row.status_as_submitted and row.status_as_submitted != row.status_before_waiver:
            notes.append(
                f"With the severity as submitted it would be {figures.STATUS_NAMES[row.status_as_submitted]}."
            )
        segments = tuple(
            (
                figures.instant(segment.starts_at),
                figures.instant(segment.ends_at),
                segment.segment_kind,
                figures.duration(segment.counted_seconds),
                figures.duration(segment.wall_seconds),
                segment.segment_reason or "–",
            )
            for segment in why.segments
        )
        columns = (
            ("from", LEFT),
            ("to", LEFT),
            ("kind", LEFT),
            ("counted", RIGHT),
            ("wall time", RIGHT),
            ("reason", LEFT),
        )
        cycle = f", cycle {row.cycle_number}" if row.cycle_number > 1 else ""
        tables.append(TextTable(f"{figures.words(row.obligation)}{cycle}", columns, segments, tuple(notes)))
    events = tuple(
        (
            figures.instant(event.event_at),
            figures.words(event.moment or event.event_type),
            " ".join(part for part in (event.actor_kind, event.actor) if part) or "–",
            event.value or "–",
            f"{event.source_file}:{event.line_number}",
        )
        for event in explained.events
    )
    heads = (("at", LEFT), ("event", LEFT), ("by", LEFT), ("value", LEFT), ("source", LEFT))
    tables.append(
        TextTable("Events", heads, events, () if events else ("The source carries no event of it.",))
    )
    if explained.movements:
        tables.append(_movements_table(explained.movements))
    return tuple(tables)


def status_tables(status: BuildStatus) -> tuple[TextTable, ...]:
    """What is published, how many checks passed, and each check that did not."""
    facts = (
        ("build", status.build_id),
        ("data known up to", figures.instant(status.as_of)),
        ("published", figures.instant(status.published_at)),
        ("newest batch landed", figures.instant(status.newest_landed_at)),
        ("rows landed", f"{status.landed_rows} in {status.batches} batches"),
        ("time zones, holidays", f"tzdata {status.tzdata_version}, holidays {status.holidays_version}"),
    )
    outcomes = Counter(check.status for check in status.checks)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "none was run"
    notable = tuple(
        (check.check_name, check.severity, check.status, check.observed or "–", check.detail or "–")
        for check in status.checks
        if check.status != "passed"
    )
    columns = (
        ("check", LEFT),
        ("severity", LEFT),
        ("status", LEFT),
        ("observed", LEFT),
        ("detail", LEFT),
    )
    build = TextTable("Published build", (("", LEFT), ("", LEFT)), (*facts, ("checks", told)))
    return (build, TextTable("Checks to look at", columns, notable)) if notable else (build,)


def _verdict(row: Obligation) -> str:
    parts = [f"Verdict: {figures.STATUS_NAMES[row.status]}"]
    if row.elapsed_seconds is not None and row.target_seconds is not None:
        parts.append(f"{figures.duration(row.elapsed_seconds)} of {figures.duration(row.target_seconds)}")
    if row.over_by_seconds:
        parts.append(f"over by {figures.duration(row.over_by_seconds)}")
    if row.due_at:
        parts.append(f"due {figures.instant(row.due_at)}")
    if row.reason_label or row.status_reason:
        parts.append(row.reason_label or figures.words(row.status_reason))
    return "; ".join(parts) + "."


def _number(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def signed(value: int) -> str:
    """'+3', '-1', '0'."""
    return f"{value:+d}" if value else "0"


def write(tables: TextTable | Iterable[TextTable], stream: TextIO) -> None:
    """Prints tables: drawn on a terminal, plain aligned text into a pipe or where NO_COLOR is set."""
    listed = [tables] if isinstance(tables, TextTable) else list(tables)
    is_drawn = stream.isatty() and _can_be_drawn_on(stream)
    for number, table in enumerate(listed):
        if number:
            stream.write("\n")
        if is_drawn:
            _write_drawn(table, stream)
        else:
            _write_plain(table, stream)


def _can_be_drawn_on(stream: TextIO) -> bool:
    from rich.console import Console

    # rich knows what NO_COLOR and TERM say.
    console = Console(file=stream)
    return not console.no_color and not console.is_dumb_terminal


def _write_drawn(table: TextTable, stream: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    # Text objects are never searched for markup, so that a subject cannot colour, link or hide anything.
    drawn = Table(title=Text(printable(table.title)), box=box.SIMPLE_HEAD, title_justify="left",
                  show_header=any(header for header, _ in table.columns))  # fmt: skip
    for header, alignment in table.columns:
        drawn.add_column(Text(header), justify=alignment, overflow="fold")  # type: ignore[arg-type]
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    console.print(drawn)
    for note in table.notes:
        console.print(Text(printable(note), style="dim"))


def _write_plain(table: TextTable, stream: TextIO) -> None:
    lines = [tuple(map(printable, row)) for row in table.rows]
    headers = tuple(header for header, _ in table.columns)
    if any(headers):
        lines.insert(0, headers)
    widths = [max((_width(line[index]) for line in lines), default=0) for index in range(len(headers))]
    stream.write(f"{printable(table.title)}\n")
    for line in lines:
        cells = [
            f"{' ' * (width - _width(cell))}{cell}"
            if alignment == RIGHT
            else f"{cell}{' ' * (width - _width(cell))}"
            for cell, width, (_, alignment) in zip(line, widths, table.columns, strict=True)
        ]
        stream.write("  ".join(cells).rstrip() + "\n")
    for note in table.notes:
        stream.write(f"{printable(note)}\n")


def printable(text: str) -> str:
    """Text without anything that could steer a terminal: escape sequences, line breaks and direction marks
    become visible code points."""
    return "".join(
        " " if character in "\n\r\t" else f"[U+{ord(character):04X}]"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\u200d"
        else character
        for character in text
    )  # fmt: skip


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def to_json(result: Any) -> str:
    """The same answer for programs: keys as the records name them, instants ISO with Z, durations whole
    seconds, rates as {"met", "counted", "ratio"} with ratio null for 0 of 0."""
    return json.dumps(_plain(result), ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, Ratio):
        return _rate(value)
    if isinstance(value, Tally):
        return {field.name: getattr(value, field.name) for field in fields(value)} | {
            "compliance": _rate(value.compliance),
            "compliance_before_waivers": _rate(value.raw_compliance),
        }
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _rate(ratio: Ratio) -> dict[str, Any]:
    return {"met": ratio.numerator, "counted": ratio.denominator, "ratio": figures.decimal_ratio(ratio)}
