"""The published forecasts: one row per current term and limited pool, written into the build after dbt has run.

Not a dbt model: the models run on any engine as SQL, and dbt enforces no contract on a model in Python. What dbt would
hold still stands beside the marts: grain and columns in `_forecasts__sources.yml`, tested to be these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.forecasting.count_model import HIGH, LOW, MID, DrawRate, Inflow, Outlook, PlanRate
from pipeline.forecasting.draw_history import (
    COVERED_SPANS,
    DAY_DRAWS,
    DAY_SECONDS,
    KNOWN_SPAN,
    CoveredSpan,
    DayDraws,
    Drawer,
    DrawHistory,
    KnownSpan,
)

if TYPE_CHECKING:
    import duckdb

TABLE = "marts.mart_account__entitlement_forecasts"
# The models that read the forecasts; they can be built once these are there.
AFTER_FORECASTS = "tag:after_forecasts"
COLUMNS = {
    "forecast_key": "string",
    "customer_id": "string",
    "customer_name": "string",
    "subscription_id": "string",
    "plan": "string",
    "pool": "string",
    "forecast_status": "string",
    "remaining_quantity": "bigint",
    "ending_quantity": "bigint",
    "days_left": "integer",
    "lasts_ratio": "double",
    "draws_low_quantity": "bigint",
    "draws_mid_quantity": "bigint",
    "draws_high_quantity": "bigint",
    "exhausted_on_low": "date",
    "exhausted_on_mid": "date",
    "exhausted_on_high": "date",
    "own_draws_quantity": "bigint",
    "own_history_days": "integer",
    "own_weight_ratio": "double",
    "plan_customers_count": "bigint",
    "plan_draws_quantity": "bigint",
    "plan_yearly_quantity": "double",
    "expected_yearly_quantity": "double",
    "dispersion_ratio": "double",
    "term_ends_on": "date",
    "as_of": "timestamp",
}

_YEAR_DAYS = 365
_EPOCH = date(1970, 1, 1)
_Row = TypeVar("_Row")

_POOLS = """
    select
      balances.balance_key, balances.customer_id, customers.customer_name, balances.subscription_id, balances.plan,
      balances.pool, pools.overflows_to, balances.remaining_quantity,
      not balances.is_unlimited and balances.is_stated as is_limited,
      exists (
        from core.dim_subscription_terms as terms
        where terms.account_id = balances.subscription_id and terms.term_status = 'current'
          and terms.is_license_counted and terms.license_status = versions.required_license_status
      ) as is_license_active,
      balances.term_ends_on, cast(epoch(balances.term_ends_at) as bigint) as ends_epoch
    from core.fct_entitlement_balances as balances
    join core.dim_customers as customers on customers.customer_id = balances.customer_id
    join core.dim_plan_versions as versions on versions.plan_version = balances.plan_version
    join core.dim_plan_pools as pools
      on pools.plan_version = balances.plan_version and pools.pool = balances.pool and not pools.is_redeemed
    where balances.term_status = 'current'
    order by balances.balance_key
"""
# What can still be drawn on, in the order in which it is, in the term that holds it now.
_SUPPLIES = """
    select
      supplies.subscription_id, supplies.pool, supplies.left_quantity as quantity,
      cast(epoch(supplies.ends_at) as bigint) as ends_epoch
    from core.fct_entitlement_supplies as supplies
    where supplies.left_quantity > 0
    order by supplies.is_drawn_first desc, supplies.ends_at, supplies.supply_id
