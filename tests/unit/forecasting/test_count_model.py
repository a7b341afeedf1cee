"""The count model on numbers that fit on a page, its laws, and whether it is right about data of its own making."""

from __future__ import annotations

from math import comb, exp, factorial
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.forecasting.count_model import (
    FEWEST_DRAWS,
    INTERVAL,
    DrawRate,
    Inflow,
    Outlook,
    PlanRate,
    Quarter,
    fit_plan,
)


def year(*draws: int) -> list[Quarter]:
    return [Quarter(count, 91.0) for count in draws]


def plan(
    mean: float = 12 / 365, between: float = (6 / 365) ** 2, dispersion: float = 1.0, customers: int = 40
) -> PlanRate:
    """A plan of which each customer draws `mean` a day, known from a year of each customer."""
    days = 365.0 * customers
    return PlanRate(round(mean * days), days, customers, mean, between, dispersion)


def poisson(mean: float) -> DrawRate:
    """A rate that is known for sure, of draws that come singly: `mean` in 100 days."""
    return DrawRate(0, 0.0, 0.0, mean / 100, 0.0, 1.0)


# Fitting a plan


def test_plan_rate_is_all_draws_over_all_days() -> None:
    fit = fit_plan([year(1, 1, 1, 1), year(3, 3, 3, 3)])
    assert fit is not None
    assert (fit.draws, fit.days, fit.customers) == (4 + 12, 2 * 364, 2)
    assert fit.mean == 16 / 728


def test_dispersion_is_one_when_quarters_are_even_and_counts_clumps_when_not() -> None:
    even, clumped = fit_plan([year(2, 2, 2, 2)]), fit_plan([year(8, 0, 0, 0)])
    assert even is not None and clumped is not None
    assert even.dispersion == 1
    # Expected 2 each: (36 + 4 + 4 + 4) / 2 over 3 degrees of freedom.
    assert clumped.dispersion == pytest.approx(24 / 3)


def test_customers_who_do_not_differ_leave_no_variance_between() -> None:
    fit = fit_plan([year(2, 2, 2, 2)] * 6)
    assert fit is not None
    assert fit.variance_between == 0
    assert fit.rate_of(year(9, 9, 9, 9)).mean == fit.mean


def test_variance_between_is_what_chance_does_not_explain() -> None:
    # Six customers, 364 days each: three with 4 draws, three with 12, on average 8. Counts of equal customers would differ by a
    # variance of 8 by chance.
    fit = fit_plan([*[year(1, 1, 1, 1)] * 3, *[year(3, 3, 3, 3)] * 3])
    assert fit is not None
    sample_variance = 6 * (4 / 364) ** 2 / 5
    assert fit.variance_between == pytest.approx(sample_variance - 8 / 364**2)


def test_few_customers_are_taken_to_differ_by_their_mean() -> None:
    four, five = fit_plan([year(2, 2, 2, 2)] * 4), fit_plan([year(2, 2, 2, 2)] * 5)
    assert four is not None and five is not None
    assert four.variance_between == four.mean**2
    assert five.variance_between == 0


def test_plan_without_a_covered_day_has_no_rate() -> None:
    assert fit_plan([]) is None
    assert fit_plan([[Quarter(0, 0.0)]]) is None


@pytest.mark.parametrize(("draws", "is_enough"), [(FEWEST_DRAWS - 1, False), (FEWEST_DRAWS, True)])
def test_too_few_tickets_end_at_ten(draws: int, is_enough: bool) -> None:
    fit = fit_plan([year(draws, 0, 0, 0), year(0, 0, 0, 0)])
    assert fit is not None
    assert fit.is_enough is is_enough


# A customer's rate


def test_customer_without_a_day_has_its_plans_rate() -> None:
    rate = plan().rate_of([])
    assert (rate.own_weight, rate.mean) == (0, 12 / 365)


def test_customer_with_a_year_is_drawn_towards_its_plan_by_a_quarter() -> None:
    # w = 36 / (36 + 12): the example of the room's README.
    rate = plan().rate_of([Quarter(24, 365.0)])
    assert rate.own_weight == pytest.approx(36 / (36 + 12))
    assert rate.mean * 365 == pytest.approx(0.75 * 24 + 0.25 * 12)


def test_customer_with_very_much_data_has_its_own_rate() -> None:
    rate = plan().rate_of([Quarter(240_000, 3_650_000.0)])
    assert rate.own_weight > 0.9999
    assert rate.mean * 365 == pytest.approx(24, abs=0.01)


def test_clumped_draws_weigh_less() -> None:
    single, clumped = (
        plan(dispersion=1).rate_of(year(6, 6, 6, 6)),
        plan(dispersion=3).rate_of(year(6, 6, 6, 6)),
    )
    assert clumped.own_weight < single.own_weight


def test_more_credits_than_tickets_are_no_negative_rate() -> None:
    rate = plan().rate_of(year(-1, 0, 0, 0))
    assert rate.own_draws == -1
    assert rate.mean == pytest.approx((1 - rate.own_weight) * 12 / 365)


# Counts ahead


def test_certain_rate_of_single_draws_gives_poisson_chances() -> None:
    chances = poisson(2.0).chances_of(0, 4, 100)
    expected = np.cumsum([exp(-2) * 2**count / factorial(count) for count in range(5)])
    assert chances == pytest.approx(expected, abs=1e-6)


