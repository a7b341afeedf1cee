"""The section `alerts` of `sla.yml`: from when on people are told that a pool or a term comes to its end."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from pipeline.declarations.declared import Declared
from pipeline.declarations.values import UNREPEATED, whole_number
from pipeline.rules.tables import RuleTable, build_table


def _sort(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(values))


class AlertRules(Declared):
    """When account teams are told; each line may be left out."""

    # Overage is measured in the same percentages, so a threshold may lie beyond the whole of a pool.
    thresholds_pct: Annotated[
        tuple[Annotated[int, *whole_number(1, 1000)], ...], *UNREPEATED, AfterValidator(_sort)
    ] = (50, 80, 100)
    """Parts of a pool that are consumed, in percent; over 100 is overage; [] for no alerts."""
    term_ends_within_days: Annotated[int, *whole_number(0, 3660)] = 90
    """Begun days before the end of a term."""
    runs_out_chance_pct: Annotated[int, *whole_number(1, 100)] = 50
    """The chance, in percent, that a pool does not last until its term ends."""


DEFAULT_ALERTS = AlertRules()


def flatten_alerts(rules: AlertRules) -> dict[str, RuleTable]:
    """The table `alert_rules`: a row per kind of alert and limit."""
    rows = [
        *(("threshold_reached", threshold) for threshold in rules.thresholds_pct),
        ("term_ends_soon", rules.term_ends_within_days),
        ("likely_to_run_out", rules.runs_out_chance_pct),
    ]
    return {"alert_rules": build_table("alert_rules", rows)}
