"""Entitlements: what each subscription term was granted, what it used and what is left."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, choices, frame
from dashboards.downloads import offer_csv, write_csv
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Alert, Balance, read_alerts, read_balances
from pipeline.reporting.published import Selection

TERMS = {"current": "current", "upcoming": "upcoming", "ended": "ended", "": "all"}


def show(page: frame.Page) -> None:
    selection, balances = choose(page)
    show_alerts(page, selection)
    if not balances:
        st.info("No subscription terms in this selection. The build has data: remove a filter to see it.")
        return
    limited = [each for each in balances if each.is_stated and not each.is_unlimited]
    st.subheader("Limited pools")
    if limited:
        # The most pressing first: over the pool, then whatever has least left.
        limited.sort(
            key=lambda each: (-each.overage_quantity, each.remaining_quantity or 0, each.customer_id)
        )
        st.plotly_chart(
            charts.draw_balances(limited[: charts.MAXIMUM_BALANCES]), config=charts.CONFIG, key="balances"
        )
        if len(limited) > charts.MAXIMUM_BALANCES:
            st.caption(
                f"The {charts.MAXIMUM_BALANCES} most pressing of {len(limited)}; the table has them all."
            )
    else:
        st.caption("None of these pools is limited.")
    st.subheader("Every pool")
    table = [describe_balance(each) for each in balances]
    st.dataframe(table, hide_index=True, key="balance_table")
    offer_csv("Download this table", write_csv(table), len(table), "entitlements", page.status)


def show_alerts(page: frame.Page, selection: Selection) -> None:
    """What an account team should know now: of current terms, whichever terms the balances below show."""
    st.subheader("Alerts")
    alerts = read_alerts(page.published, page.scope, selection)
    if not alerts:
        st.caption(
            "No alerts: no pool of a current term is at a threshold or likely to run out, and none ends soon."
        )
        return
    table = [describe_alert(each) for each in alerts]
    st.dataframe(table, hide_index=True, key="alert_table")
    offer_csv("Download the alerts", write_csv(table), len(table), "alerts", page.status)


def describe_alert(each: Alert) -> dict[str, object]:
    return {
        "Alert": figures.alert(each),
        "Customer": each.customer_name,
        "Plan": each.plan,
        "Alert about": figures.words(each.pool) if each.pool else f"term {each.subscription_id}",
        "Consumed": each.consumed_quantity,
        "Available": each.available_quantity,
        "Over": each.overage_quantity,
        "Term ends on": figures.day(each.term_ends_on),
        "Days to the end": each.days_left,
        "Next term": "" if each.pool else each.next_subscription_id or "none",
        "Since": figures.instant(each.raised_at),
    }


def choose(page: frame.Page) -> tuple[Selection, list[Balance]]:
    """The selection of the filters, and the balances that they leave."""
    everything = read_balances(page.published, page.scope)
    names = {each.customer_id: f"{each.customer_name} ({each.customer_id})" for each in everything}
    plans = {each.plan: each.plan for each in everything}
    with st.sidebar:
        customer_ids = choices.choose_many("Customer", "customer", names)
        chosen_plans = choices.choose_many("Plan", "plan", dict(sorted(plans.items())))
        term = choices.choose_one("Term", "term", TERMS, "current")
        with st.popover("How is this counted?"):
            st.markdown(
                """
                - A ticket is **used** when it is submitted, and **credited** when it turns out to be a
                  product
                  defect, merged, a duplicate or waived.
                - granted + purchased − used + credited + flowed out − flowed in − expired
                  + carried = remaining − overage.
                - A pack lives until its own end: what is left of it is **carried** from one term (−) into
                  the next (+).
                - A level 5 ticket over its pool draws on the regular pool where the plan says so: it
                  *flowed out* of the one and *flowed in* to the other.
                - **Overage** is what was used beyond the pool, never shown as a negative balance.
                - **Unlimited** is not a number; **not stated** means that the plan does not say.
                """
            )
    selection = Selection(customer_ids=customer_ids, plans=chosen_plans)
    found = read_balances(page.published, page.scope, selection)
    return selection, [each for each in found if term in ("", each.term_status)]


def describe_balance(each: Balance) -> dict[str, object]:
    return {
        "Customer": each.customer_name,
        "Plan": each.plan,
        "Term": f"{figures.day(each.term_starts_on)} to {figures.day(each.term_ends_on)}",
        "State": each.term_status,
        "Days left": each.days_left,
        "Pool": figures.words(each.pool),
        "Granted": figures.quantity(
            each.granted_quantity, is_unlimited=each.is_unlimited, is_stated=each.is_stated
        ),
        "Purchased": each.purchased_quantity,
        "Used": each.used_quantity,
        "Credited": each.credited_quantity,
        "Flowed in": each.overflowed_in_quantity,
        "Flowed out": each.overflowed_out_quantity,
        "Expired": each.expired_quantity,
        "Carried": each.carried_quantity,
        "Remaining": figures.quantity(
            each.remaining_quantity, is_unlimited=each.is_unlimited, is_stated=each.is_stated
        ),
        "Overage": each.overage_quantity,
    }


with frame.open_page("Entitlements") as page:
    show(page)
