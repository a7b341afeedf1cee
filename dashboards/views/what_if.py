"""The tickets of the terms that run now, under another plan: what would change, and why."""

from __future__ import annotations

import streamlit as st

from dashboards import downloads, frame, ticket_list
from pipeline.errors import ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.entitlements import read_plans
from pipeline.reporting.plan_trials import BalanceDifference, PlanFit, Trial, VerdictDifference, read_trial
from pipeline.reporting.published import Ratio, Selection


def show(page: frame.Page) -> None:
    plans = read_plans(page.published, page.scope)
    with st.sidebar:
        plan = page.choices.one("Plan to try", "trial", {"": "none", **{each: each for each in plans}}, "")
        selection = page.choices.selection(page.published, page.scope, ("customer",))
        explain_counting()
    if not plan:
        st.info("No plan is chosen. Choose at the left the plan to try.")
        return
    try:
        trial = read_trial(page.published, page.scope, plan, selection)
    except ConfigurationError as problem:
        st.info("This plan was not tried.")
        frame.tell(page.viewer, problem)
        return
    count = len(trial.fits)
    st.subheader(
        f"{count} current term{'' if count == 1 else 's'} of another plan, with the tickets of each so far"
    )
    if not trial.fits:
        st.caption("No current term in this selection has another plan.")
        return
    show_sums(trial)
    show_terms(page, trial, selection)
    show_pools(page, trial, selection)
    show_verdicts(page, trial, selection)


def show_sums(trial: Trial) -> None:
    overage = trial.overage if trial.comparable_pools else None
    cards = (
        ("Compliance with targets", *map(say_rate, trial.targets)),
        ("Compliance with estimates", *map(say_rate, trial.estimates)),
        ("Units over the included number", *(map(str, overage) if overage else ("n/a", "n/a"))),
    )
    for column, (name, now, then) in zip(st.columns(len(cards)), cards, strict=True):
        with column, st.container(border=True):
            st.caption(name)
            st.header(then, anchor=False)
            st.caption("no change" if now == then else f"now {now}")
    unknown = len(trial.fits) - len(trial.comparable_pools)
    if unknown:
        st.caption(
            f"Of {unknown} of these terms the pools are not compared: a plan had no version in force when they began."
        )


def say_rate(rate: Ratio) -> str:
    return figures.percent(rate)


def show_terms(page: frame.Page, trial: Trial, selection: Selection) -> None:
    table = [describe_fit(each) for each in trial.fits]
    st.dataframe(table, hide_index=True, key="trial_terms")
    downloads.offer_table("Download the terms", table, f"what-if-{trial.trial_plan}", page.status, selection)


def describe_fit(each: PlanFit) -> dict[str, object]:
    return {
        "Customer": each.customer_name,
        "Plan": each.plan,
        "Tried": each.trial_plan,
        "Tickets that change": each.changed_tickets_count,
        "Breached targets": f"{each.target_breached_count} → {each.trial_target_breached_count}",
        "Met targets": f"{each.target_met_count} → {each.trial_target_met_count}",
        "Over": f"{say_units(each.overage_quantity)} → {say_units(each.trial_overage_quantity)}",
        "Term ends on": figures.day(each.term_ends_on),
        "Term": each.subscription_id,
    }


def say_units(quantity: int | None) -> str:
    return "n/a" if quantity is None else str(quantity)


def show_pools(page: frame.Page, trial: Trial, selection: Selection) -> None:
    st.subheader(f"Pools that would differ: {len(trial.balances)}")
    if not trial.balances:
        st.caption("None.")
        return
    table = [describe_pool(each) for each in trial.balances]
    st.dataframe(table, hide_index=True, key="trial_pools")
    downloads.offer_table(
        "Download the pools", table, f"what-if-pools-{trial.trial_plan}", page.status, selection
    )


def describe_pool(each: BalanceDifference) -> dict[str, object]:
    def side(number: int | None, overage: int | None, is_unlimited: bool, is_stated: bool) -> str:
        if overage is None:
            return "no such pool"
        return figures.quantity(number, is_unlimited=is_unlimited, is_stated=is_stated)

    now = (each.overage_quantity, each.is_unlimited, each.is_stated)
    then = (each.trial_overage_quantity, each.is_trial_unlimited, each.is_trial_stated)
    return {
        "Customer": each.customer_id,
        "Pool": figures.words(each.pool),
        "Included now": side(each.granted_quantity, *now),
        "Included then": side(each.trial_granted_quantity, *then),
        "Left now": side(each.remaining_quantity, *now),
        "Left then": side(each.trial_remaining_quantity, *then),
        "Over now": each.overage_quantity,
        "Over then": each.trial_overage_quantity,
        "Term": each.subscription_id,
    }


def show_verdicts(page: frame.Page, trial: Trial, selection: Selection) -> None:
    st.subheader(f"Verdicts that would differ: {len(trial.verdicts)}")
    if not trial.verdicts:
        st.caption("None.")
        return
    st.caption("Tick a row to open its ticket as it is.")
    table = [describe_verdict(each) for each in trial.verdicts]
    event = st.dataframe(
        table, hide_index=True, key="trial_verdicts", on_select="rerun", selection_mode="single-row"
    )
    downloads.offer_table(
        "Download the verdicts", table, f"what-if-verdicts-{trial.trial_plan}", page.status, selection
    )
    for row in event["selection"]["rows"][:1]:
        if row < len(trial.verdicts):
            page.open(ticket_list.TICKET_PAGE, {"ticket": trial.verdicts[row].ticket_id})


def describe_verdict(each: VerdictDifference) -> dict[str, object]:
    def side(status: str | None) -> str:
        return "no such promise" if status is None else figures.STATUS_NAMES[status]

    return {
        "Ticket": each.ticket_id,
        "Customer": each.customer_id,
        "Promise": figures.words(each.obligation),
        "Now": side(each.status),
        "Then": side(each.trial_status),
        "Target now": figures.duration(each.target_seconds),
        "Target then": figures.duration(each.trial_target_seconds),
        "Elapsed now": figures.duration(each.elapsed_seconds),
        "Elapsed then": figures.duration(each.trial_elapsed_seconds),
        "Clock now": figures.words(each.clock_name),
        "Clock then": figures.words(each.trial_clock_name),
    }


def explain_counting() -> None:
    with st.popover("How is this counted?"):
        st.markdown(
            """
            - The terms that run now, with the tickets that they have had so far, judged and counted under the plan that is tried.
              Terms, packs, waivers and severities stay as recorded.
            - That a customer might have asked differently under another plan is outside the data.
            - The figures are those of `sla whatif`.
            """
        )


with frame.open_page("What if") as page:
    show(page)
