"""How many units a pool will lose, and until when it lasts: the count model behind every forecast and its backtest.

One customer's net draws on one pool (tickets counted, less those credited) are taken as an overdispersed count with
a rate of its own, constant over the year looked back on and the time looked ahead to:

- The customers of a plan differ: their rates follow a gamma distribution, whose mean and variance come from the
  plan's customers by the method of moments (Bühlmann and Straub). A customer's own rate is drawn towards that mean,
  the more the fewer days and tickets it rests on.
- Draws come in clumps, and are taken back: within one customer the variance of a count is `dispersion` times its
  mean, for any length of time. The plan's customers show it by how much their own quarters differ.
- So a count ahead is negative binomial: mean rate x days, variance = mean x dispersion + (uncertainty of the
  rate x days)^2.

What it does not know: trend, season, an announced project, a change of plan. The backtest says how well it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Four quarters of thirteen weeks: every weekday equally often, nearly every season once, and no older habits.
QUARTER_DAYS = 91
HISTORY_QUARTERS = 4

# Ten draws leave a rate uncertain by a third (1 / sqrt(10)) even if nothing else were; fewer say nothing.
FEWEST_DRAWS = 10

# An interval holds at least so much of what may happen; a date is named with these chances of having come by then.
INTERVAL = 0.8
LOW, MID, HIGH = 0.1, 0.5, 0.9

# Beyond this many counts a sum of two is found by a transform: term by term, 2^17 counts take minutes.
_LONGEST_SUMMED = 4096

# Fewer customers do not show how much customers differ; they are then taken to differ by their mean.
_FEWEST_CUSTOMERS = 5

# A size beyond which a negative binomial cannot be told from a Poisson count.
_POISSON_SIZE = 1e7


@dataclass(frozen=True)
class Quarter:
    """Net draws in a part of the past, and the days of it on which the customer could draw (at most QUARTER_DAYS)."""

    draws: int
    days: float


@dataclass(frozen=True)
class DrawRate:
    """What is known about one customer's net draws on one pool; rates are per day.

    `own_weight` (0 to 1) is the part of `mean` that comes from the customer's own tickets, the rest is its plan's.
    `variance` is that of the rate itself, `dispersion` (1 or more) the variance of a count over its mean.
    """

    own_draws: int
    own_days: float
    own_weight: float
    mean: float
    variance: float
    dispersion: float

    def size_and_success(self, days: float) -> tuple[float, float]:
        """The two parameters of the negative binomial count in `days` > 0 days."""
        clumping = self.dispersion - 1 + days * self.variance / self.mean
        size = _POISSON_SIZE if clumping <= 0 else min(_POISSON_SIZE, days * self.mean / clumping)
        return size, size / (size + days * self.mean)

    def chances_of(self, fewest: int, most: int, days: float) -> NDArray:
        """The chances of at most `fewest`, `fewest` + 1, ... `most` net draws in `days`; `fewest` is 0 or more."""
        import numpy
        from scipy.special import betainc

        if days <= 0 or self.mean <= 0:
            return numpy.ones(most - fewest + 1)
        size, success = self.size_and_success(days)
        return betainc(size, numpy.arange(fewest + 1.0, most + 2.0), success)


@dataclass(frozen=True)
class Inflow:
    """A pool that draws on another one when it is empty: its own rate, and what it has left (None: without limit)."""

    rate: DrawRate
    remaining: int | None


@dataclass(frozen=True)
class Outlook:
    """What will be drawn from one pool: by its own tickets, and by what other pools cannot carry.

    Rates of different pools are taken as independent of each other.
    """

    rate: DrawRate
    inflows: tuple[Inflow, ...] = ()

    def chances_up_to(self, most: int, days: float) -> NDArray:
        """The chances of at most 0, 1, ... `most` net draws in `days`, overflow included."""
        import numpy

        chances = self.rate.chances_of(0, most, days)
        for inflow in self.inflows:
            if inflow.remaining is None:
                continue
            # What the other pool still carries overflows nothing; beyond it each draw is one here.
            excess = inflow.rate.chances_of(inflow.remaining, inflow.remaining + most, days)
            chances = _add_up(chances, numpy.diff(excess, prepend=0.0))[: most + 1]
        return chances

    def draws_in(self, days: float) -> tuple[int, int, int]:
        """Net draws in `days`: low, mid and high.

        Mid is the median. Low to high is the shortest range of counts that holds at least INTERVAL of the chances: of
        ranges of the same length the likelier, then the lower one.
        """
        import numpy

        most = 16
        while (chances := self.chances_up_to(most, days))[-1] < 1 - (1 - INTERVAL) / 1000:
            most *= 2
        below = numpy.concatenate(([0.0], chances[:-1]))
        lows = numpy.flatnonzero(below + INTERVAL <= chances[-1])
        highs = numpy.searchsorted(chances, below[lows] + INTERVAL, side="left")
        held = chances[highs] - below[lows]
        [best] = numpy.lexsort((lows, -held, highs - lows))[:1]
        return int(lows[best]), int(numpy.searchsorted(chances, MID, side="left")), int(highs[best])

    def chance_drawn(self, quantity: int, days: float) -> float:
        """The chance that `quantity` (units) or more are drawn in `days`. Never falls with `days`."""
        if quantity <= 0:
            return 1.0
        if not self.inflows:
            return float(1 - self.rate.chances_of(quantity - 1, quantity - 1, days)[0])
        return float(1 - self.chances_up_to(quantity - 1, days)[-1])


def _add_up(chances: NDArray, more: NDArray) -> NDArray:
    """The chances of a sum of two independent counts: of at most so many of the first, and of exactly so many of the second."""
    import numpy

    if len(chances) <= _LONGEST_SUMMED:
        return numpy.convolve(chances, more)
    # Only where it is needed: importing it takes as long as all forecasts of a small build.
    from scipy.signal import fftconvolve

    # The transform's last digits may fall where a chance of at most so many cannot.
    return numpy.maximum.accumulate(fftconvolve(chances, more))


@dataclass(frozen=True)
class PlanRate:
    """What the customers of one plan show about one pool; rates are per day. See `fit_plan`."""

    draws: int
    days: float
    customers: int
    mean: float
    variance_between: float
    dispersion: float

    @property
    def is_enough(self) -> bool:
        """Whether there are tickets enough to say anything."""
        return self.draws >= FEWEST_DRAWS

    def rate_of(self, quarters: Sequence[Quarter]) -> DrawRate:
        """The rate of a customer of the plan with these own quarters; none give the plan's rate."""
        own_draws, own_days = sum(part.draws for part in quarters), sum(part.days for part in quarters)
        weight = 0.0
        if own_days > 0 and self.variance_between > 0:
            weight = self.variance_between / (self.variance_between + self.mean * self.dispersion / own_days)
        # Credits of a year that outnumber its tickets are of older tickets; a rate cannot be negative.
        own_rate = max(own_draws, 0) / own_days if own_days > 0 else 0.0
        mean = weight * own_rate + (1 - weight) * self.mean
        # The spread that is left between customers, for the rate that was found (a gamma's variance follows its
        # mean), and what the plan's own mean is uncertain by.
        left = (1 - weight) * self.variance_between * (mean / self.mean if self.mean > 0 else 0.0)
        of_mean = self.variance_between / self.customers + self.mean * self.dispersion / self.days
        variance = left + (1 - weight) ** 2 * of_mean
        return DrawRate(own_draws, own_days, weight, mean, variance, self.dispersion)