def test_uncertain_rate_gives_negative_binomial_chances() -> None:
    # Mean 2 in 100 days with a standard deviation of 1 of the mean itself: size 4, success 4 / (4 + 2).
    rate = DrawRate(0, 0.0, 0.0, 0.02, 0.01**2, 1.0)
    assert rate.size_and_success(100) == pytest.approx((4, 2 / 3))
    expected = np.cumsum([comb(count + 3, count) * (2 / 3) ** 4 * (1 / 3) ** count for count in range(6)])
    assert rate.chances_of(0, 5, 100) == pytest.approx(expected)


def test_interval_is_the_shortest_that_holds_four_fifths() -> None:
    # Poisson 2: .135 .271 .271 .180 .090. 0 to 3 holds .857, 1 to 3 only .722 and 1 to 4 .812.
    assert Outlook(poisson(2.0)).draws_in(100) == (0, 2, 3)


def test_nothing_is_drawn_in_no_time_and_at_no_rate() -> None:
    assert Outlook(poisson(2.0)).draws_in(0) == (0, 0, 0)
    assert Outlook(poisson(0.0)).draws_in(100) == (0, 0, 0)
    assert Outlook(poisson(0.0)).chance_drawn(1, 100) == 0


def test_what_is_used_up_needs_no_more_draws() -> None:
    assert Outlook(poisson(0.0)).chance_drawn(0, 100) == 1


def test_overflow_counts_only_what_the_other_pool_cannot_carry() -> None:
    own, other = poisson(0.0), poisson(2.0)
    empty, one_left, unlimited = (
        Outlook(own, (Inflow(other, remaining),)).chance_drawn(1, 100) for remaining in (0, 1, None)
    )
    assert empty == pytest.approx(1 - exp(-2), abs=1e-6)
    assert one_left == pytest.approx(1 - exp(-2) - 2 * exp(-2), abs=1e-6)
    assert unlimited == 0


def test_empty_other_pool_adds_its_draws_to_the_pools_own() -> None:
    # The sum of two Poisson counts is one of their summed means.
    both = Outlook(poisson(1.5), (Inflow(poisson(0.5), 0),))
    assert both.chances_up_to(6, 100) == pytest.approx(poisson(2.0).chances_of(0, 6, 100), abs=1e-6)


def test_a_long_sum_of_two_counts_is_the_one_term_by_term(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Outlook(poisson(900.0), (Inflow(poisson(700.0), 10),))
    term_by_term = both.chances_up_to(3000, 100)
    monkeypatch.setattr("pipeline.forecasting.count_model._LONGEST_SUMMED", 3000)
    transformed = both.chances_up_to(3000, 100)
    assert transformed == pytest.approx(term_by_term, abs=1e-12)
    assert (np.diff(transformed) >= 0).all()


RATES = st.builds(
    DrawRate,
    st.just(0),
    st.just(0.0),
    st.just(0.0),
    st.floats(0.0001, 2),
    st.floats(0, 1),
    st.floats(1, 6),
)
OUTLOOKS = st.builds(
    Outlook,
    RATES,
    st.lists(st.builds(Inflow, RATES, st.none() | st.integers(0, 5)), max_size=1).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(OUTLOOKS, st.integers(0, 30), st.integers(0, 10), st.floats(0.1, 400))
def test_more_units_never_lower_the_chance_to_last(
    outlook: Outlook, quantity: int, more: int, days: float
) -> None:
    assert outlook.chance_drawn(quantity + more, days) <= outlook.chance_drawn(quantity, days) + 1e-9


@settings(max_examples=150, deadline=None)
@given(OUTLOOKS, st.integers(0, 30), st.floats(0.1, 400), st.floats(0.1, 400))
def test_chance_to_be_used_up_never_falls_with_time(
    outlook: Outlook, quantity: int, days: float, more_days: float
) -> None:
    assert outlook.chance_drawn(quantity, days) <= outlook.chance_drawn(quantity, days + more_days) + 1e-9


@settings(max_examples=100, deadline=None)
@given(OUTLOOKS, st.floats(0.1, 400))
def test_interval_holds_four_fifths_and_its_middle(outlook: Outlook, days: float) -> None:
    low, mid, high = outlook.draws_in(days)
    chances = outlook.chances_up_to(high, days)
    assert low <= mid <= high
    assert chances[high] - (chances[low - 1] if low else 0) >= INTERVAL - 1e-9


# Is it right about customers that are as it assumes?


@pytest.mark.parametrize("clump", [1, 2])
def test_interval_holds_as_often_as_it_says_for_customers_that_are_as_assumed(clump: int) -> None:
    # Twenty-five plans of forty customers. Yearly rates vary by a gamma distribution (mean 24, deviation 12); draws come in
    # clumps of `clump`, so that variance over mean is `clump`. Four quarters are seen, the fifth is predicted.
    generator = Random(4)
    held = judged = 0
    for _ in range(25):
        customers = []
        for _ in range(40):
            quarterly = generator.gammavariate(4, 6) / 4
            customers.append([clump * draw_poisson(generator, quarterly / clump) for _ in range(5)])
        fit = fit_plan([year(*quarters[:4]) for quarters in customers])
        assert fit is not None
        for quarters in customers:
            low, _, high = Outlook(fit.rate_of(year(*quarters[:4]))).draws_in(91)
            held += low <= quarters[4] <= high
            judged += 1
    assert judged == 1000
    assert 0.8 <= held / judged <= 0.9


def draw_poisson(generator: Random, mean: float) -> int:
    """Arrivals in one unit of time, `mean` of them on average."""
    count, time = 0, generator.expovariate(mean)
    while time < 1:
        count, time = count + 1, time + generator.expovariate(mean)
    return count
