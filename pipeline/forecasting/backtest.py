"""Would the forecast have been right? The same model on every past quarter, told only what had happened before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.forecasting.count_model import HIGH, LOW, Outlook, PlanRate
from pipeline.forecasting.draw_history import DAY_SECONDS, Drawer, DrawHistory

_EPOCH = date(1970, 1, 1)
# A quarter of data before the one that is predicted; twelve weeks of it, because the first ticket is younger than the data.
_DAYS_BEFORE = 84


@dataclass(frozen=True)
class JudgedQuarter:
    """One customer's draws on one pool in one calendar quarter (UTC), predicted on its first day and counted after it.

    `randomised_held` is the part of the actual count's own chance that lies between the LOW and HIGH levels: 0 or 1
    except at the ends of the interval, and on average exactly HIGH - LOW if the model is right.
    """

    customer_id: str
    plan: str
    pool: str
    quarter: str
    low: int
    mid: int
    high: int
    actual: int
    randomised_held: float

    @property
    def has_held(self) -> bool:
        return self.low <= self.actual <= self.high


@dataclass(frozen=True)
class BacktestLine:
    """Customer-quarters of one plan and pool, or of all. `too_few` could not be predicted and are in no other count."""

    plan: str | None
    pool: str | None
    judged: int
    held: int
    below: int
    above: int
    too_few: int
    median_width: int | None
    randomised_held: float


@dataclass(frozen=True)
class Backtest:
    """All lines, the total last to check them against, and the quarters behind them in a fixed order."""

    lines: tuple[BacktestLine, ...]
    total: BacktestLine
    quarters: tuple[JudgedQuarter, ...]


def backtest(history: DrawHistory) -> Backtest:
    """Predict every calendar quarter that is over, for every customer on a plan from its first to its last day.

    Customers who were new at its start count too: they are predicted by their plan's rate. A quarter needs
    twelve weeks of data before it. What a ticket did is taken to have been known when it happened.
    """
    judged: list[JudgedQuarter] = []
    too_few: list[Drawer] = []
    for first_day, next_day, name in _list_quarters(history):
        fits: dict[tuple[str, str], PlanRate | None] = {}
        for drawer in history.drawers:
            days = history.count_covered_days(drawer, first_day, next_day)
            # The last quarter may end some seconds after the newest thing known.
            if days <= next_day - first_day - 1:
                continue
            plan = (drawer.plan, drawer.pool)
            if plan not in fits:
                fits[plan] = history.fit(*plan, first_day)
            fit = fits[plan]
            if fit is None or not fit.is_enough:
                too_few.append(drawer)
                continue
            outlook = Outlook(fit.rate_of(history.quarters_before(drawer, first_day)))
            actual = history.count_draws(drawer, first_day, next_day)
            judged.append(_judge(drawer, name, outlook, days, actual))
    plans = sorted({(row.plan, row.pool) for row in judged} | {(row.plan, row.pool) for row in too_few})
    lines = tuple(_count(judged, too_few, plan, pool) for plan, pool in plans)
    return Backtest(lines, _count(judged, too_few, None, None), tuple(judged))


def _list_quarters(history: DrawHistory) -> list[tuple[int, int, str]]:
    """First day, day after the last one, and name of each calendar quarter that can be judged."""
    if history.known.starts_epoch is None:
        return []
    starts_on = _EPOCH + timedelta(days=history.known.starts_epoch // DAY_SECONDS)
    quarters: list[tuple[int, int, str]] = []
    year, month = starts_on.year, 3 * ((starts_on.month - 1) // 3) + 1
    while True:
        first_day = (date(year, month, 1) - _EPOCH).days
        after = (year, month + 3) if month < 10 else (year + 1, 1)
        next_day = (date(*after, 1) - _EPOCH).days
        # Over once its last day has begun to be known: the newest record is hardly ever at midnight.
        if (next_day - 1) * DAY_SECONDS > history.known.ends_epoch:
            return quarters
        if first_day - history.known.starts_epoch // DAY_SECONDS >= _DAYS_BEFORE:
            quarters.append((first_day, next_day, f"{year}-Q{(month + 2) // 3}"))
        year, month = after


def _judge(drawer: Drawer, quarter: str, outlook: Outlook, days: float, actual: int) -> JudgedQuarter:
    low, mid, high = outlook.draws_in(days)
    held = 0.0
    if actual >= 0:
        chances = outlook.chances_up_to(actual, days)
        below, upto = (float(chances[-2]) if actual else 0.0), float(chances[-1])
        if upto > below:
            held = max(0.0, min(upto, HIGH) - max(below, LOW)) / (upto - below)
    return JudgedQuarter(*drawer, quarter, low, mid, high, actual, round(held, 6))


def _count(
    judged: Sequence[JudgedQuarter], too_few: Sequence[Drawer], plan: str | None, pool: str | None
) -> BacktestLine:
    chosen = [row for row in judged if plan is None or (row.plan, row.pool) == (plan, pool)]
    # The number of counts that lie in the interval; of an even number of them the lower median.
    widths = sorted(row.high - row.low + 1 for row in chosen)
    return BacktestLine(
        plan,
        pool,
        judged=len(chosen),
        held=sum(row.has_held for row in chosen),
        below=sum(row.actual < row.low for row in chosen),
        above=sum(row.actual > row.high for row in chosen),
        too_few=sum(plan is None or (row.plan, row.pool) == (plan, pool) for row in too_few),
        median_width=widths[(len(widths) - 1) // 2] if widths else None,
        randomised_held=round(sum(row.randomised_held for row in chosen), 3),
    )