def fit_plan(customers: Sequence[Sequence[Quarter]]) -> PlanRate | None:
    """The rate of a plan and pool from the quarters of each of its customers; None where no day was covered."""
    histories = [[part for part in quarters if part.days > 0] for quarters in customers]
    histories = [quarters for quarters in histories if quarters]
    if not histories:
        return None
    draws = [sum(part.draws for part in quarters) for quarters in histories]
    days = [sum(part.days for part in quarters) for quarters in histories]
    all_draws, all_days = sum(draws), sum(days)
    mean = max(all_draws, 0) / all_days
    dispersion = _find_dispersion(histories)
    if len(histories) < _FEWEST_CUSTOMERS:
        between = mean**2
    else:
        spread = sum(length * (count / length - mean) ** 2 for count, length in zip(draws, days, strict=True))
        by_chance = (len(histories) - 1) * mean * dispersion
        between = (spread - by_chance) / (all_days - sum(length**2 for length in days) / all_days)
    return PlanRate(all_draws, all_days, len(histories), mean, max(between, 0.0), dispersion)


def _find_dispersion(histories: Sequence[Sequence[Quarter]]) -> float:
    """Variance over mean of a customer's quarters around its own rate (Pearson's statistic over its freedom)."""
    statistic, freedom = 0.0, 0
    for quarters in histories:
        draws, days = sum(part.draws for part in quarters), sum(part.days for part in quarters)
        if draws <= 0 or len(quarters) < 2:
            continue
        expected = [draws * part.days / days for part in quarters]
        statistic += sum(
            (part.draws - mean) ** 2 / mean for part, mean in zip(quarters, expected, strict=True)
        )
        freedom += len(quarters) - 1
    return max(1.0, statistic / freedom) if freedom else 1.0
