"""The tickets of the terms that run now, under another plan: what would change, and why."""

from __future__ import annotations

import streamlit as st

from dashboards import downloads, frame, ticket_list
from dashboards.language import count, current, row, say
from pipeline.errors import ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.entitlements import read_plans
from pipeline.reporting.plan_trials import BalanceDifference, PlanFit, Trial, VerdictDifference, read_trial
from pipeline.reporting.published import Ratio, Selection


def show(page: frame.Page) -> None:
    plans = read_plans(page.published, page.scope)
    with st.sidebar:
        options = {"": say("tables.none"), **{each: each for each in plans}}
        plan = page.choices.one(say("what_if.plan"), "trial", options, "")
        selection = page.choices.selection(page.published, page.scope, ("customer",))
        explain_counting()
    if not plan:
        st.info(say("what_if.none_chosen"))
        return
    try:
        trial = read_trial(page.published, page.scope, plan, selection)
    except ConfigurationError as problem:
        st.info(say("what_if.not_tried"))
        frame.tell(page.viewer, problem)
        return
    st.subheader(count("what_if.head", len(trial.fits)))
    if not trial.fits:
        st.caption(say("what_if.no_terms"))
        return
    show_sums(trial)
    show_terms(page, trial, selection)
    show_pools(page, trial, selection)
    show_verdicts(page, trial, selection)


def show_sums(trial: Trial) -> None:
    overage = trial.overage if trial.comparable_pools else None
    cards = (
        (say("what_if.targets"), *map(say_rate, trial.targets)),
        (say("what_if.estimates"), *map(say_rate, trial.estimates)),
        (say("what_if.overage"), *map(say_units, overage or (None, None))),
    )
    for column, (name, now, then) in zip(st.columns(len(cards)), cards, strict=True):
        with column, st.container(border=True):
            st.caption(name)
            st.header(then, anchor=False)
            st.caption(say("what_if.no_change") if now == then else say("what_if.now", now=now))
    unknown = len(trial.fits) - len(trial.comparable_pools)
    if unknown:
        st.caption(count("what_if.not_compared", unknown))


def say_rate(rate: Ratio) -> str:
    return figures.percent(rate, current())


def show_terms(page: frame.Page, trial: Trial, selection: Selection) -> None:
    table = [describe_fit(each) for each in trial.fits]
    st.dataframe(table, hide_index=True, key="trial_terms")
    downloads.offer_table(
        say("downloads.table"), table, f"what-if-{trial.trial_plan}", page.status, selection
    )


def describe_fit(each: PlanFit) -> dict[str, object]:
    return row(
        customer=each.customer_name,
        plan=each.plan,
        tried=each.trial_plan,
        tickets_that_change=each.changed_tickets_count,
        breached_targets=f"{each.target_breached_count} → {each.trial_target_breached_count}",
        met_targets=f"{each.target_met_count} → {each.trial_target_met_count}",
        over=f"{say_units(each.overage_quantity)} → {say_units(each.trial_overage_quantity)}",
        term_ends_on=current().day(each.term_ends_on),
        term=each.subscription_id,
    )


def say_units(quantity: int | None) -> str:
    return current().say("not_available") if quantity is None else current().whole(quantity)


def show_pools(page: frame.Page, trial: Trial, selection: Selection) -> None:
    st.subheader(say("what_if.pools", number=len(trial.balances)))
    if not trial.balances:
        st.caption(say("what_if.none"))
        return
    table = [describe_pool(each) for each in trial.balances]
    st.dataframe(table, hide_index=True, key="trial_pools")
    downloads.offer_table(
        say("downloads.table"), table, f"what-if-pools-{trial.trial_plan}", page.status, selection
    )


def describe_pool(each: BalanceDifference) -> dict[str, object]:
    def side(number: int | None, overage: int | None, is_unlimited: bool, is_stated: bool) -> str:
        if overage is None:
            return say("what_if.no_pool")
        return figures.quantity(number, is_unlimited=is_unlimited, is_stated=is_stated, language=current())

    now = (each.overage_quantity, each.is_unlimited, each.is_stated)
    then = (each.trial_overage_quantity, each.is_trial_unlimited, each.is_trial_stated)
    return row(
        customer=each.customer_id,
        pool=current().word(each.pool),
        included_now=side(each.granted_quantity, *now),
        included_then=side(each.trial_granted_quantity, *then),
        left_now=side(each.remaining_quantity, *now),
        left_then=side(each.trial_remaining_quantity, *then),
        over_now=each.overage_quantity,
        over_then=each.trial_overage_quantity,
        term=each.subscription_id,
    )


def show_verdicts(page: frame.Page, trial: Trial, selection: Selection) -> None:
    st.subheader(say("what_if.verdicts", number=len(trial.verdicts)))
    if not trial.verdicts:
        st.caption(say("what_if.none"))
        return
    st.caption(say("what_if.tick"))
    table = [describe_verdict(each) for each in trial.verdicts]
    event = st.dataframe(
        table, hide_index=True, key="trial_verdicts", on_select="rerun", selection_mode="single-row"
    )
    downloads.offer_table(
        say("downloads.table"), table, f"what-if-verdicts-{trial.trial_plan}", page.status, selection
    )
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(trial.verdicts):
            page.open(ticket_list.TICKET_PAGE, {"ticket": trial.verdicts[ticked].ticket_id})


def describe_verdict(each: VerdictDifference) -> dict[str, object]:
    def side(status: str | None) -> str:
        return say("what_if.no_promise") if status is None else current().status(status)

    return row(
        ticket=each.ticket_id,
        customer=each.customer_id,
        promise=current().word(each.obligation),
        now=side(each.status),
        then=side(each.trial_status),
        target_now=figures.duration(each.target_seconds),
        target_then=figures.duration(each.trial_target_seconds),
        elapsed_now=figures.duration(each.elapsed_seconds),
        elapsed_then=figures.duration(each.trial_elapsed_seconds),
        clock_now=current().word(each.clock_name),
        clock_then=current().word(each.trial_clock_name),
    )


def explain_counting() -> None:
    with st.popover(say("frame.how_counted")):
        st.markdown(say("what_if.counting"))


with frame.open_page("what_if") as page:
    show(page)
