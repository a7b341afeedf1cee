"""One customer's whole picture, and the report that the customer receives."""

from __future__ import annotations

import streamlit as st

from dashboards import cards, choices, downloads, frame, tables, ticket_list
from dashboards.language import count, current, say
from pipeline.errors import SlaError
from pipeline.periods.issue import read_documents
from pipeline.reporting.breaches import read_breaches
from pipeline.reporting.compliance import read_comparison, read_customers, read_trend
from pipeline.reporting.entitlements import read_alerts, read_balances
from pipeline.reporting.findings import read_findings
from pipeline.reporting.managers_pack import read_promises
from pipeline.reporting.overview import split_balances
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import read_at_risk

_MIME = {"pdf": "application/pdf", "csv": "text/csv", "xlsx": downloads.XLSX}


def show(page: frame.Page) -> None:
    customers = {each.customer_id: each for each in read_customers(page.published, page.scope)}
    names = {key: f"{each.customer_name} ({key})" for key, each in customers.items()}
    with st.sidebar:
        customer_id = page.choices.one(
            say("columns.customer"), "customer", {"": say("tables.none"), **names}, ""
        )
        month, _ = frame.choose_month(page)
    if not customer_id:
        st.info(say("customer.none_chosen"))
        return
    customer = customers[customer_id]
    selection = Selection(customer_ids=(customer_id,))
    st.text(
        say(
            "customer.head",
            name=customer.customer_name,
            id=customer_id,
            zone=customer.time_zone or "UTC",
        )
    )
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
        (say("titles.compliance"), "views/compliance.py", {}),
        (say("titles.tickets"), ticket_list.LIST_PAGE, {"month": month}),
        (say("titles.why"), "views/why.py", {"month": month}),
        (say("titles.entitlements"), "views/entitlements.py", {}),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, target, preset in targets:
            page.link(target, label, choices.address(selection, **preset))


def show_promises(page: frame.Page, selection: Selection, month: str) -> None:
    st.subheader(say("cards.promises_in", month=current().month(month)))
    cells = read_comparison(page.published, page.scope, selection, month, ("obligation",))
    cells = tuple(cell for cell in cells if cell.tally.total)
    if not cells:
        st.caption(say("customer.nothing_promised"))
        return
    promises = read_promises(page.published, page.scope, selection, month)
    cards.show_cards(page, cells, promises, selection, month)


def show_report(page: frame.Page, customer_id: str, month: str) -> None:
    """The documents that `sla report` writes, made when they are asked for."""
    name = current().month(month)
    if not st.button(say("customer.prepare", month=name), icon=":material/description:"):
        return
    try:
        with st.spinner(say("customer.making")):
            edition, documents = read_documents(page.workspace, page.scope, customer_id, month)
    except SlaError as problem:
        st.error(say("customer.no_report", month=name))
        frame.tell(page.viewer, problem)
        return
    if edition.state == "closed":
        st.text(say("customer.report", number=edition.report_number))
    else:
        st.text(say("customer.draft", number=edition.report_number))
    with st.container(horizontal=True):
        for file, content in documents.items():
            ending = file.rpartition(".")[2]
            st.download_button(
                say("customer.download", kind=ending.upper()),
                content,
                file,
                _MIME[ending],
                key=f"report_{ending}",
                icon=":material/download:",
                on_click="ignore",
            )


def show_open(page: frame.Page, selection: Selection) -> None:
    running = read_at_risk(page.published, page.scope, selection)
    st.subheader(say("customer.open", number=len(running)))
    if not running:
        st.caption(say("customer.none_open"))
        return
    ticket_list.show(page, ticket_list.whole(running), "open", selection, key="open_tickets")


def show_breaches(page: frame.Page, selection: Selection, month: str) -> None:
    labels = current().section("breach_classes")
    chosen = Selection(customer_ids=selection.customer_ids, months=(month,))
    breaches = read_breaches(page.published, page.scope, chosen)
    st.subheader(say("customer.breached", month=current().month(month), number=len(breaches)))
    if not breaches:
        st.caption(say("customer.none_breached"))
        return
    reasons = {each.obligation.month_key: labels[each.breach_class] for each in breaches}
    promises = ticket_list.whole([each.obligation for each in breaches])
    ticket_list.show(
        page, promises, f"breaches-{month}", selection, lambda _: reasons, key="breached_tickets"
    )


def show_entitlements(page: frame.Page, selection: Selection) -> None:
    st.subheader(say("customer.entitlements"))
    balances = read_balances(page.published, page.scope, selection)
    stated, _ = split_balances(each for each in balances if each.term_status == "current")
    if not stated:
        st.caption(say("customer.no_number"))
    else:
        table = tables.without(map(tables.describe_balance, stated), "customer")
        st.dataframe(table, hide_index=True, key="customer_balances")
        downloads.offer_table(say("downloads.table"), table, "entitlements", page.status, selection)
    alerts = read_alerts(page.published, page.scope, selection)
    if alerts:
        st.dataframe(
            tables.without(map(tables.describe_alert, alerts), "customer"),
            hide_index=True,
            key="customer_alerts",
        )


def show_findings(page: frame.Page, selection: Selection) -> None:
    found = read_findings(page.published, page.scope, selection)
    with st.expander(count("customer.findings", len(found.rows))):
        if not found.rows:
            st.caption(say("customer.no_findings"))
            return
        table = tables.without(map(tables.describe_finding, found.rows), "customer")
        st.dataframe(table, hide_index=True, key="customer_findings")
        downloads.offer_table(say("downloads.table"), table, "findings", page.status, selection)


with frame.open_page("customer") as page:
    show(page)
