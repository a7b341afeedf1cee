"""Compliance by month: the trend, the same figures as a table, and the tickets behind any of them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from dashboards.language import current, row, say, section
from pipeline.reporting import figures
from pipeline.reporting.compliance import (
    ComplianceRow,
    Tally,
    TrendPoint,
    read_compliance,
    read_trend,
)
from pipeline.reporting.published import NO_GROUP, Selection

# Cut -> its name among the words of the page. With two words, the first one makes the panels.
CUTS = {
    "plan,severity": "plan_and_severity",
    "plan": "plan",
    "severity": "severity",
    "obligation": "obligation",
    "customer": "customer",
    "zone": "zone",
    "group": "group",
    "": "none",
}
# Who works on what is the vendor's own.
STAFF_CUTS = ("group",)
# What the list of tickets calls a dimension whose own name says something else in an address: the zone that times are told in.
PRESETS = {"zone": "plan_zone"}


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
    for line in figures.describe_closed_months(result.closed, current()):
        st.text(line)
    preset: dict[str, str | list[str]] = {"basis": basis}
    left, right = st.columns([3, 2])
    with left:
        show_trend(page, months, make_lines(result.rows, by), by, selection, preset)
    with right:
        st.subheader(say("frame.as_table"))
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
        downloads.offer_table(say("downloads.table"), table, f"compliance-{basis}", page.status, selection)
        st.caption(say("compliance.total", tally=describe_tally(result.total)))
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
    st.subheader(say("compliance.by_month"))
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
        st.caption(say("compliance.nothing_counted"))
        return
    event = st.plotly_chart(
        figure,
        config=charts.CONFIG,
        key="trend",
        on_select="rerun",
        selection_mode="points",
        alt=say("compliance.alt"),
    )
    mark = say("compliance.shaded") if has_lines else say("compliance.hatched")
    st.caption(say("compliance.caption", fewest=figures.FEWEST_FOR_A_RATE, mark=mark))
    left_out = len(counted) - len(drawn)
    if by and left_out:
        if has_lines:
            st.caption(say("compliance.few_lines", few=left_out, cells=len(counted)))
        else:
            st.caption(say("compliance.few_together", few=left_out, cells=len(counted)))
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
        st.info(say("compliance.no_filter"))
        return
    known = {PRESETS.get(word, word): [value] for word, value in cell.items()}
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
        "zone": row.time_zone,
        # Tickets of no group are counted apart, and listed like those of any other.
        "group": row.group_name or NO_GROUP,
    }
    return "\n".join("" if values[word] is None else str(values[word]) for word in by)


def choose(page: frame.Page) -> tuple[Selection, str, str]:
    """The filters, in the sidebar; their options are what the build has."""
    with st.sidebar:
        names = section("cuts")
        options = {
            each: names[name]
            for each, name in CUTS.items()
            if page.shows_staff_data or each not in STAFF_CUTS
        }
        cut = page.choices.one(say("compliance.lines_by"), "by", options, "obligation")
        basis = page.choices.one(say("frame.month_is"), "basis", section("month_bases"), "settled")
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
            words = current()
            st.caption(figures.month_of(month, words))
            st.subheader(figures.rate_or_count(rate, words), anchor=False)
            lines = [describe_tally(month.tally)]
            bounds = figures.say_bounds(rate, words)
            if bounds:
                lines.append(say("compliance.bounds", bounds=bounds, undecided=rate.undecided))
            if at and not month.is_partial:
                before = months[at - 1]
                lines.append(figures.change_on(rate, before.tally.compliance, before.month, words))
            st.caption("  \n".join(lines))


def make_lines(rows: tuple[ComplianceRow, ...], by: tuple[str, ...]) -> list[charts.Line]:
    """One line per value of the cut; with two words, the first one makes the panels."""
    tallies: dict[tuple[str, str], dict[str, Tally]] = {}
    keys: dict[tuple[str, str], str] = {}
    for each in rows:
        words = [name_dimension(each, word) for word in by]
        one = words[0] if words else say("charts.all")
        panel, name = (words[0], words[1]) if len(words) == 2 else ("", one)
        tallies.setdefault((panel, name), {})[each.month or ""] = each.tally
        keys[panel, name] = key_of(each, by)
    return [charts.Line(*place, of_months, keys[place]) for place, of_months in sorted(tallies.items())]


def name_dimension(each: ComplianceRow, word: str) -> str:
    """What a cell of a cut is called."""
    words = current()
    if word == "severity":
        if each.severity is None:
            return words.say("severity_unknown")
        return words.say("severity", levels=each.severity)
    if word == "customer":
        return each.customer_name or each.customer_id or say("tables.no_customer")
    if word == "obligation":
        return words.word(each.obligation)
    if word == "zone":
        return each.time_zone or "UTC"
    if word == "group":
        return each.group_name or say("tables.no_group")
    return each.plan or say("tables.no_plan")


def describe_row(each: ComplianceRow, by: tuple[str, ...]) -> dict[str, object]:
    tally, words = each.tally, current()
    month = words.month(each.month or "")
    heads = section("cut_heads")
    return (
        row(month=say("compliance.partial", month=month) if each.is_partial else month)
        | {heads[word]: name_dimension(each, word) for word in by}
        | row(
            compliance=figures.rate_or_count(tally.compliance, words),
            bounds=figures.say_bounds(tally.compliance, words) or "",
            met=tally.met,
            counted=tally.counted,
            breached=tally.breached,
            running=tally.pending,
            waived=tally.waived,
            not_covered=tally.not_covered,
            not_measurable=tally.not_measurable,
            met_only_by_ai=tally.met_only_by_ai,
            before_waivers=figures.rate_or_count(tally.raw_compliance, words),
        )
    )


def describe_tally(tally: Tally) -> str:
    """'18 met of 19 counted, 2 running, 1 waived, 0 not covered, 0 not measurable'."""
    told = say(
        "compliance.tally",
        met=tally.met,
        counted=tally.counted,
        running=tally.pending,
        waived=tally.waived,
        not_covered=tally.not_covered,
        not_measurable=tally.not_measurable,
    )
    only_by_ai = figures.met_only_by_ai(tally.met_only_by_ai, current())
    return f"{told}. {only_by_ai}" if only_by_ai else told


def explain_counting() -> None:
    with st.popover(say("frame.how_counted")):
        st.markdown(say("compliance.counting"))


with frame.open_page("compliance") as page:
    show(page)