"""


@dataclass(frozen=True)
class Supply:
    """Units that are left of a grant or a pack, and when they end (exclusive)."""

    subscription_id: str
    pool: str
    quantity: int
    ends_epoch: int


@dataclass(frozen=True)
class Pool:
    """One pool of a current term, as of now."""

    balance_key: str
    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    pool: str
    overflows_to: str | None
    remaining_quantity: int | None
    is_limited: bool
    is_license_active: bool
    term_ends_on: date
    ends_epoch: int

    @property
    def drawer(self) -> Drawer:
        return Drawer(self.customer_id, self.plan, self.pool)


@dataclass(frozen=True)
class Runway:
    """How long a pool's units last from `now_epoch` to the end of its term, `ends_epoch` (exclusive).

    `endings` are (instant, units left in packs that end then, before the term does). Such units count until then and
    no longer. That is exact where nothing is drawn after the pack; where later ones exist, the chance to last is a
    lower bound, because some of the pack may be drawn before it ends.
    """

    outlook: Outlook
    remaining: int
    now_epoch: int
    ends_epoch: int
    endings: tuple[tuple[int, int], ...] = ()

    def chance_exhausted(self, at_epoch: int) -> float:
        """The chance that nothing is left at an instant of the term. Never falls with time, nor rises with what remains."""
        ended = sum(quantity for ends, quantity in self.endings if ends <= at_epoch)
        return self.outlook.chance_drawn(self.remaining - ended, (at_epoch - self.now_epoch) / DAY_SECONDS)

    def lasts_ratio(self) -> float:
        """The chance that something is left when the term ends; 0 and 1 only where that is certain."""
        lasts = 1 - self.chance_exhausted(self.ends_epoch)
        is_certain = self.remaining <= sum(quantity for _, quantity in self.endings)
        return 0.0 if is_certain else min(max(round(lasts, 3), 0.001), 0.999)

    def exhausted_on(self, level: float) -> date | None:
        """The first day (UTC) by whose end nothing is left with at least this chance; None if not within the term."""
        first, last = self.now_epoch // DAY_SECONDS, (self.ends_epoch - 1) // DAY_SECONDS
        day = bisect_left(
            range(first, last + 1),
            True,
            key=lambda day: self.chance_exhausted(min((day + 1) * DAY_SECONDS, self.ends_epoch)) >= level,
        )
        return None if first + day > last else _EPOCH + timedelta(days=first + day)


def forecast_pools(connection: duckdb.DuckDBPyConnection) -> None:
    """Write TABLE into an open build in which dbt has made the schema `core`. Same tables, same rows to the digit."""
    import pyarrow as pa

    [known] = _fetch(connection, KNOWN_SPAN, KnownSpan)
    history = DrawHistory(
        known,
        _fetch(connection, DAY_DRAWS, DayDraws),
        _fetch(connection, COVERED_SPANS, CoveredSpan),
    )
    rows = forecast_rows(history, _fetch(connection, _POOLS, Pool), _fetch(connection, _SUPPLIES, Supply))
    kinds = {
        "string": pa.string(),
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    table = pa.table(
        {name: pa.array([row[name] for row in rows], kinds[kind]) for name, kind in COLUMNS.items()}
    )
    connection.register("incoming", table)
    connection.execute(f"create table {TABLE} as select * from incoming order by forecast_key")
    connection.unregister("incoming")


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, row: type[_Row]) -> list[_Row]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description]
    return [row(**dict(zip(names, values, strict=True))) for values in result.fetchall()]


def forecast_rows(
    history: DrawHistory, pools: Sequence[Pool], supplies: Iterable[Supply]
) -> list[dict[str, Any]]:
    """A row with the keys of COLUMNS for each limited pool, in the order given. `supplies` in the order they are drawn."""
    # The day of as_of is the last one known, if only in part.
    before_day = history.known.ends_epoch // DAY_SECONDS + 1
    plans = {
        key: history.fit(*key, before_day) for key in dict.fromkeys((pool.plan, pool.pool) for pool in pools)
    }
    rates: dict[str, DrawRate] = {}
    overflowing: dict[tuple[str, str], list[Pool]] = defaultdict(list)
    for pool in pools:
        fit = plans[pool.plan, pool.pool]
        if fit is not None:
            rates[pool.balance_key] = fit.rate_of(history.quarters_before(pool.drawer, before_day))
        if pool.overflows_to is not None and pool.is_limited:
            overflowing[pool.subscription_id, pool.overflows_to].append(pool)
    supplies_of: dict[tuple[str, str], list[Supply]] = defaultdict(list)
    for supply in supplies:
        supplies_of[supply.subscription_id, supply.pool].append(supply)
    rows = []
    for pool in pools:
        if not pool.is_limited:
            continue
        place = (pool.subscription_id, pool.pool)
        inflows = tuple(
            Inflow(rates[source.balance_key], source.remaining_quantity)
            for source in overflowing[place]
            if source.balance_key in rates
        )
        fit = plans[pool.plan, pool.pool]
        rows.append(
            _row(
                pool,
                fit,
                rates.get(pool.balance_key),
                inflows,
                supplies_of[place],
                history.known.ends_epoch,
            )
        )
    return rows


def _row(
    pool: Pool,
    fit: PlanRate | None,
    rate: DrawRate | None,
    inflows: tuple[Inflow, ...],
    supplies: Sequence[Supply],
    now_epoch: int,
) -> dict[str, Any]:
    remaining = pool.remaining_quantity or 0
    endings = _find_endings(pool, supplies)
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "forecast_key": pool.balance_key,
        "customer_id": pool.customer_id,
        "customer_name": pool.customer_name,
        "subscription_id": pool.subscription_id,
        "plan": pool.plan,
        "pool": pool.pool,
        "forecast_status": _find_status(pool, fit),
        "remaining_quantity": remaining,
        "ending_quantity": sum(quantity for _, quantity in endings),
        # A begun day is a day left.
        "days_left": -((now_epoch - pool.ends_epoch) // DAY_SECONDS),
        "own_draws_quantity": 0 if rate is None else rate.own_draws,
        "own_history_days": 0 if rate is None else round(rate.own_days),
        "plan_customers_count": 0 if fit is None else fit.customers,
        "plan_draws_quantity": 0 if fit is None else fit.draws,
        "term_ends_on": pool.term_ends_on,
        "as_of": datetime.fromtimestamp(now_epoch, UTC).replace(tzinfo=None),
    }
    if row["forecast_status"] == "exhausted":
        row["lasts_ratio"] = 0.0
    if fit is None or rate is None or not fit.is_enough or not pool.is_license_active:
        return row
    outlook = Outlook(rate, inflows)
    low, mid, high = outlook.draws_in((pool.ends_epoch - now_epoch) / DAY_SECONDS)
    row |= {
        "draws_low_quantity": low,
        "draws_mid_quantity": mid,
        "draws_high_quantity": high,
        "own_weight_ratio": round(rate.own_weight, 3),
        "plan_yearly_quantity": round(fit.mean * _YEAR_DAYS, 2),
        "expected_yearly_quantity": round(rate.mean * _YEAR_DAYS, 2),
        "dispersion_ratio": round(rate.dispersion, 2),
    }
    if remaining == 0:
        return row
    runway = Runway(outlook, remaining, now_epoch, pool.ends_epoch, endings)
    return row | {
        "lasts_ratio": runway.lasts_ratio(),
        "exhausted_on_low": runway.exhausted_on(LOW),
        "exhausted_on_mid": runway.exhausted_on(MID),
        "exhausted_on_high": runway.exhausted_on(HIGH),
    }


def _find_status(pool: Pool, fit: PlanRate | None) -> str:
    if not pool.is_license_active:
        return "no_active_license"
    if not pool.remaining_quantity:
        return "exhausted"
    return "forecast" if fit is not None and fit.is_enough else "too_few_tickets"


def _find_endings(pool: Pool, supplies: Sequence[Supply]) -> tuple[tuple[int, int], ...]:
    """What is left of each supply that ends before the term: the one drawn last has its units left first."""
    left, endings = pool.remaining_quantity or 0, []
    for supply in reversed(supplies):
        quantity = min(supply.quantity, left)
        left -= quantity
        if supply.ends_epoch < pool.ends_epoch and quantity:
            endings.append((supply.ends_epoch, quantity))
    return tuple(reversed(endings))
