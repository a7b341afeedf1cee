"""The promises behind a figure: what was clicked elsewhere stands in the address as a preset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import frame, ticket_list
from dashboards.language import current, say, section
from pipeline.reporting import figures
from pipeline.reporting.breaches import read_breaches
from pipeline.reporting.compliance import read_compliance, read_trend
from pipeline.reporting.overview import of_bands, worst_first
from pipeline.reporting.published import NO_GROUP, Selection
from pipeline.reporting.tickets import Obligation, read_tickets
from pipeline.vocabulary import SLA_STATUSES


def show(page: frame.Page) -> None:
    words = current()
    labels = words.section("breach_classes")
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        month = frame.choose_any_month(page, months)
        basis = page.choices.one(say("frame.month_is"), "basis", section("month_bases"), "settled")
        names = {each: words.status(each) for each in SLA_STATUSES}
        statuses = page.choices.many(say("columns.status"), "status", names)
        # Why a promise was breached is the vendor's own.
        classes = page.choices.many(say("why.class"), "class", labels) if page.shows_staff_data else None
        steps = {step: figures.band(step, words) for step in figures.BANDS}
        bands = page.choices.many(say("columns.at_risk"), "band", steps)
        selection = page.choices.selection(page.published, page.scope)
        zones, groups = choose_zones_and_groups(page)
    chosen = replace(selection, months=(month,) if month else None, statuses=statuses)
    obligations = worst_first(read_tickets(page.published, page.scope, chosen, basis, zones, groups))
    of_class = read_classes(page, chosen, obligations) if page.shows_staff_data else {}
    if classes:
        obligations = tuple(each for each in obligations if of_class.get(each.obligation_key) in classes)
    if bands:
        obligations = of_bands(obligations, [int(band) for band in bands])
    if not obligations:
        frame.say_no_rows()
        return
    reasons = {key: labels[name] for key, name in of_class.items()}
    ticket_list.show(
        page, obligations, _name(month, statuses, classes, bands, zones, groups), selection, reasons
    )


def choose_zones_and_groups(page: frame.Page) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The filters by the plan's zone and, for the vendor's own people, by the group that had the ticket last."""
    known = read_compliance(page.published, page.scope, by=("zone", "group")).rows
    zones = sorted({row.time_zone or "UTC" for row in known})
    groups = sorted({row.group_name for row in known if row.group_name})
    chosen_zones = page.choices.many(say("tickets.zone"), "plan_zone", {zone: zone for zone in zones})
    if not page.shows_staff_data or not groups:
        return chosen_zones, None
    options = {NO_GROUP: say("tables.no_group"), **{group: group for group in groups}}
    return chosen_zones, page.choices.many(say("columns.group"), "group", options)


def read_classes(page: frame.Page, selection: Selection, obligations: Sequence[Obligation]) -> dict[str, str]:
    """Why the breached ones among the promises were breached, by obligation; only their months are read."""
    months = {each.settled_month for each in obligations if each.status == "breached" and each.settled_month}
    if not months:
        return {}
    chosen = replace(selection, statuses=None, months=tuple(sorted(months)))
    return {
        each.obligation.obligation_key: each.breach_class
        for each in read_breaches(page.published, page.scope, chosen)
    }


def _name(month: str, *presets: tuple[str, ...] | None) -> str:
    return "-".join(["tickets", month or "all", *(word for words in presets for word in words or ())])


with frame.open_page("tickets") as page:
    show(page)
