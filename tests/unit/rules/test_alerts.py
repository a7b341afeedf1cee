"""The section `alerts` of sla.yml: its defaults, what it may say, and the exact message for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.alerts import AlertRules, flatten_alerts
from pipeline.rules.load_sources import load_sources


def rules(thresholds_pct: tuple[int, ...], days: int, chance_pct: int) -> AlertRules:
    return AlertRules(
        thresholds_pct=thresholds_pct, term_ends_within_days=days, runs_out_chance_pct=chance_pct
    )


def read(folder: Path, alerts: str) -> AlertRules:
    (folder / "sla.yml").write_text(f"sources: {{}}\n{alerts}", encoding="utf-8")
    return load_sources(folder / "sla.yml").alerts


@pytest.mark.parametrize("alerts", ["", "alerts: {}\n", "alerts:\n"])
def test_alerts_that_are_not_set_have_the_documented_defaults(tmp_path: Path, alerts: str) -> None:
    assert read(tmp_path, alerts) == AlertRules(
        thresholds_pct=(50, 80, 100), term_ends_within_days=90, runs_out_chance_pct=50
    )


def test_alerts_are_read_one_by_one_and_thresholds_in_ascending_order(tmp_path: Path) -> None:
    assert read(tmp_path, "alerts: {thresholds_pct: [120, 75]}\n") == AlertRules(
        thresholds_pct=(75, 120), term_ends_within_days=90, runs_out_chance_pct=50
    )
    assert read(tmp_path, "alerts: {term_ends_within_days: 30}\n") == AlertRules(
        thresholds_pct=(50, 80, 100), term_ends_within_days=30, runs_out_chance_pct=50
    )
    assert read(tmp_path, "alerts: {thresholds_pct: [], runs_out_chance_pct: 20}\n") == AlertRules(
        thresholds_pct=(), term_ends_within_days=90, runs_out_chance_pct=20
    )


def test_alerts_are_flattened_to_a_row_for_each_limit() -> None:
    table = flatten_alerts(rules((75, 120), 30, 20))["alert_rules"]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("likely_to_run_out", 20),
        ("term_ends_soon", 30),
        ("threshold_reached", 75),
        ("threshold_reached", 120),
    ]


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        (
            "alerts: {thresholds: [50]}\n",
            "sla.yml:2: alerts.thresholds: this key is not known here. Did you mean 'thresholds_pct'? "
            "Known: runs_out_chance_pct, term_ends_within_days, thresholds_pct.",
        ),
        (
            "alerts: {thresholds_pct: 50}\n",
            "sla.yml:2: alerts.thresholds_pct: 50 stands where a list is expected. "
            "Write [first, second] or one '- ' line each.",
        ),
        (
            "alerts:\n  thresholds_pct: [50, 0]\n",
            "sla.yml:3: alerts.thresholds_pct.1: 0 is not a whole number from 1 to 1000. Correct it.",
        ),
        (
            "alerts:\n  thresholds_pct: [true]\n",
            "sla.yml:3: alerts.thresholds_pct.0: True is not a whole number from 1 to 1000. Correct it.",
        ),
        (
            "alerts: {thresholds_pct: [80, 80]}\n",
            "sla.yml:2: alerts.thresholds_pct.1: 80 stands here twice. Keep one of the two.",
        ),
        (
            "alerts: {term_ends_within_days: 90d}\n",
            "sla.yml:2: alerts.term_ends_within_days: '90d' is not a whole number from 0 to 3660. Correct it.",
        ),
        (
            "alerts: {runs_out_chance_pct: 0}\n",
            "sla.yml:2: alerts.runs_out_chance_pct: 0 is not a whole number from 1 to 100. Correct it.",
        ),
        (
            "alerts: [50]\n",
            "sla.yml:2: alerts: a list stands where a mapping is expected. Write 'key: value' lines.",
        ),
    ],
)
def test_alerts_are_refused_with_place_reason_and_hint(tmp_path: Path, alerts: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, alerts)
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in refusal.value.problems] == [message]
