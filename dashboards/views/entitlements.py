"""Entitlements: what is left of each pool, and the ledger of one with the supply that paid each unit."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, downloads, frame, tables, times
from dashboards.language import current, row, say, section
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

TERMS = ("current", "upcoming", "ended")
RENEWAL_DAYS = 90
ALERTS = ("pools", "terms")


def show(page: frame.Page) -> None:
    selection, alert_kind, term, balances = choose(page)
    stated, not_stated = split_balances(each for each in balances if term in ("", each.term_status))
    if stated:
        show_pools(page, selection, stated)
    elif not not_stated:
        st.info(say("entitlements.no_rows"))
    else:
        st.caption(say("entitlements.no_number"))
    show_alerts(page, selection, alert_kind)
    show_renewals(page, selection, balances)
    show_chart(stated)
    if not_stated:
        with st.expander(say("entitlements.not_stated", number=len(not_stated))):
            st.dataframe(
                [tables.describe_balance(each) for each in not_stated],
                hide_index=True,
                key="not_stated_table",
            )


def show_pools(page: frame.Page, selection: Selection, balances: Sequence[Balance]) -> None:
    st.subheader(say("entitlements.left"))
    st.caption(say("entitlements.left_caption"))
    table = [tables.describe_balance(each) for each in balances]
    event = st.dataframe(
        table,
        hide_index=True,
        key="balance_table",
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 + 35 * len(table), 330),
    )
    downloads.offer_table(say("downloads.table"), table, "entitlements", page.status, selection)
    rows = event["selection"]["rows"]
    ticked = name_pool(balances[rows[0]]) if rows and rows[0] < len(balances) else ""
    # A new tick sets the field; after that the field can be changed by itself.
    if ticked and ticked != st.session_state.get("pool_ticked"):
        st.session_state["pool"] = ticked
    st.session_state["pool_ticked"] = ticked
    options = {name_pool(each): label_pool(each) for each in balances}
    pool = page.choices.one(say("entitlements.ledger_of"), "pool", {"": say("tables.none"), **options}, "")
    if pool:
        show_ledger(page, next(each for each in balances if name_pool(each) == pool))


def name_pool(each: Balance) -> str:
    return f"{each.subscription_id}/{each.pool}"


def label_pool(each: Balance) -> str:
    return f"{each.customer_name} · {current().word(each.pool)} · {each.subscription_id}"


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
        st.caption(say("entitlements.nothing_booked"))
        return
    if balance.available_quantity is not None and not balance.is_unlimited:
        forecast = find_forecast(page, balance)
        st.plotly_chart(
            charts.draw_burn_down(balance, lines, forecast, frame.ink()),
            config=charts.CONFIG,
            key="burn_down",
            alt=say("entitlements.burn_down_alt"),
        )
        st.caption(say_pace(balance, forecast))
    table = [describe_line(each) for each in lines]
    st.caption(say("frame.tick_for_ticket"))
    event = st.dataframe(
        table, hide_index=True, key="ledger_table", on_select="rerun", selection_mode="single-row"
    )
    name = f"ledger-{balance.subscription_id}-{balance.pool}"
    downloads.offer_table(say("downloads.table"), table, name, page.status)
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(lines) and lines[ticked].ticket_id:
            page.open(TICKET_PAGE, {"ticket": str(lines[ticked].ticket_id)})


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
    words, burn = current(), balance.burn
    passed = figures.percent_alone(balance.even_pace, words)
    if burn:
        told = say("entitlements.consumed", share=figures.percent(burn, words), passed=passed)
    else:
        told = say("entitlements.passed", passed=passed)
    if forecast is None:
        return told
    if forecast.lasts_ratio is None or forecast.left_at_end is None:
        return f"{told} {say('entitlements.no_forecast', why=words.word(forecast.forecast_status))}"
    low, mid, high = forecast.left_at_end
    chance = figures.chance(forecast.lasts_ratio, words)
    return f"{told} {say('entitlements.forecast', mid=mid, low=low, high=high, chance=chance)}"


def show_renewals(page: frame.Page, selection: Selection, balances: Sequence[Balance]) -> None:
    renewals = list_renewals(balances, RENEWAL_DAYS)
    st.subheader(say("entitlements.renewals", days=RENEWAL_DAYS, number=len(renewals)))
    if not renewals:
        st.caption(say("entitlements.no_renewals"))
        return
    table = [describe_renewal(each) for each in renewals]
    st.dataframe(table, hide_index=True, key="renewals")
    downloads.offer_table(say("downloads.table"), table, "renewals", page.status, selection)


def describe_renewal(each: Renewal) -> dict[str, object]:
    remaining = figures.quantity(each.remaining_quantity, is_unlimited=each.is_unlimited, language=current())
    return row(
        ends_on=current().day(each.term_ends_on),
        days_left=each.days_left,
        customer=each.customer_name,
        plan=each.plan,
        remaining=remaining,
        over=each.overage_quantity,
        term=each.subscription_id,
    )


def describe_line(each: Movement) -> dict[str, object]:
    words = current()
    return row(
        at=times.instant(each.happened_at),
        what=words.say(each.movement_kind, "movements"),
        units="" if each.quantity is None else figures.signed(each.quantity),
        balance_after=each.balance_after,
        ticket=each.ticket_id or "",
        paid_by=figures.supply(each.payer_kind, each.payer_id, words),
        reason=words.movement_reason(each.reason) if each.reason else "",
        month=words.month(each.month),
    )


def show_chart(stated: Sequence[Balance]) -> None:
    limited = [each for each in stated if not each.is_unlimited]
    if not limited:
        return
    st.subheader(say("entitlements.drawn"))
    st.plotly_chart(
        charts.with_ink(charts.draw_balances(limited[: charts.MAXIMUM_BALANCES]), frame.ink()),
        config=charts.CONFIG,
        key="balances",
        alt=say("entitlements.drawn_alt"),
    )
    if len(limited) > charts.MAXIMUM_BALANCES:
        st.caption(say("entitlements.most_pressing", shown=charts.MAXIMUM_BALANCES, number=len(limited)))


def show_alerts(page: frame.Page, selection: Selection, kind: str) -> None:
    """What an account team should know now: of current terms, whichever terms the balances show."""
    st.subheader(say("entitlements.alerts"))
    alerts = [
        each
        for each in read_alerts(page.published, page.scope, selection)
        if not kind or (kind == "pools") == (each.pool is not None)
    ]
    if not alerts:
        st.caption(say("entitlements.none_of_kind") if kind else say("entitlements.no_alerts"))
        return
    table = [tables.describe_alert(each) for each in alerts]
    st.dataframe(table, hide_index=True, key="alert_table")
    downloads.offer_table(say("downloads.table"), table, "alerts", page.status, selection)


def choose(page: frame.Page) -> tuple[Selection, str, str, tuple[Balance, ...]]:
    """The selection of the filters, the kind of alerts, the state of terms, and the balances of all states that are selected."""
    everything = read_balances(page.published, page.scope)
    names = {each.customer_id: f"{each.customer_name} ({each.customer_id})" for each in everything}
    plans = {each.plan: each.plan for each in everything}
    with st.sidebar:
        customer_ids = page.choices.many(say("columns.customer"), "customer", names)
        chosen_plans = page.choices.many(say("columns.plan"), "plan", dict(sorted(plans.items())))
        states = {each: current().word(each) for each in TERMS} | {"": say("entitlements.all_terms")}
        term = page.choices.one(say("columns.term"), "term", states, "current")
        kinds = {"": say("entitlements.all_alerts")} | {each: section("alert_kinds")[each] for each in ALERTS}
        alert_kind = page.choices.one(say("entitlements.alerts"), "alert", kinds, "")
        with st.popover(say("frame.how_counted")):
            st.markdown(say("entitlements.counting"))
    selection = Selection(customer_ids=customer_ids, plans=chosen_plans)
    found = tuple(
        each
        for each in everything
        if (customer_ids is None or each.customer_id in customer_ids)
        and (chosen_plans is None or each.plan in chosen_plans)
    )
    return selection, alert_kind, term, found


with frame.open_page("entitlements") as page:
    show(page)
