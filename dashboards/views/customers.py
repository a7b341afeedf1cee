"""Every customer on one line, the one with the most breaches first; a row opens the customer's own page."""

from __future__ import annotations

import streamlit as st

from dashboards import downloads, frame
from dashboards.language import count, current, row, say
from pipeline.reporting import figures
from pipeline.reporting.compliance import month_before
from pipeline.reporting.customers import CustomerLine, read_customer_lines

CUSTOMER_PAGE = "views/customer.py"


def show(page: frame.Page) -> None:
    with st.sidebar:
        month, _ = frame.choose_month(page)
        selection = page.choices.selection(page.published, page.scope)
    lines = sorted(
        read_customer_lines(page.published, page.scope, selection, month),
        key=lambda each: (-each.tally.breached, -each.at_risk),
    )
    if not lines:
        frame.say_no_rows()
        return
    known = sum(each.customer_id is not None for each in lines)
    st.subheader(count("customers.head", known, month=current().month(month)))
    st.caption(say("customers.caption"))
    table = [describe(each, month) for each in lines]
    event = st.dataframe(
        table,
        hide_index=True,
        key="customers",
        on_select="rerun",
        selection_mode="single-row",
        # Wide enough for '0 of 1, 2 undecided', in whichever row that is.
        column_config={say("columns.compliance"): st.column_config.TextColumn(width=150)},
    )
    downloads.offer_table(say("downloads.table"), table, f"customers-{month}", page.status, selection)
    for ticked in event["selection"]["rows"][:1]:
        customer_id = lines[ticked].customer_id
        if customer_id is None:
            st.info(say("customers.no_customer"))
        else:
            page.open(CUSTOMER_PAGE, {"customer": customer_id, "month": month})


def describe(each: CustomerLine, month: str) -> dict[str, object]:
    rate = each.tally.compliance
    words = current()
    return row(
        customer=each.customer_name or say("tables.no_customer"),
        compliance=figures.rate_or_count(rate, words),
        breached=each.tally.breached,
        counted=each.tally.counted,
        running=each.running,
        at_risk=each.at_risk,
        remaining="–"
        if each.remaining_quantity is None and not each.is_unlimited
        else figures.quantity(each.remaining_quantity, is_unlimited=each.is_unlimited, language=words),
        over=each.overage_quantity,
        term_ends_on=words.day(each.term_ends_on),
        days_left=each.days_left,
        alerts=each.alerts,
        findings=each.findings,
        plan=", ".join(each.plans) or say("tables.no_current_plan"),
        not_measurable=each.tally.not_measurable,
        month_before=figures.change_on(rate, each.previous.compliance, month_before(month), words),
        id=each.customer_id or "",
    )


with frame.open_page("customers") as page:
    show(page)
