"""The table of forecasts: statuses, dates, packs that end early, and that it is what the yml beside the marts says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from pipeline.forecasting.count_model import DrawRate, Outlook
from pipeline.forecasting.draw_history import (
    DAY_SECONDS,
    CoveredSpan,
    DayDraws,
    DrawHistory,
    KnownSpan,
)
from pipeline.forecasting.forecast_pools import COLUMNS, TABLE, Pool, Runway, Supply, forecast_rows
from tests.house.checkout import MODELS

NOW = 20_454  # 2026-01-01, noon
NOW_EPOCH = NOW * DAY_SECONDS + DAY_SECONDS // 2
REGULAR = Pool(
    "S-1:regular", "acme", "Acme", "S-1", "gold", "regular", None, 10, True, True,
    date(2026, 7, 1), (NOW + 181) * DAY_SECONDS,
)  # fmt: skip
CRITICAL = replace(
    REGULAR, balance_key="S-1:critical", pool="critical", overflows_to="regular", remaining_quantity=1
)


def history(**draws_of_pools: int) -> DrawHistory:
    """A year in which acme and five equal others drew so often from each pool, on different days."""
    customers = ("acme", "b", "c", "d", "e", "f")
    first = NOW - 364
    return DrawHistory(
        KnownSpan((first - 100) * DAY_SECONDS, NOW_EPOCH),
        [
            DayDraws(customer, "gold", pool, first + 1 + number * 364 // count, 1)
            for customer in customers
            for pool, count in draws_of_pools.items()
            for number in range(count)
        ],
        [
            CoveredSpan(customer, "gold", pool, (first - 100) * DAY_SECONDS, (NOW + 181) * DAY_SECONDS)
            for customer in customers
            for pool in draws_of_pools
        ],
    )


def forecast(
    pool: Pool = REGULAR, *others: Pool, supplies: tuple[Supply, ...] = (), **draws: int
) -> dict[str, Any]:
    return forecast_rows(history(**draws), [pool, *others], supplies)[0]


def test_columns_are_those_that_the_yml_describes() -> None:
    [source] = yaml.safe_load((MODELS / "marts" / "_forecasts__sources.yml").read_text(encoding="utf-8"))[
        "sources"
    ]
    [table] = source["tables"]
    schema = Environment(autoescape=True).from_string(source["schema"]).render(target={"type": "duckdb"})
    assert f"{schema}.{table['name']}" == TABLE
    assert table["description"].startswith("One row per")
    assert {column["name"]: column["data_type"] for column in table["columns"]} == COLUMNS
    assert all(column["description"].strip() for column in table["columns"])
    assert list(forecast(regular=12)) == list(COLUMNS)


def test_pool_of_an_even_year_is_predicted_from_its_rate() -> None:
    row = forecast(regular=24)
    assert row["forecast_status"] == "forecast"
    assert (row["own_draws_quantity"], row["own_history_days"]) == (24, 364)
    assert (row["plan_customers_count"], row["plan_draws_quantity"]) == (6, 6 * 24)
    assert (
        row["expected_yearly_quantity"]
        == row["plan_yearly_quantity"]
        == pytest.approx(24 * 365 / 364, abs=0.05)
    )
    # Half a year is ahead: about twelve draws, ten are left.
    assert row["draws_mid_quantity"] == 12
    assert row["lasts_ratio"] < 0.5
    assert row["exhausted_on_low"] < row["exhausted_on_mid"] < date(2026, 7, 1)


def test_days_left_count_the_begun_one() -> None:
    assert forecast(regular=12)["days_left"] == 181


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "forecast"),
        ({"remaining_quantity": 0}, "exhausted"),
        ({"is_license_active": False}, "no_active_license"),
        ({"is_license_active": False, "remaining_quantity": 0}, "no_active_license"),
    ],
)
def test_status_says_why_there_is_no_forecast(change: dict[str, Any], status: str) -> None:
    row = forecast(replace(REGULAR, **change), regular=12)
    assert row["forecast_status"] == status
    assert (row["exhausted_on_mid"] is not None) <= (status == "forecast")
    assert (row["lasts_ratio"] is None) == (status == "no_active_license")


def test_nothing_left_does_not_last_but_its_draws_are_still_expected() -> None:
    row = forecast(replace(REGULAR, remaining_quantity=0), regular=12)
    assert row["lasts_ratio"] == 0
    assert row["draws_mid_quantity"] == 6


def test_too_few_tickets_say_nothing_but_their_number() -> None:
    row = forecast(regular=1)
    assert row["forecast_status"] == "too_few_tickets"
    assert (row["plan_draws_quantity"], row["own_draws_quantity"]) == (6, 1)
    said = ("lasts_ratio", "draws_mid_quantity", "exhausted_on_mid", "expected_yearly_quantity")
    assert [row[name] for name in said] == [None] * 4


def test_unlimited_pool_has_no_forecast() -> None:
    assert forecast_rows(history(regular=12), [replace(REGULAR, is_limited=False)], []) == []


def test_overflow_of_an_emptied_pool_shortens_the_one_that_it_draws_on() -> None:
    alone = forecast(regular=12)
    beside_full = forecast(REGULAR, replace(CRITICAL, remaining_quantity=50), regular=12, critical=12)
    beside_empty = forecast(REGULAR, replace(CRITICAL, remaining_quantity=0), regular=12, critical=12)
    assert beside_full["lasts_ratio"] == alone["lasts_ratio"]
    assert beside_empty["lasts_ratio"] < alone["lasts_ratio"]
    assert beside_empty["draws_mid_quantity"] == 2 * alone["draws_mid_quantity"]


def test_unlimited_pool_never_overflows() -> None:
    unlimited = replace(CRITICAL, is_limited=False, remaining_quantity=None)
    assert forecast(REGULAR, unlimited, regular=12, critical=12) == forecast(regular=12)


# Until when


def runway(remaining: int, *endings: tuple[int, int], per_day: float = 0.1) -> Runway:
    """From noon of day NOW to the end of day NOW + 99; `endings` are (days from NOW, units)."""
    rate = DrawRate(0, 0.0, 0.0, per_day, 0.0, 1.0)
    return Runway(
        Outlook(rate),
        remaining,
        NOW_EPOCH,
        (NOW + 100) * DAY_SECONDS,
        tuple(((NOW + day) * DAY_SECONDS, quantity) for day, quantity in endings),
    )


def test_one_unit_is_gone_when_the_first_draw_comes() -> None:
    # 0.1 a day: half of the first draws have come after 6.93 days, so within day 7 from noon on day 0.
    assert runway(1).exhausted_on(0.5) == date(2026, 1, 8)


def test_pool_that_lasts_has_no_day() -> None:
    assert runway(100).exhausted_on(0.5) is None
    assert runway(100).lasts_ratio() == 0.999


def test_day_is_the_terms_last_or_none() -> None:
    # A rate so high that the last of 1000 units goes within the last day, or does not.
    assert runway(1000, per_day=10.06).exhausted_on(0.5) == date(2026, 4, 10)
    assert runway(1000, per_day=9.9).exhausted_on(0.5) is None


def test_pack_that_ends_takes_its_units_away() -> None:
    without, before, after = runway(10), runway(10, (50, 4)), runway(10, (51, 4))
    assert before.chance_exhausted((NOW + 50) * DAY_SECONDS) > without.chance_exhausted(
        (NOW + 50) * DAY_SECONDS
    )
    assert after.chance_exhausted((NOW + 50) * DAY_SECONDS) == without.chance_exhausted(
        (NOW + 50) * DAY_SECONDS
    )
    assert before.lasts_ratio() < without.lasts_ratio()


def test_pool_of_nothing_but_an_ending_pack_is_certain_not_to_last() -> None:
    ending = runway(4, (50, 4), per_day=0.0001)
    assert ending.lasts_ratio() == 0
    # It ends at midnight before day 50, which is by the end of day 49.
    assert ending.exhausted_on(0.9) == date(2026, 2, 19)


@pytest.mark.parametrize(
    ("remaining", "ending"),
    [
        (10, 3 + 2),  # all of it
        (6, 3 + 2),  # the included 4 are gone first
        (5, 3 + 1),  # of the pack that ends first one unit is gone
        (4, 3),  # all of it
        (1, 0),  # what is left is in the pack that ends with the term
    ],
)
def test_units_left_are_those_of_the_packs_drawn_last(remaining: int, ending: int) -> None:
    supplies = (
        Supply("S-1", "regular", 4, REGULAR.ends_epoch),
        Supply("S-1", "regular", 2, (NOW + 10) * DAY_SECONDS),
        Supply("S-1", "regular", 3, (NOW + 20) * DAY_SECONDS),
        Supply("S-1", "regular", 1, REGULAR.ends_epoch),
    )
    row = forecast(replace(REGULAR, remaining_quantity=remaining), supplies=supplies, regular=12)
    assert row["ending_quantity"] == ending
