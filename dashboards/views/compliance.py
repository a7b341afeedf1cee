"""Compliance by month: the trend, the same figures as a table, and the tickets behind any of them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from pipeline.reporting import figures
from pipeline.reporting.compliance import (
    ComplianceRow,
    Tally,
    TrendPoint,
    read_compliance,
    read_trend,
)
from pipeline.reporting.published import Selection

CUTS = {
    "plan,severity": "plan and severity",
    "plan": "plan",
    "severity": "severity",
    "obligation": "promise",
    "customer": "customer",
    "": "nothing, one line",
}

HEADS = {"obligation": "Promise"}


def show(page: frame.Page) -> None:
    selection, cut, basis = choose(page)
    months = read_trend(page.published, page.scope, selection, month_basis=basis)
    by = tuple(cut.split(",")) if cut else ()
    shown = replace(selection, months=tuple(month.month for month in months))
    result = read_compliance(page.published, page.scope, shown, ("month", *by), basis)
    if not result.rows:
        frame.say_no_rows()
        return
    show_headline(months)
    for line in figures.describe_closed_months(result.closed):
        st.text(line)
    preset: dict[str, str | list[str]] = {"basis": basis}
    left, right = st.columns([3, 2])
    with left:
        show_trend(page, months, make_lines(result.rows, by), by, selection, preset)
    with right:
        st.subheader("The same as a table")
        rows = tuple(reversed(result.rows))
        table = [describe_row(row, by) for row in rows]
        event = st.dataframe(
            table,
            hide_index=True,
            key="compliance_table",
            on_select="rerun",
            selection_mode="single-row",
            height=460,
        )
        downloads.offer_table("Download this table", table, f"compliance-{basis}", page.status, selection)
        st.caption(f"All rows together: {describe_tally(result.total)}. Tick a row for its tickets.")
    ticked = event["selection"]["rows"]
    if ticked and ticked[0] < len(rows):
        open_list(page, selection, rows[ticked[0]].month, by, key_of(rows[ticked[0]], by), preset)


def show_trend(
    page: frame.Page,
    months: tuple[TrendPoint, ...],
    lines: list[charts.Line],
    by: tuple[str, ...],
    selection: Selection,
    preset: dict[str, str | list[str]],
) -> None:
    """Lines where enough months have a rate; all together with bars where none has."""
    st.subheader("Compliance by month")
    readable = sorted((line for line in lines if line.is_readable), key=lambda line: -line.counted)
    names = list(dict.fromkeys(line.name for line in readable))[: charts.MAXIMUM_LINES]
    drawn = [line for line in lines if line.is_readable and line.name in names]
    has_lines = bool(by and drawn)
    counted = [line for line in lines if line.counted]
    if has_lines:
        figure = charts.with_ink(charts.draw_trend(months, drawn), frame.ink())
    elif counted:
        figure = charts.draw_overview(months, frame.ink())
    else:
        st.caption("Nothing was counted.")
        return
    event = st.plotly_chart(
        figure,
        config=charts.CONFIG,
        key="trend",
        on_select="rerun",
        selection_mode="points",
        alt="Compliance by month. The table beside it has the same figures.",
    )
    st.caption(
        "Met of all that was counted (met and breached). No point: fewer than "
        f"{figures.FEWEST_FOR_A_RATE} counted, which the table shows as counts. "
        f"{'Shaded' if has_lines else 'Hatched'}: the month still runs at the as-of instant. Grey spans: only bounds are known. "
        "Months are in the plan's zone. Click a point or a bar for its tickets."
    )
    left_out = len(counted) - len(drawn)
    if by and left_out:
        st.caption(
            f"{left_out} of {len(counted)} cells have too few tickets for a line of their own"
            f"{'' if has_lines else ', so all are drawn together'}. The table has each."
        )
    for point in event["selection"]["points"]:
        # Without lines, a bar is all of its month.
        cut, key = (by, str(point["customdata"][2])) if has_lines else ((), "")
        # What a line is of stands in its data, and could be the word for a status.
        statuses = charts.statuses_of({} if has_lines else point)
        open_list(page, selection, str(point["x"]), cut, key, {**preset, "status": statuses})


def open_list(
    page: frame.Page,
    selection: Selection,
    month: str | None,
    by: tuple[str, ...],
    key: str,
    preset: dict[str, str | list[str]],
) -> None:
    """The tickets behind one cell: `key` holds its values in the order of the cut."""
    cell = dict(zip(by, key.split("\n"), strict=False))
    if not all(cell.values()):
        st.info(
            "This cell has no such value to filter by. The page Tickets lists it among the others of its month."
        )
        return
    known = {word: [value] for word, value in cell.items()}
    page.open(
        ticket_list.LIST_PAGE,
        {**choices.address(selection, month=month or "", **preset), **known},
    )


def key_of(row: ComplianceRow, by: tuple[str, ...]) -> str:
    values = {
        "severity": row.severity,
        "customer": row.customer_id,
        "obligation": row.obligation,
        "plan": row.plan,
    }
    return "\n".join("" if values[word] is None else str(values[word]) for word in by)


def choose(page: frame.Page) -> tuple[Selection, str, str]:
    """The filters, in the sidebar; their options are what the build has."""
    with st.sidebar:
        cut = page.choices.one("Lines by", "by", CUTS, "obligation")
        basis = page.choices.one("Month is that", "basis", choices.BASES, "settled")
        selection = page.choices.selection(page.published, page.scope)
        explain_counting()
    return selection, cut, basis


def show_headline(months: tuple[TrendPoint, ...]) -> None:
    """The last two complete months, and the one that still runs."""
    complete = [month for month in months if not month.is_partial]
    running = [month for month in months if month.is_partial]
    shown = [*complete[-2:], *running[:1]]
    for column, month in zip(st.columns(max(len(shown), 1)), shown, strict=True):
        at = months.index(month)
        with column, st.container(border=True):
            rate = month.tally.compliance
            st.caption(figures.month_of(month))
            st.subheader(figures.rate_or_count(rate), anchor=False)
            lines = [describe_tally(month.tally)]
            if figures.say_bounds(rate):
                lines.append(f"{figures.say_bounds(rate)}, with {rate.undecided} undecided.")
            if at and not month.is_partial:
                lines.append(figures.change_on(rate, months[at - 1].tally.compliance, months[at - 1].month))
            st.caption("  \n".join(lines))


def make_lines(rows: tuple[ComplianceRow, ...], by: tuple[str, ...]) -> list[charts.Line]:
    """One line per value of the cut; with two words, the first one makes the panels."""
    tallies: dict[tuple[str, str], dict[str, Tally]] = {}
    keys: dict[tuple[str, str], str] = {}
    for row in rows:
        words = [name_dimension(row, word) for word in by]
        panel, name = (words[0], words[1]) if len(words) == 2 else ("", words[0] if words else "all")
        tallies.setdefault((panel, name), {})[row.month or ""] = row.tally
        keys[panel, name] = key_of(row, by)
    return [charts.Line(*place, of_months, keys[place]) for place, of_months in sorted(tallies.items())]


def name_dimension(row: ComplianceRow, word: str) -> str:
    if word == "severity":
        return "severity unknown" if row.severity is None else f"severity {row.severity}"
    if word == "customer":
        return row.customer_name or row.customer_id or "no customer"
    if word == "obligation":
        return figures.words(row.obligation)
    return row.plan or "no plan"


def describe_row(row: ComplianceRow, by: tuple[str, ...]) -> dict[str, object]:
    tally = row.tally
    return {
        "Month": f"{row.month}{' (partial)' if row.is_partial else ''}",
        **{HEADS.get(word, word.capitalize()): name_dimension(row, word) for word in by},
        "Compliance": figures.rate_or_count(tally.compliance),
        "Bounds": figures.say_bounds(tally.compliance) or "",
        "Met": tally.met,
        "Counted": tally.counted,
        "Breached": tally.breached,
        "Running": tally.pending,
        "Waived": tally.waived,
        "Not covered": tally.not_covered,
        "Not measurable": tally.not_measurable,
        "Met only by AI": tally.met_only_by_ai,
        "Before waivers": figures.rate_or_count(tally.raw_compliance),
    }


def describe_tally(tally: Tally) -> str:
    """'18 met of 19 counted, 2 running, 1 waived, 0 not covered, 0 not measurable'."""
    only_by_ai = figures.met_only_by_ai(tally.met_only_by_ai)
    return (
        f"{tally.met} met of {tally.counted} counted, {tally.pending} running, {tally.waived} waived, "
        f"{tally.not_covered} not covered, {tally.not_measurable} not measurable"
        f"{f'. {only_by_ai}' if only_by_ai else ''}"
    )


def explain_counting() -> None:
    with st.popover("How is this counted?"):
        st.markdown(
            """
            - **Compliance** = met / (met + breached). Everything else is counted beside it, never inside.
            - **Met**: the time that elapsed on the promise's clock is at most the target, to the second.
            - **Breached**: elapsed is over target at the as-of instant, answered or not.
            - **Running**: not answered yet and within target.
            - **Waived**: a recorded exception, with requester, approver and reason. "Before waivers"
              counts it as
              it was.
            - **Not covered**: the plan promises nothing here, with the reason. **Not measurable**: the source
              carries no evidence of the event.
            - **First response** is the first public message from a human on the vendor's side. A status
              change, an
              automatic reply, an internal note or the requester's own text never stops a clock.
            - **Month settled**: in which the answer came or the target was first passed, whichever was
              earlier, in
              the plan's time zone. What has not settled stands in the month of the as-of instant.
            - **Bounds**: what is not measurable could be met or breached, as far as the evidence leaves it open.
              All of it
              breached gives the lower bound, all of it met the upper one. Bounds of more than one point apart
              stand instead of a percentage.
            - **Few tickets**: a rate of fewer than ten promises is shown as its parts, such as "3 of 4".
            - "n/a" means that nothing was counted. 100 % is never shown while a breach exists or could exist.
            - No line is drawn for a target percentage: the plan promises times, and every promise counts.
            """
        )


with frame.open_page("Compliance") as page:
    show(page)
