"""What another plan would change, as tables and in words."""

from __future__ import annotations

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.reporting import figures
from pipeline.reporting.plan_trials import BalanceDifference, Trial, VerdictDifference


def trial_tables(trial: Trial) -> list[TextTable]:
    """What another plan would change: the sums now and then, and only the differences behind them."""

    def line(what: str, now: str, then: str) -> tuple[str, ...]:
        return (what, now, then, "" if now == then else "changes")

    is_overage_known = not trial.fits or bool(trial.comparable_pools)
    overage = [str(units) for units in trial.overage] if is_overage_known else ["n/a", "n/a"]
    sums = (
        line("compliance with targets", *map(figures.percent, trial.targets)),
        line("compliance with estimates", *map(figures.percent, trial.estimates)),
        line("units over the included number", *overage),
    )
    count = len(trial.fits)
    notes = [
        f"{count} current term{'' if count == 1 else 's'} of another plan, with the tickets of each so far."
    ]
    unknown = [fit.subscription_id for fit in trial.fits if fit not in trial.comparable_pools]
    if unknown:
        notes.append(
            f"No version of the plan was in force when these terms began, so their pools are not compared: {', '.join(unknown)}."
        )
    if not trial.verdicts and not trial.balances:
        changes = "Nothing would change." if not unknown else "No verdict would change."
        notes.append(changes if count else "No current term has another plan.")
    tables = [
        TextTable(
            f"The same tickets under {trial.trial_plan}",
            (("", LEFT), ("now", RIGHT), ("then", RIGHT), ("", LEFT)),
            sums,
            tuple(notes),
        )
    ]
    if trial.balances:
        pool_columns = (("customer", LEFT), ("pool", LEFT), ("what would change", LEFT))
        pools = tuple(
            (row.customer_id, figures.words(row.pool), say_balance_difference(row)) for row in trial.balances
        )
        tables.append(TextTable("Pools that would differ", pool_columns, pools))
    if trial.verdicts:
        verdict_columns = (
            ("customer", LEFT),
            ("ticket", LEFT),
            ("promise", LEFT),
            ("what would change", LEFT),
        )
        verdicts = tuple(
            (row.customer_id, row.ticket_id, _cycle_name(row), say_verdict_difference(row))
            for row in trial.verdicts
        )
        tables.append(TextTable("Verdicts that would differ", verdict_columns, verdicts))
    return tables


def say_verdict_difference(row: VerdictDifference) -> str:
    """'24 h on business hours, counted 7 h: met; then 8 h on always, counted 9 h 12 min: breached.'"""

    def side(
        target: int | None, clock: str | None, elapsed: int | None, status: str | None, reason: str | None
    ) -> str:
        if status is None:
            return "no such promise"
        judged = figures.STATUS_NAMES[status].lower()
        if target is None or elapsed is None:
            return judged + (f" ({figures.words(reason)})" if reason else "")
        return f"{figures.duration(target)} on {figures.words(clock)}, counted {figures.duration(elapsed)}: {judged}"

    now = side(row.target_seconds, row.clock_name, row.elapsed_seconds, row.status, row.status_reason)
    then = side(
        row.trial_target_seconds,
        row.trial_clock_name,
        row.trial_elapsed_seconds,
        row.trial_status,
        row.trial_status_reason,
    )
    return f"{now}; then {then}."


def say_balance_difference(row: BalanceDifference) -> str:
    """'Included 10 becomes unlimited; remaining 0 becomes unlimited; overage 2 becomes 0.'"""

    def side(number: int | None, is_unlimited: bool, is_stated: bool) -> str:
        return figures.quantity(number, is_unlimited=is_unlimited, is_stated=is_stated)

    no_pool = "no such pool"
    pairs = (
        ("included", row.granted_quantity, row.trial_granted_quantity),
        ("remaining", row.remaining_quantity, row.trial_remaining_quantity),
    )
    parts = []
    for what, now, then in pairs:
        told = (
            no_pool if row.overage_quantity is None else side(now, row.is_unlimited, row.is_stated),
            no_pool
            if row.trial_overage_quantity is None
            else side(then, row.is_trial_unlimited, row.is_trial_stated),
        )
        if told[0] != told[1]:
            parts.append(f"{what} {told[0]} becomes {told[1]}")
    if row.overage_quantity != row.trial_overage_quantity:
        parts.append(f"overage {row.overage_quantity or 0} becomes {row.trial_overage_quantity or 0}")
    sentence = "; ".join(parts)
    return sentence[:1].upper() + sentence[1:] + "."


def _cycle_name(row: VerdictDifference) -> str:
    return figures.words(row.obligation) + (f" {row.cycle_number}" if row.cycle_number > 1 else "")
