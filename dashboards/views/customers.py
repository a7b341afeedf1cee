"""Every customer on one line, the one with the most breaches first; a row opens the customer's own page."""

from __future__ import annotations

import streamlit as st

from dashboards import downloads, frame
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
    count = sum(each.customer_id is not None for each in lines)
    st.subheader(f"{count} customer{'' if count == 1 else 's'}, promises of {figures.month_name(month)}")
    st.caption(
        "The most breaches first. Running and at risk: as of the data. Remaining: regular pools of current terms. "
        "Tick a row for the customer's page."
    )
    table = [describe(each, month) for each in lines]
    event = st.dataframe(
        table, hide_index=True, key="customers", on_select="rerun", selection_mode="single-row"
    )
    downloads.offer_table("Download this table", table, f"customers-{month}", page.status, selection)
    for row in event["selection"]["rows"][:1]:
        customer_id = lines[row].customer_id
        if customer_id is None:
            st.info("These tickets map to no customer. The page Findings lists them with their source lines.")
        else:
            page.open(CUSTOMER_PAGE, {"customer": customer_id, "month": month})


def describe(each: CustomerLine, month: str) -> dict[str, object]:
    rate = each.tally.compliance
    return {
        "Customer": each.customer_name or "no customer",
        "Compliance": figures.rate_or_count(rate),
        "Breached": each.tally.breached,
        "Counted": each.tally.counted,
        "Running": each.running,
        "At risk": each.at_risk,
        "Remaining": "–"
        if each.remaining_quantity is None and not each.is_unlimited
        else figures.quantity(each.remaining_quantity, is_unlimited=each.is_unlimited),
        "Over": each.overage_quantity,
        "Term ends on": figures.day(each.term_ends_on),
        "Days left": each.days_left,
        "Alerts": each.alerts,
        "Findings": each.findings,
        "Plan": ", ".join(each.plans) or "no current plan",
        "Not measurable": each.tally.not_measurable,
        "Month before": figures.change_on(rate, each.previous.compliance, month_before(month)),
        "Id": each.customer_id or "",
    }


with frame.open_page("Customers") as page:
    show(page)
