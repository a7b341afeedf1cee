"""Entitlements: what is left of each pool, and the ledger of one with the supply that paid each unit."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, downloads, frame, tables, times
from dashboards.ticket_list import TICKET_PAGE
from pipeline.reporting import figures
from pipeline.reporting.entitlements import (
    Balance,
    Forecast,
    Movement,
    Renewal,
    list_renewals,
    read_alerts,
    read_balances,
    read_forecasts,
    read_ledger,
)
from pipeline.reporting.overview import split_balances
from pipeline.reporting.published import Selection

TERMS = {"current": "current", "upcoming": "upcoming", "ended": "ended", "": "all"}
RENEWAL_DAYS = 90
ALERTS = {"": "all", "pools": "pools running out", "terms": "terms ending"}


def show(page: frame.Page) -> None:
    selection, alert_kind, balances = choose(page)
    stated, not_stated = split_balances(balances)
    if stated:
        show_pools(page, selection, stated)
    elif not not_stated:
        st.info("No subscription terms in this selection. The build has data: remove a filter to see it.")
    else:
        st.caption("The plans state no number for any of these pools.")
    show_alerts(page, selection, alert_kind)
    show_renewals(page, selection)
    show_chart(stated)
    if not_stated:
        with st.expander(f"Pools whose plan states no number: {len(not_stated)}"):
            st.dataframe(
                [tables.describe_balance(each) for each in not_stated],
                hide_index=True,
                key="not_stated_table",
            )


def show_pools(page: frame.Page, selection: Selection, balances: Sequence[Balance]) -> None:
    st.subheader("What is left")
    st.caption("The most pressing first. Tick a row for its ledger.")
    table = [tables.describe_balance(each) for each in balances]
    event = st.dataframe(
        table,
        hide_index=True,
        key="balance_table",
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 + 35 * len(table), 330),
    )
    downloads.offer_table("Download this table", table, "entitlements", page.status, selection)
    rows = event["selection"]["rows"]
    ticked = name_pool(balances[rows[0]]) if rows and rows[0] < len(balances) else ""
    # A new tick sets the field; after that the field can be changed by itself.
    if ticked and ticked != st.session_state.get("pool_ticked"):
        st.session_state["pool"] = ticked
    st.session_state["pool_ticked"] = ticked
    options = {name_pool(each): label_pool(each) for each in balances}
    pool = page.choices.one("Ledger of", "pool", {"": "none", **options}, "")
    if pool:
        show_ledger(page, next(each for each in balances if name_pool(each) == pool))


def name_pool(each: Balance) -> str:
    return f"{each.subscription_id}/{each.pool}"


def label_pool(each: Balance) -> str:
    return f"{each.customer_name} · {figures.words(each.pool)} · {each.subscription_id}"


def show_ledger(page: frame.Page, balance: Balance) -> None:
    """Every line of one pool: what it did to the balance, for which ticket, and the supply that paid it."""
    statements = read_ledger(page.published, page.scope, balance.customer_id)
    lines = [
        line
        for statement in statements
        if (statement.subscription_id, statement.pool) == (balance.subscription_id, balance.pool)
        for line in statement.lines
    ]
    if not lines:
        st.caption("Nothing was booked on this pool.")
        return
    if balance.available_quantity is not None and not balance.is_unlimited:
        forecast = find_forecast(page, balance)
        st.plotly_chart(
            charts.draw_burn_down(balance, lines, forecast, frame.ink()),
            config=charts.CONFIG,
            key="burn_down",
            alt="What was left of the pool over its term, the even pace and the forecast. The ledger below has each movement.",
        )
        st.caption(say_pace(balance, forecast))
    table = [describe_line(each) for each in lines]
    st.caption("Tick a row to open its ticket.")
    event = st.dataframe(
        table, hide_index=True, key="ledger_table", on_select="rerun", selection_mode="single-row"
    )
    name = f"ledger-{balance.subscription_id}-{balance.pool}"
    downloads.offer_table("Download this ledger", table, name, page.status)
    for row in event["selection"]["rows"][:1]:
        if row < len(lines) and lines[row].ticket_id:
            page.open(TICKET_PAGE, {"ticket": str(lines[row].ticket_id)})


def find_forecast(page: frame.Page, balance: Balance) -> Forecast | None:
    selection = Selection(customer_ids=(balance.customer_id,))
    return next(
        (
            each
            for each in read_forecasts(page.published, page.scope, selection)
            if (each.subscription_id, each.pool) == (balance.subscription_id, balance.pool)
        ),
        None,
    )


def say_pace(balance: Balance, forecast: Forecast | None) -> str:
    """'Consumed 40.0 % (8 of 20); 53.4 % of the term has passed. …'"""
    burn = balance.burn
    parts = [
        *([f"Consumed {figures.percent(burn)}"] if burn else []),
        f"{figures.percent_alone(balance.even_pace)} of the term has passed",
    ]
    told = f"{'; '.join(parts)}."
    if forecast is None:
        return told
    if forecast.lasts_ratio is None or forecast.left_at_end is None:
        return f"{told} No forecast: {figures.words(forecast.forecast_status)}."
    low, mid, high = forecast.left_at_end
    return (
        f"{told} Likely left when the term ends: {mid} ({low} to {high} with a chance of 80 %). "
        f"The chance that something is left is {figures.chance(forecast.lasts_ratio)}."
    )


def show_renewals(page: frame.Page, selection: Selection) -> None:
    renewals = list_renewals(read_balances(page.published, page.scope, selection), RENEWAL_DAYS)
    st.subheader(f"Renewals in {RENEWAL_DAYS} days: {len(renewals)}")
    if not renewals:
        st.caption("No current term ends within these days.")
        return
    table = [describe_renewal(each) for each in renewals]
    st.dataframe(table, hide_index=True, key="renewals")
    downloads.offer_table("Download the renewals", table, "renewals", page.status, selection)


def describe_renewal(each: Renewal) -> dict[str, object]:
    return {
        "Ends on": figures.day(each.term_ends_on),
        "Days left": each.days_left,
        "Customer": each.customer_name,
        "Plan": each.plan,
        "Remaining": figures.quantity(each.remaining_quantity, is_unlimited=each.is_unlimited),
        "Over": each.overage_quantity,
        "Term": each.subscription_id,
    }


def describe_line(each: Movement) -> dict[str, object]:
    return {
        "At": times.instant(each.happened_at),
        "What": figures.words(each.movement_kind),
        "Units": "" if each.quantity is None else figures.signed(each.quantity),
        "Balance after": each.balance_after,
        "Ticket": each.ticket_id or "",
        "Paid by": figures.supply(each.payer_kind, each.payer_id),
        "Reason": figures.words(each.reason) if each.reason else "",
        "Month": each.month,
    }


def show_chart(stated: Sequence[Balance]) -> None:
    limited = [each for each in stated if not each.is_unlimited]
    if not limited:
        return
    st.subheader("Drawn of available")
    st.plotly_chart(
        charts.with_ink(charts.draw_balances(limited[: charts.MAXIMUM_BALANCES]), frame.ink()),
        config=charts.CONFIG,
        key="balances",
        alt="What each limited pool had available and what was drawn from it. The table above has the figures.",
    )
    if len(limited) > charts.MAXIMUM_BALANCES:
        st.caption(f"The {charts.MAXIMUM_BALANCES} most pressing of {len(limited)}; the table has them all.")


def show_alerts(page: frame.Page, selection: Selection, kind: str) -> None:
    """What an account team should know now: of current terms, whichever terms the balances show."""
    st.subheader("Alerts")
    alerts = [
        each
        for each in read_alerts(page.published, page.scope, selection)
        if not kind or (kind == "pools") == (each.pool is not None)
    ]
    if not alerts:
        st.caption(
            "No alerts: no pool of a current term is at a threshold or likely to run out, and none ends soon."
            if not kind
            else "No alerts of this kind."
        )
        return
    table = [tables.describe_alert(each) for each in alerts]
    st.dataframe(table, hide_index=True, key="alert_table")
    downloads.offer_table("Download the alerts", table, "alerts", page.status, selection)


def choose(page: frame.Page) -> tuple[Selection, str, list[Balance]]:
    """The selection of the filters, the kind of alerts, and the balances that they leave."""
    everything = read_balances(page.published, page.scope)
    names = {each.customer_id: f"{each.customer_name} ({each.customer_id})" for each in everything}
    plans = {each.plan: each.plan for each in everything}
    with st.sidebar:
        customer_ids = page.choices.many("Customer", "customer", names)
        chosen_plans = page.choices.many("Plan", "plan", dict(sorted(plans.items())))
        term = page.choices.one("Term", "term", TERMS, "current")
        alert_kind = page.choices.one("Alerts", "alert", ALERTS, "")
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
    return selection, alert_kind, [each for each in found if term in ("", each.term_status)]


with frame.open_page("Entitlements") as page:
    show(page)
