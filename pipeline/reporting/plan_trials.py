"""What another plan would change: the same tickets and pools, counted as they are and as they would be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from pipeline.errors import ConfigurationError
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Ratio,
    Scope,
    Selection,
    bind_values,
    bounded_ratio,
    check_selection,
    list_columns,
    say_unknown,
    where_chosen,
)

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class PlanFit:
    """One subscription term under a plan that is only tried: the same tickets, counted as they are and as they would be.

    Terms that stack are one. A version is None where the plan had none in force when the term began, and so is the overage.
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    plan_version: str | None
    trial_plan: str
    trial_plan_version: str | None
    term_status: str
    term_starts_on: date
    term_ends_on: date
    target_met_count: int
    target_breached_count: int
    estimate_met_count: int
    estimate_breached_count: int
    trial_target_met_count: int
    trial_target_breached_count: int
    trial_estimate_met_count: int
    trial_estimate_breached_count: int
    target_lower_met_count: int
    target_upper_met_count: int
    target_bounded_count: int
    estimate_lower_met_count: int
    estimate_upper_met_count: int
    estimate_bounded_count: int
    trial_target_lower_met_count: int
    trial_target_upper_met_count: int
    trial_target_bounded_count: int
    trial_estimate_lower_met_count: int
    trial_estimate_upper_met_count: int
    trial_estimate_bounded_count: int
    changed_verdicts_count: int
    changed_tickets_count: int
    overage_quantity: int | None
    trial_overage_quantity: int | None
    is_current_plan: bool
    as_of: datetime


@dataclass(frozen=True)
class VerdictDifference:
    """One promise of a ticket whose status would be another one. A side is None where that plan has no such promise or cycle."""

    ticket_id: str
    customer_id: str
    subscription_id: str
    plan: str
    trial_plan: str
    obligation: str
    cycle_number: int
    status: str | None
    trial_status: str | None
    status_reason: str | None
    trial_status_reason: str | None
    clock_name: str | None
    trial_clock_name: str | None
    target_seconds: int | None
    trial_target_seconds: int | None
    elapsed_seconds: int | None
    trial_elapsed_seconds: int | None
    due_at: datetime | None
    trial_due_at: datetime | None
    submitted_at: datetime


@dataclass(frozen=True)
class BalanceDifference:
    """One pool of a term that would hold, leave or exceed another quantity.

    None is no such number; where the overage is None, that plan has no such pool.
    """

    subscription_id: str
    customer_id: str
    trial_plan: str
    pool: str
    granted_quantity: int | None
    trial_granted_quantity: int | None
    remaining_quantity: int | None
    trial_remaining_quantity: int | None
    overage_quantity: int | None
    trial_overage_quantity: int | None
    is_unlimited: bool
    is_trial_unlimited: bool
    is_stated: bool
    is_trial_stated: bool


@dataclass(frozen=True)
class Trial:
    """What another plan would change: per term, and every difference behind it."""

    trial_plan: str
    fits: tuple[PlanFit, ...]
    verdicts: tuple[VerdictDifference, ...]
    balances: tuple[BalanceDifference, ...]

    @property
    def targets(self) -> tuple[Ratio, Ratio]:
        """Compliance with targets as it is, and under the plan that is tried."""
        return self._rate("target"), self._rate("trial_target")

    @property
    def estimates(self) -> tuple[Ratio, Ratio]:
        """The same of estimates, which are measured alike and promised less."""
        return self._rate("estimate"), self._rate("trial_estimate")

    def _rate(self, kind: str) -> Ratio:
        met, breached, lower, upper, bounded = (
            sum(getattr(fit, f"{kind}_{name}_count") for fit in self.fits)
            for name in ("met", "breached", "lower_met", "upper_met", "bounded")
        )
        return bounded_ratio(met, met + breached, lower, upper, bounded)

    @property
    def overage(self) -> tuple[int, int]:
        """Units over everything that the terms hold, as it is and under the plan that is tried; of `comparable_pools` only."""
        return (
            sum(fit.overage_quantity or 0 for fit in self.comparable_pools),
            sum(fit.trial_overage_quantity or 0 for fit in self.comparable_pools),
        )

    @property
    def comparable_pools(self) -> tuple[PlanFit, ...]:
        """The terms for which both plans had a version in force when they began: only a version grants pools."""
        return tuple(fit for fit in self.fits if fit.plan_version and fit.trial_plan_version)


