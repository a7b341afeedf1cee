"""What customers drew from their pools, day by day, and on which days they could: what the count model learns from.

A draw counts where the pool's own tickets moved it: use +1, credit -1, reversal +1, each on the day it happened.
Overflow is not counted: it depends on what was left in another pool, and the forecast works it out from that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from pipeline.forecasting.count_model import HISTORY_QUARTERS, QUARTER_DAYS, PlanRate, Quarter, fit_plan

DAY_SECONDS = 86_400

# Three selects on the schema `core`, of a build that is being made as of one that was published; every one has a
# customer_id or no customer in it. Days are whole days (UTC) since 1970, instants whole seconds since then.
DAY_DRAWS = """
    select
      movements.customer_id, terms.plan, movements.pool,
      cast(epoch(date_trunc('day', movements.happened_at)) / 86400 as bigint) as day_number,
      cast(-sum(movements.quantity) as bigint) as draws
    from core.fct_entitlement_movements as movements
    join core.dim_subscription_terms as terms on terms.subscription_id = movements.subscription_id
    join core.dim_plan_pools as pools
      on pools.plan_version = terms.plan_version and pools.pool = movements.pool and not pools.is_redeemed
    where movements.movement_kind in ('use', 'credit', 'reversal')
    group by all
    order by all
"""
COVERED_SPANS = """
    select
      terms.customer_id, accounts.plan, pools.pool,
      cast(epoch(terms.term_starts_at) as bigint) as starts_epoch, cast(epoch(terms.term_ends_at) as bigint) as ends_epoch
    from core.dim_subscription_terms as terms
    join core.dim_subscription_terms as accounts on accounts.subscription_id = terms.account_id
    join core.dim_plan_versions as versions on versions.plan_version = terms.plan_version
    join core.dim_plan_pools as pools on pools.plan_version = accounts.plan_version and not pools.is_redeemed
    where terms.is_license_counted and terms.license_status = versions.required_license_status
    order by all
"""
KNOWN_SPAN = """
    select
      cast(epoch((select min(submitted_at) from core.dim_tickets)) as bigint) as starts_epoch,
      cast(epoch(as_of) as bigint) as ends_epoch
    from core.dim_builds
"""


@dataclass(frozen=True)
class DayDraws:
    """Net draws of one day, of one customer on one plan's pool; negative when more was given back."""

    customer_id: str
    plan: str
    pool: str
    day_number: int
    draws: int


@dataclass(frozen=True)
class CoveredSpan:
    """A time in which tickets of a customer could draw on a pool of its plan. Half-open."""

    customer_id: str
    plan: str
    pool: str
    starts_epoch: int
    ends_epoch: int


@dataclass(frozen=True)
class KnownSpan:
    """From the first ticket that any export holds to `as_of`: before it, no tickets cannot be distinguished from no data.

    `starts_epoch` is None while there is no ticket.
    """

    starts_epoch: int | None
    ends_epoch: int


class Drawer(NamedTuple):
    """One customer on one pool of one plan."""

    customer_id: str
    plan: str
    pool: str


class DrawHistory:
    """The draws and covered days of every customer, plan and pool of a build."""

    def __init__(self, known: KnownSpan, draws: Iterable[DayDraws], spans: Iterable[CoveredSpan]) -> None:
        self.known = known
        self._spans: dict[Drawer, list[tuple[int, int]]] = defaultdict(list)
        for span in spans:
            self._add_span(Drawer(span.customer_id, span.plan, span.pool), span)
        by_day: dict[Drawer, dict[int, int]] = defaultdict(dict)
        for row in draws:
            by_day[Drawer(row.customer_id, row.plan, row.pool)][row.day_number] = row.draws
        self._days = {drawer: sorted(found) for drawer, found in by_day.items()}
        self._sums = {
            drawer: [0, *accumulate(by_day[drawer][day] for day in days)]
            for drawer, days in self._days.items()
        }
        self._of_plan: dict[tuple[str, str], list[Drawer]] = defaultdict(list)
        for drawer in sorted(self._spans):
            self._of_plan[drawer.plan, drawer.pool].append(drawer)

    def _add_span(self, drawer: Drawer, span: CoveredSpan) -> None:
        first = self.known.ends_epoch if self.known.starts_epoch is None else self.known.starts_epoch
        starts, ends = max(span.starts_epoch, first), min(span.ends_epoch, self.known.ends_epoch)
        merged = []
        # Terms that stack overlap: a day is covered once.
        for other_starts, other_ends in self._spans[drawer]:
            if other_ends < starts or ends < other_starts:
                merged.append((other_starts, other_ends))
            else:
                starts, ends = min(starts, other_starts), max(ends, other_ends)
        self._spans[drawer] = sorted([*merged, (starts, ends)] if starts < ends else merged)

    @property
    def drawers(self) -> Sequence[Drawer]:
        """Every customer who could ever draw, in a fixed order."""
        return sorted(drawer for drawer, spans in self._spans.items() if spans)

    def count_draws(self, drawer: Drawer, from_day: int, before_day: int) -> int:
        """Net draws on the days `from_day` <= day < `before_day`."""
        if drawer not in self._days:
            return 0
        days, sums = self._days[drawer], self._sums[drawer]
        return sums[bisect_left(days, before_day)] - sums[bisect_left(days, from_day)]

    def count_covered_days(self, drawer: Drawer, from_day: int, before_day: int) -> float:
        """Days, with fractions, in that span on which the drawer was covered and data is known."""
        first, last = from_day * DAY_SECONDS, before_day * DAY_SECONDS
        covered = sum(
            max(0, min(ends, last) - max(starts, first)) for starts, ends in self._spans.get(drawer, ())
        )
        return covered / DAY_SECONDS

    def quarters_before(self, drawer: Drawer, day: int) -> list[Quarter]:
        """The drawer's last HISTORY_QUARTERS quarters of QUARTER_DAYS days before `day`, the latest first."""
        ends = [day - number * QUARTER_DAYS for number in range(HISTORY_QUARTERS)]
        return [
            Quarter(
                self.count_draws(drawer, end - QUARTER_DAYS, end),
                self.count_covered_days(drawer, end - QUARTER_DAYS, end),
            )
            for end in ends
        ]

    def fit(self, plan: str, pool: str, day: int) -> PlanRate | None:
        """The rate of a plan's pool from what its customers drew before `day`; None where none was covered."""
        return fit_plan([self.quarters_before(drawer, day) for drawer in self._of_plan[plan, pool]])
