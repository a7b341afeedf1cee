"""One customer's whole picture, and the report that the customer receives."""

from __future__ import annotations

import streamlit as st

from dashboards import cards, choices, downloads, frame, tables, ticket_list
from pipeline.errors import SlaError
from pipeline.periods.issue import read_documents
from pipeline.reporting import figures
from pipeline.reporting.breaches import read_breaches
from pipeline.reporting.compliance import read_comparison, read_customers, read_trend
from pipeline.reporting.entitlements import read_alerts, read_balances
from pipeline.reporting.findings import read_findings
from pipeline.reporting.language import TERMINAL
from pipeline.reporting.managers_pack import read_promises
from pipeline.reporting.overview import split_balances
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import read_at_risk

_MIME = {"pdf": "application/pdf", "csv": "text/csv", "xlsx": downloads.XLSX}


def show(page: frame.Page) -> None:
    customers = {each.customer_id: each for each in read_customers(page.published, page.scope)}
    names = {key: f"{each.customer_name} ({key})" for key, each in customers.items()}
    with st.sidebar:
        customer_id = page.choices.one("Customer", "customer", {"": "none", **names}, "")
        month, _ = frame.choose_month(page)
    if not customer_id:
        st.info("No customer is chosen. Choose one at the left, or tick a row of the page Customers.")
        return
    customer = customers[customer_id]
    selection = Selection(customer_ids=(customer_id,))
    st.text(f"{customer.customer_name} · {customer_id} · time zone {customer.time_zone or 'UTC'}")
    show_links(page, selection, month)
    show_promises(page, selection, month)
    show_report(page, customer_id, month)
    show_open(page, selection)
    show_breaches(page, selection, month)
    show_entitlements(page, selection)
    cards.show_trend(page, read_trend(page.published, page.scope, selection), selection)
    if page.shows_staff_data:
        show_findings(page, selection)


def show_links(page: frame.Page, selection: Selection, month: str) -> None:
    targets: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("Compliance", "views/compliance.py", {}),
        ("Tickets", ticket_list.LIST_PAGE, {"month": month}),
        ("Why we breach", "views/why.py", {"month": month}),
        ("Entitlements", "views/entitlements.py", {}),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, target, preset in targets:
            page.link(target, label, choices.address(selection, **preset))


def show_promises(page: frame.Page, selection: Selection, month: str) -> None:
    st.subheader(f"Promises in {figures.month_name(month)}")
    cells = read_comparison(page.published, page.scope, selection, month, ("obligation",))
    cells = tuple(cell for cell in cells if cell.tally.total)
    if not cells:
        st.caption("Nothing was promised in this month.")
        return
    promises = read_promises(page.published, page.scope, selection, month)
    cards.show_cards(page, cells, promises, selection, month)


def show_report(page: frame.Page, customer_id: str, month: str) -> None:
    """The documents that `sla report` writes, made when they are asked for."""
    name = figures.month_name(month)
    if not st.button(f"Prepare the report of {name}", icon=":material/description:"):
        return
    try:
        with st.spinner("The report is made."):
            edition, documents = read_documents(page.workspace, page.scope, customer_id, month)
    except SlaError as problem:
        st.error(f"There is no report of {name}.")
        frame.tell(page.viewer, problem)
        return
    is_draft = edition.state != "closed"
    st.text(
        f"Report {edition.report_number}{', a draft: the month is not closed' if is_draft else ''}. "
        "It holds what the customer receives."
    )
    with st.container(horizontal=True):
        for file, content in documents.items():
            ending = file.rpartition(".")[2]
            st.download_button(
                f"Download {ending.upper()}",
                content,
                file,
                _MIME[ending],
                key=f"report_{ending}",
                icon=":material/download:",
                on_click="ignore",
            )


def show_open(page: frame.Page, selection: Selection) -> None:
    running = read_at_risk(page.published, page.scope, selection)
    st.subheader(f"Open promises: {len(running)}")
    if not running:
        st.caption("No promise is open within its target.")
        return
    ticket_list.show(page, running, "open", selection, key="open_tickets")


def show_breaches(page: frame.Page, selection: Selection, month: str) -> None:
    labels = TERMINAL.section("breach_classes")
    chosen = Selection(customer_ids=selection.customer_ids, months=(month,))
    breaches = read_breaches(page.published, page.scope, chosen)
    st.subheader(f"Breached in {figures.month_name(month)}: {len(breaches)}")
    if not breaches:
        st.caption("No promise was breached.")
        return
    reasons = {each.obligation.obligation_key: labels[each.breach_class] for each in breaches}
    obligations = [each.obligation for each in breaches]
    ticket_list.show(page, obligations, f"breaches-{month}", selection, reasons, key="breached_tickets")


def show_entitlements(page: frame.Page, selection: Selection) -> None:
    st.subheader("Entitlements of current terms")
    balances = read_balances(page.published, page.scope, selection)
    stated, _ = split_balances(each for each in balances if each.term_status == "current")
    if not stated:
        st.caption("No current term states a number.")
    else:
        table = tables.without(map(tables.describe_balance, stated), "Customer")
        st.dataframe(table, hide_index=True, key="customer_balances")
        downloads.offer_table("Download the entitlements", table, "entitlements", page.status, selection)
    alerts = read_alerts(page.published, page.scope, selection)
    if alerts:
        st.dataframe(
            tables.without(map(tables.describe_alert, alerts), "Customer"),
            hide_index=True,
            key="customer_alerts",
        )


def show_findings(page: frame.Page, selection: Selection) -> None:
    found = read_findings(page.published, page.scope, selection)
    with st.expander(f"Findings: {len(found.rows)}"):
        if not found.rows:
            st.caption("Nothing about this customer looks wrong.")
            return
        table = tables.without(map(tables.describe_finding, found.rows), "Customer")
        st.dataframe(table, hide_index=True, key="customer_findings")
        downloads.offer_table("Download the findings", table, "findings", page.status, selection)


with frame.open_page("Customer") as page:
    show(page)
