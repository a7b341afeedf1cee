"""The promises behind a figure: what was clicked elsewhere stands in the address as a preset."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import frame, ticket_list
from dashboards.language import current, say, section
from pipeline.reporting import figures
from pipeline.reporting.breaches import find_keys_of_classes
from pipeline.reporting.compliance import read_compliance, read_trend
from pipeline.reporting.published import NO_GROUP
from pipeline.reporting.tickets import Cut
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
    keys = None
    if classes:
        settled = replace(chosen, statuses=None, months=chosen.months if basis == "settled" else None)
        keys = find_keys_of_classes(page.published, page.scope, settled, classes)
    cut = Cut(zones, groups, None if bands is None else [int(band) for band in bands], keys)
    listed = ticket_list.worst_first(page, chosen, basis, cut)
    if not listed.length.promise_count:
        frame.say_no_rows()
        return
    name = _name(month, statuses, classes, bands, zones, groups)
    ticket_list.show(page, listed, name, selection, lambda shown: ticket_list.name_classes(page, shown))


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


def _name(month: str, *presets: tuple[str, ...] | None) -> str:
    return "-".join(["tickets", month or "all", *(word for words in presets for word in words or ())])


with frame.open_page("tickets") as page:
    show(page)
