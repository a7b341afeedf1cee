"""The promises behind a figure: what was clicked elsewhere stands in the address as a preset."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import choices, frame, ticket_list
from pipeline.reporting import figures
from pipeline.reporting.breaches import read_breaches
from pipeline.reporting.compliance import read_trend
from pipeline.reporting.language import TERMINAL
from pipeline.reporting.overview import of_bands, worst_first
from pipeline.reporting.tickets import read_tickets


def show(page: frame.Page) -> None:
    labels = TERMINAL.section("breach_classes")
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        known = {month.month: month for month in months}
        names = {month: figures.month_of(each) for month, each in reversed(known.items())}
        month = page.choices.one("Month", "month", {"": "all months", **names}, figures.last_complete(months))
        basis = page.choices.one("Month is that", "basis", choices.BASES, "settled")
        statuses = page.choices.many("Status", "status", figures.STATUS_NAMES)
        # Why a promise was breached is the vendor's own.
        classes = page.choices.many("Why breached", "class", labels) if page.shows_staff_data else None
        bands = page.choices.many("At risk", "band", figures.BANDS)
        selection = page.choices.selection(page.published, page.scope)
    chosen = replace(selection, months=(month,) if month else None, statuses=statuses)
    obligations = worst_first(read_tickets(page.published, page.scope, chosen, basis))
    breaches = read_breaches(page.published, page.scope, replace(chosen, statuses=None, months=None))
    of_class = {each.obligation.obligation_key: each.breach_class for each in breaches}
    if classes:
        obligations = tuple(each for each in obligations if of_class.get(each.obligation_key) in classes)
    if bands:
        obligations = of_bands(obligations, [int(band) for band in bands])
    if not obligations:
        frame.say_no_rows()
        return
    reasons = {key: labels[name] for key, name in of_class.items()}
    ticket_list.show(page, obligations, _name(month, statuses, classes, bands), selection, reasons)


def _name(month: str, *presets: tuple[str, ...] | None) -> str:
    return "-".join(["tickets", month or "all", *(word for words in presets for word in words or ())])


with frame.open_page("Tickets") as page:
    show(page)