def is_tried(published: Published, scope: Scope, trial_plan: str, selection: Selection = EVERYTHING) -> bool:
    """Whether a plan has been tried on this build. Raises ConfigurationError for a plan or a customer that there is not."""
    check_selection(published, scope, selection)
    nearest = [
        row["plan"]
        for row in published.fetch(
            dict,
            """
            select distinct plan, levenshtein(lower(plan), lower($trial_plan)) as distance
            from core.dim_plan_versions
            order by distance, plan
            limit 3
            """,
            {"trial_plan": trial_plan},
        )
    ]
    if trial_plan not in nearest[:1]:
        raise ConfigurationError(say_unknown("plan", trial_plan, nearest))
    return bool(
        published.fetch(
            dict,
            "select trial_plan from core.dim_plan_trials where trial_plan = $trial_plan",
            {"trial_plan": trial_plan},
        )
    )


def read_trial(
    published: Published, scope: Scope, trial_plan: str, selection: Selection = EVERYTHING
) -> Trial:
    """The terms of the selected customers that run at as_of, under another plan: counts, and only what would differ.

    Raises ConfigurationError for a plan that there is not, and for one that has not been tried on this build.
    """
    if not is_tried(published, scope, trial_plan, selection):
        raise ConfigurationError(
            f"The plan {trial_plan!r} has not been tried on this build yet. `sla whatif --plan` tries it; plans that "
            "compare_plans in sla.yml names are tried after each build."
        )
    bound = {
        name: value
        for name, value in bind_values(scope, selection).items()
        if name in (*bind_values(scope), "customer_ids")
    }

    def fetch(record: type[_Record], table: str, condition: str, order: str) -> tuple[_Record, ...]:
        sql = f"""
            select {list_columns(record, "trials")}
            from {table} as trials
            join marts.mart_account__plan_fit as fits
              on fits.subscription_id = trials.subscription_id and fits.trial_plan = trials.trial_plan
            where {IN_SCOPE.format(customer_id="trials.customer_id")}
              and {where_chosen("customer_ids", "trials.customer_id")}
              and trials.trial_plan = $trial_plan
              and not fits.is_current_plan
              and fits.term_status = 'current'
              and {condition}
            order by {order}
        """
        return tuple(published.fetch(record, sql, bound | {"trial_plan": trial_plan}))

    differs = " or ".join(
        f"trials.{left} is distinct from trials.{right}"
        for left, right in (
            ("granted_quantity", "trial_granted_quantity"),
            ("remaining_quantity", "trial_remaining_quantity"),
            ("overage_quantity", "trial_overage_quantity"),
            ("is_unlimited", "is_trial_unlimited"),
            ("is_stated", "is_trial_stated"),
        )
    )
    return Trial(
        trial_plan,
        fetch(PlanFit, "marts.mart_account__plan_fit", "true", "trials.customer_id, trials.subscription_id"),
        fetch(
            VerdictDifference,
            "core.fct_plan_trial_verdicts",
            "true",
            "trials.customer_id, trials.submitted_at, trials.ticket_id, trials.obligation, trials.cycle_number",
        ),
        fetch(
            BalanceDifference,
            "core.fct_plan_trial_balances",
            # Without a version in force when the term began, neither zero nor no pool can be said.
            f"fits.plan_version is not null and fits.trial_plan_version is not null and ({differs})",
            "trials.customer_id, trials.subscription_id, trials.pool",
        ),
    )
