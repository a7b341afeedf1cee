"""Compliance by month: the trend, the same figures as a table, and the tickets behind any of them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, frame, ticket_list
from dashboards.downloads import offer_csv, write_csv
from pipeline.reporting import figures
from pipeline.reporting.compliance import (
    ComplianceRow,
    Tally,
    TrendPoint,
    read_compliance,
    read_customers,
    read_trend,
)
from pipeline.reporting.published import Selection

BASES = {"settled": "of the verdict", "submitted": "of submission"}
CUTS = {
    "plan,severity": "plan and severity",
    "plan": "plan",
    "severity": "severity",
    "obligation": "obligation",
    "customer": "customer",
    "": "nothing, one line",
}


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
    lines = make_lines(result.rows, by)
    drawn = sorted((line for line in lines if line.counted), key=lambda line: -line.counted)
    names = list(dict.fromkeys(line.name for line in drawn))[: charts.MAXIMUM_LINES]
    drawn = [line for line in lines if line.counted and line.name in names]
    st.subheader("Compliance by month")
    if drawn:
        st.plotly_chart(charts.draw_trend(months, drawn), config=charts.CONFIG, key="trend")
    st.caption(
        "Met of all that was counted (met and breached). Gaps: nothing was counted. Shaded: the month still "
        "runs at the as-of instant. Grey spans: only bounds are known. The larger a mark, the more was counted. "
        "Months are in the plan's zone."
    )
    left_out = len({line.name for line in lines}) - len(names)
    if left_out:
        st.caption(f"The table also has {left_out} more, with fewer counted obligations or none.")
    table = [describe_row(row, by) for row in reversed(result.rows)]
    st.dataframe(table, hide_index=True, key="compliance_table")
    offer_csv("Download this table", write_csv(table), len(table), f"compliance-{basis}", page.status)
    st.caption(f"All rows together: {describe_tally(result.total)}.")
    ticket_list.show(page, selection, months, basis)


def choose(page: frame.Page) -> tuple[Selection, str, str]:
    """The filters, in the sidebar; their options are what the build has."""
    known = read_compliance(page.published, page.scope, by=("plan", "severity", "obligation")).rows
    plans = sorted({row.plan for row in known if row.plan is not None})
    severities = sorted({row.severity for row in known if row.severity is not None})
    obligations = sorted({row.obligation for row in known if row.obligation is not None})
    names = {each.customer_id: each.customer_name for each in read_customers(page.published, page.scope)}
    with st.sidebar:
        cut = choices.choose_one("Lines by", "by", CUTS, "plan,severity")
        basis = choices.choose_one("Month", "basis", BASES, "settled")
        customer_ids = choices.choose_many(
            "Customer", "customer", {key: f"{name} ({key})" for key, name in names.items()}
        )
        chosen_plans = choices.choose_many("Plan", "plan", {plan: plan for plan in plans})
        levels = choices.choose_many("Severity", "severity", {str(level): str(level) for level in severities})
        promises = choices.choose_many(
            "Obligation", "obligation", {each: figures.words(each) for each in obligations}
        )
        explain_counting()
    return (
        Selection(
            customer_ids=customer_ids,
            plans=chosen_plans,
            severities=None if levels is None else tuple(int(level) for level in levels),
            obligations=promises,
        ),
        cut,
        basis,
    )


def show_headline(months: tuple[TrendPoint, ...]) -> None:
    """The last two complete months, and the one that still runs."""
    complete = [month for month in months if not month.is_partial]
    running = [month for month in months if month.is_partial]
    shown = [*complete[-2:], *running[:1]]
    for column, month in zip(st.columns(max(len(shown), 1)), shown, strict=True):
        at = months.index(month)
        before = months[at - 1].tally.compliance if at else None
        change = "n/a" if before is None else figures.points_between(month.tally.compliance, before)
        with column, st.container(border=True):
            name = f"{figures.month_name(month.month)}{', partial' if month.is_partial else ''}"
            compliance = month.tally.compliance
            if compliance.has_only_bounds:
                # Two figures are too long for a metric, which would cut off the second one.
                st.caption(name)
                st.subheader(figures.percent_alone(compliance), anchor=False)
            else:
                st.metric(
                    name,
                    figures.percent_alone(compliance),
                    delta=None
                    if change == "n/a" or month.is_partial
                    else f"{change.replace('−', '-')} to the month before",
                )
            st.caption(describe_tally(month.tally))
            if compliance.bounds and not compliance.has_only_bounds:
                st.caption(f"{figures.say_bounds(compliance)}, with {compliance.undecided} undecided.")


def make_lines(rows: tuple[ComplianceRow, ...], by: tuple[str, ...]) -> list[charts.Line]:
    """One line per value of the cut; with two words, the first one makes the panels."""
    tallies: dict[tuple[str, str], dict[str, Tally]] = {}
    for row in rows:
        words = [name_dimension(row, word) for word in by]
        panel, name = (words[0], words[1]) if len(words) == 2 else ("", words[0] if words else "all")
        tallies.setdefault((panel, name), {})[row.month or ""] = row.tally
    return [charts.Line(panel, name, of_months) for (panel, name), of_months in sorted(tallies.items())]


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
        **{word.capitalize(): name_dimension(row, word) for word in by},
        "Compliance": figures.percent_alone(tally.compliance),
        "Bounds": figures.say_bounds(tally.compliance) or "",
        "Met": tally.met,
        "Counted": tally.counted,
        "Breached": tally.breached,
        "Running": tally.pending,
        "Waived": tally.waived,
        "Not covered": tally.not_covered,
        "Not measurable": tally.not_measurable,
        "Met only by AI": tally.met_only_by_ai,
        "Before waivers": figures.percent(tally.raw_compliance),
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
              stand
              instead of a percentage.
            - "n/a" means that nothing was counted. 100 % is never shown while a breach exists or could exist.
            - No line is drawn for a target percentage: the plan promises times, and every promise counts.
            """
        )


with frame.open_page("Compliance") as page:
    show(page)
