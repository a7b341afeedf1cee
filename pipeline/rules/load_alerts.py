"""The section `alerts` of `sla.yml`: from when on people are told that a pool or a term comes to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.declarations.section import Section
from pipeline.rules.tables import build_table

if TYPE_CHECKING:
    import pyarrow

# Overage is measured in the same percentages, so a threshold may lie beyond the whole of a pool.
_LARGEST_THRESHOLD_PCT = 1000
_LONGEST_NOTICE_DAYS = 3660


@dataclass(frozen=True)
class AlertRules:
    """When an alert is raised; the defaults hold for everything that `sla.yml` does not say.

    `thresholds_pct`: parts of a pool that are consumed, in percent, ascending; () raises none.
    `term_ends_within_days`: begun days before the end of a term. `runs_out_chance_pct`: the chance, in percent,
    that a pool does not last until its term ends.
    """

    thresholds_pct: tuple[int, ...] = (50, 80, 100)
    term_ends_within_days: int = 90
    runs_out_chance_pct: int = 50


DEFAULT_ALERTS = AlertRules()


def read_alerts(section: Section) -> AlertRules:
    """The section as typed values; what is wrong becomes a problem of the section."""
    section.require_keys((), ("thresholds_pct", "term_ends_within_days", "runs_out_chance_pct"))
    days = section.whole_number(
        "term_ends_within_days", 0, _LONGEST_NOTICE_DAYS, DEFAULT_ALERTS.term_ends_within_days
    )
    chance = section.whole_number("runs_out_chance_pct", 1, 100, DEFAULT_ALERTS.runs_out_chance_pct)
    assert days is not None and chance is not None
    return AlertRules(
        _read_thresholds(section) if "thresholds_pct" in section.values else DEFAULT_ALERTS.thresholds_pct,
        days,
        chance,
    )


def _read_thresholds(section: Section) -> tuple[int, ...]:
    found: list[int] = []
    for index, value in enumerate(section.items("thresholds_pct")):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not 1 <= value <= _LARGEST_THRESHOLD_PCT:  # type: ignore[operator]
            section.report(
                ["thresholds_pct", index],
                f"{value!r} is not a whole number from 1 to {_LARGEST_THRESHOLD_PCT}.",
                "Write percentages without a sign, such as [50, 80, 100].",
            )
        elif value in found:
            section.report(["thresholds_pct", index], f"{value!r} stands here twice.", "Keep one of the two.")
        else:
            found.append(value)  # type: ignore[arg-type]
    return tuple(sorted(found))


def flatten_alerts(rules: AlertRules) -> dict[str, pyarrow.Table]:
    """The table `alert_rules`: a row per kind of alert and limit."""
    rows = [
        *(("threshold_reached", threshold) for threshold in rules.thresholds_pct),
        ("term_ends_soon", rules.term_ends_within_days),
        ("likely_to_run_out", rules.runs_out_chance_pct),
    ]
    return {"alert_rules": build_table("alert_rules", rows)}
