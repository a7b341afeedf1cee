"""A list of promises, worst first; a row opens the page of its ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboards import downloads, frame, tables, times
from dashboards.language import count, current, row, say
from pipeline.reporting import export_rows, figures
from pipeline.reporting.breaches import read_classes
from pipeline.reporting.published import Published, Selection
from pipeline.reporting.tickets import UNCUT, Cut, Length, Obligation, count_tickets, read_worst_tickets

TICKET_PAGE = "views/ticket.py"
LIST_PAGE = "views/tickets.py"


# More of them at once make a browser slow, and are not read by people.
ROWS_OF_A_SHEET = 1000


@dataclass(frozen=True)
class Listed:
    """A list that is read in parts: `read` gives so many rows of a build (None: all) from the row of that number, which counts
    from 0."""

    length: Length
    read: Callable[[Published, int, int | None], Sequence[Obligation]]


def whole(obligations: Sequence[Obligation]) -> Listed:
    """A list that is already read."""
    length = Length(len(obligations), len({each.ticket_id for each in obligations}))
    return Listed(length, lambda _, first, size: obligations[first : None if size is None else first + size])


def worst_first(
    page: frame.Page, selection: Selection, month_basis: str = "settled", cut: Cut = UNCUT
) -> Listed:
    """The promises that `read_worst_tickets` gives, of which the database orders and reads one sheet at a time."""
    asked = (page.scope, selection, month_basis, cut)
    return Listed(
        count_tickets(page.published, *asked),
        lambda published, first, size: read_worst_tickets(published, *asked, first=first, size=size),
    )


def name_classes(page: frame.Page, shown: Sequence[Obligation]) -> dict[str, str]:
    """Why each of these promises was breached, by month key, in the reader's language."""
    labels = current().section("breach_classes")
    return {key: labels[name] for key, name in read_classes(page.published, page.scope, shown).items()}


def show(
    page: frame.Page,
    listed: Listed,
    name: str,
    selection: Selection,
    find_reasons: Callable[[Sequence[Obligation]], Mapping[str, str]] | None = None,
    key: str = "tickets",
) -> None:
    """The rows, in sheets where there are many, and both downloads of all of them. `find_reasons` gives for promises why they
    were breached, by month key. `key` tells two lists of one page apart."""
    length = listed.length
    opens = page.may_open(TICKET_PAGE)
    promises = count("ticket_list.promises", length.promise_count)
    told = say("ticket_list.of", promises=promises, tickets=count("ticket_list.tickets", length.ticket_count))
    st.caption(f"{told} {say('ticket_list.tick')}" if opens else told)
    start, end = frame.choose_sheet(page, length.promise_count, ROWS_OF_A_SHEET, f"sheet_{key}")
    shown = listed.read(page.published, start, end - start)
    reasons = find_reasons(shown) if find_reasons and page.shows_staff_data else None
    table = [describe(each, reasons) for each in shown]
    unused = [
        name
        for name in ("over_by", "left", "at_risk", "why")
        if not any(line[say(f"columns.{name}")] for line in table)
    ]
    if selection.customer_ids and len(selection.customer_ids) == 1:
        unused.append("customer")
    event = st.dataframe(
        tables.without(table, *unused),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
    )
    if page.shows_staff_data:
        columns: Sequence[str] = export_rows.COLUMNS
        write = export_rows.obligation_rows
    else:
        columns = list(table[0])
        write = _describe_all
    downloads.offer(
        say("downloads.list"),
        columns,
        lambda published: write(listed.read(published, 0, None)),
        length.promise_count,
        name,
        page,
        selection,
    )
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(shown):
            page.open(TICKET_PAGE, {"ticket": shown[ticked].ticket_id})


def _describe_all(obligations: Iterable[Obligation]) -> Iterator[list[object]]:
    return (list(describe(each).values()) for each in obligations)


def describe(each: Obligation, reasons: Mapping[str, str] | None = None) -> dict[str, object]:
    words = current()
    is_running = each.status == "pending"
    why = words.reason(each.status_reason, each.reason_label, each.could_be) if each.reason_label else ""
    return row(
        ticket=each.ticket_id,
        status=words.status(each.status),
        over_by="" if each.over_by_seconds is None else figures.duration(each.over_by_seconds),
        left=figures.duration(each.remaining_seconds) if is_running else "",
        at_risk=(figures.risk(each.used, words) or "") if is_running else "",
        promise=words.word(each.obligation),
        severity=each.severity_in_force,
        customer=each.customer_name or each.customer_id,
        why=(reasons or {}).get(each.month_key, why),
        subject=each.subject,
        target=figures.duration(each.target_seconds),
        elapsed=figures.duration(each.elapsed_seconds),
        clock=words.word(each.clock_name),
        plan=each.plan,
        submitted=times.instant(each.submitted_at),
        due=times.instant(each.due_at),
        settled=times.instant(each.settled_at),
    )
