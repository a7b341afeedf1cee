"""What a new build says of closed months, compared with what is on record: the values that changed, by customer and month.

One query gives the figures of a customer's month as (zone, customer, month, item, what) -> value. It is asked of the
build on record and
of the new one, so that original plus corrections is the new build's answer, exactly (`records.add_corrections`). What
depends on as_of alone, such as the time that an unanswered ticket has waited, is no figure of a closed month and is not in it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigurationError
from pipeline.periods.causes import Causes
from pipeline.periods.records import Closing, CorrectedValue, History, KeptBuild
from pipeline.reporting.published import attach_build, check_of_record
from pipeline.settings import Workspace

if TYPE_CHECKING:
    import duckdb

# One figure: (time zone, item, what).
Key = tuple[str, str, str]


@dataclass(frozen=True)
class CustomerMonth:
    """What changed for one customer and closed month since the last record of it. `corrects`: the number of the closing."""

    customer_id: str
    month: str
    corrects: int
    changes: tuple[CorrectedValue, ...]


# The figures of closed months in the build `{build}`. The table closed_months says which, and up to when their closing knew: an
# answer given after that is not a change of the month, although the build that learns of it counts a longer time.
_FIGURES = """
    settled as (
        select
            obligations.time_zone, coalesce(obligations.customer_id, '') as customer_id, obligations.settled_month as month,
            'obligation ' || obligations.obligation_key as item, obligations.ticket_id,
            obligations.obligation || case when obligations.cycle_number > 1 then ' ' || obligations.cycle_number else ''
            end as part, obligations.status, obligations.status_reason, obligations.severity_in_force, obligations.waiver_id,
            obligations.target_seconds, obligations.due_at,
            case when obligations.stopped_at <= closed.known_until then obligations.elapsed_seconds end as elapsed_seconds
        from {build}.core.fct_sla_obligations as obligations
        join {closed} as closed
            on closed.time_zone = obligations.time_zone and closed.month = obligations.settled_month
    ),
    moved as (
        select
            versions.time_zone, movements.customer_id, movements.month,
            concat_ws(' ', 'movement', movements.subscription_id, movements.pool, movements.movement_kind,
            movements.happened_at::varchar, movements.cause_kind, movements.cause_id) as item,
            max(movements.ticket_id) as ticket_id, movements.pool as part, movements.movement_kind as what,
            sum(movements.quantity) as quantity
        from {build}.core.fct_entitlement_movements as movements
        join {build}.core.fct_entitlement_months as statements
            on statements.subscription_id = movements.subscription_id and statements.pool = movements.pool
            and statements.month = movements.month
        join {build}.core.dim_plan_versions as versions on versions.plan_version = statements.plan_version
        join {closed} as closed on closed.time_zone = versions.time_zone and closed.month = movements.month
        group by versions.time_zone, movements.customer_id, movements.month, movements.subscription_id, movements.pool,
            movements.movement_kind, movements.happened_at, movements.cause_kind, movements.cause_id
    ),
    balances as (
        select
            versions.time_zone, statements.customer_id, statements.month,
            'balance ' || statements.subscription_id || ' ' || statements.pool as item, statements.pool as part,
            statements.opening_quantity, statements.closing_quantity
        from {build}.core.fct_entitlement_months as statements
        join {build}.core.dim_plan_versions as versions on versions.plan_version = statements.plan_version
        join {closed} as closed on closed.time_zone = versions.time_zone and closed.month = statements.month
    ),
    present as (
        select obligations.time_zone, obligations.customer_id, obligations.settled_month as month, null as submitted_ticket_id
        from {build}.core.fct_sla_obligations as obligations
        union all
        select obligations.time_zone, obligations.customer_id, obligations.submitted_month, obligations.ticket_id
        from {build}.core.fct_sla_obligations as obligations
        union all
        -- A customer with a running term and no ticket has a report too.
        select zones.time_zone, months.customer_id, months.month, null
        from {build}.core.dim_customer_months as months
        join {build}.core.dim_customer_zones as zones on zones.customer_id = months.customer_id
    ),
    customers as (
        select
            present.time_zone, customers.customer_id, present.month, max(customers.customer_name) as customer_name,
            count(distinct present.submitted_ticket_id) as tickets
        from present
        join {build}.core.dim_customers as customers on customers.customer_id = present.customer_id
        join {closed} as closed on closed.time_zone = present.time_zone and closed.month = present.month
        group by present.time_zone, customers.customer_id, present.month
    ),
    figures as (
        select time_zone, customer_id, month, item, 'status' as what, ticket_id, part, status as value from settled
        union all
        select time_zone, customer_id, month, item, 'reason', ticket_id, part, status_reason from settled
        union all
        select time_zone, customer_id, month, item, 'level', ticket_id, part, severity_in_force::varchar from settled
        union all
        select time_zone, customer_id, month, item, 'target', ticket_id, part, target_seconds::varchar from settled
        union all
        select time_zone, customer_id, month, item, 'due', ticket_id, part, due_at::varchar from settled
        union all
        select time_zone, customer_id, month, item, 'time counted', ticket_id, part, elapsed_seconds::varchar from settled
        union all
        select time_zone, customer_id, month, item, 'waiver', ticket_id, part, waiver_id from settled
        union all
        select time_zone, customer_id, month, item, what, ticket_id, part, quantity::varchar from moved
        union all
        select time_zone, customer_id, month, item, 'opening balance', null, part, opening_quantity::varchar from balances
        union all
        select time_zone, customer_id, month, item, 'closing balance', null, part, closing_quantity::varchar from balances
        union all
        select time_zone, customer_id, month, 'customer', 'name', null, null, customer_name from customers
        union all
        select time_zone, customer_id, month, 'customer', 'tickets submitted', null, null, tickets::varchar from customers
    )
"""


def find_changes(workspace: Workspace, history: History, served: KeptBuild) -> list[CustomerMonth]:
    """Every customer's closed month whose figures in `served` differ from its last record; one zone, month and customer
    at a time is compared with the newest of its closing and its corrections.

    A build as of an earlier instant than a record says nothing of it. Raises ConfigurationError when a build on record
    is gone or damaged.
    """
    import duckdb

    closed = history.known_to(served.as_of).closed()
    if not closed:
        return []
    # (customer, month) -> its last correction; it brought all zones of the month up to its build.
    corrected = {(record.customer_id, record.month): record for record in history.corrections()}
    builds = {closing.build.build_id: closing.build for closing in closed.values()}
    builds |= {
        record.build.build_id: record.build
        for record in corrected.values()
        if record.build.as_of <= served.as_of
    }
    builds.pop(served.build_id, None)
    numbered = {build_id: f"record_{number}" for number, build_id in enumerate(sorted(builds))}
    connection = _open(
        workspace, {served.build_id: served, **builds}, {served.build_id: "served", **numbered}
    )
    try:
        _list_closed(connection, closed.values())
        connection.execute(
            "create table corrected(customer_id varchar, month varchar, number integer, build_id varchar)"
        )
        _insert(
            connection,
            "corrected",
            [[*key, record.number, record.build.build_id] for key, record in sorted(corrected.items())],
        )
        if numbered:
            connection.execute(f"create table fresh as {_select_figures('served')}")
        found: dict[tuple[str, str], list[CorrectedValue]] = defaultdict(list)
        for build_id, name in numbered.items():
            # What is compared is asked of each build once, for the zones, months and customers that it is on record for.
            try:
                rows = connection.execute(_compare(name), {"build_id": build_id}).fetchall()
                causes = Causes(connection, name, {row[5] for row in rows if row[5] is not None})
            except (duckdb.BinderException, duckdb.CatalogException) as problem:
                raise _explain_older(workspace, builds[build_id], closed.values(), problem) from problem
            for key, values in _explain(rows, causes).items():
                found[key] += values
    finally:
        connection.close()
    return [
        CustomerMonth(
            customer_id,
            month,
            max(closed[change.time_zone, month].number for change in changes),
            tuple(sorted(changes, key=lambda change: (change.time_zone, change.item, change.what))),
        )
        for (customer_id, month), changes in sorted(found.items(), key=lambda each: (each[0][1], each[0][0]))
    ]


def _explain(rows: Iterable[tuple[Any, ...]], causes: Causes) -> dict[tuple[str, str], list[CorrectedValue]]:
    """(customer, month) -> its changed values, each with the inputs behind it."""
    listed = list(rows)
    changed_with: dict[tuple[str, str, str], dict[str, tuple[str | None, str | None]]] = defaultdict(dict)
    for _, customer_id, month, item, what, _, _, old, new in listed:
        changed_with[customer_id, month, item][what] = (old, new)
    found: dict[tuple[str, str], list[CorrectedValue]] = defaultdict(list)
    sums: list[tuple[Any, ...]] = []
    for row in listed:
        time_zone, customer_id, month, item, what, ticket_id, part, old, new = row
        if item.startswith("obligation "):
            with_it = changed_with[customer_id, month, item]
            is_whole = None in with_it.get("status", ("", ""))
            because = causes.find(what, ticket_id, with_it.keys(), is_whole)
        elif item.startswith("movement "):
            because = causes.find_of_movement(ticket_id)
        elif what == "name":
            because = causes.find_of_name()
        else:
            sums.append(row)
            continue
        found[customer_id, month].append(
            CorrectedValue(time_zone, item, what, ticket_id, part, old, new, because)
        )
    # What is counted or summed changes with its parts; a name is none of them.
    parts = {key: [each.causes for each in values if each.what != "name"] for key, values in found.items()}
    for time_zone, customer_id, month, item, what, ticket_id, part, old, new in sums:
        because = causes.find_of_sum(parts.get((customer_id, month), ()))
        found[customer_id, month].append(
            CorrectedValue(time_zone, item, what, ticket_id, part, old, new, because)
        )
    return found


def read_figures(
    workspace: Workspace, build: KeptBuild, closings: Iterable[Closing]
) -> dict[tuple[str, str], dict[Key, str]]:
    """(customer, month) -> (zone, item, what) -> value: the figures of the months of `closings` as `build` has them."""
    connection = _open(workspace, {build.build_id: build}, {build.build_id: "served"})
    try:
        _list_closed(connection, closings)
        rows = connection.execute(
            f"select customer_id, month, time_zone, item, what, value from ({_select_figures('served')}) where value is not null"
        ).fetchall()
    finally:
        connection.close()
    figures: dict[tuple[str, str], dict[Key, str]] = defaultdict(dict)
    for customer_id, month, time_zone, item, what, value in rows:
        figures[customer_id, month][time_zone, item, what] = value
    return dict(figures)


def read_by_closing(
    workspace: Workspace, build: KeptBuild, closings: Iterable[Closing]
) -> dict[int, dict[tuple[str, str], dict[Key, str]]]:
    """Number of each closing -> what `read_figures` gives of its month and its zone alone; the build is read once."""
    listed = list(closings)
    figures = read_figures(workspace, build, listed)
    found: dict[int, dict[tuple[str, str], dict[Key, str]]] = {}
    for closing in listed:
        own = {
            customer_month: {key: value for key, value in values.items() if key[0] == closing.time_zone}
            for customer_month, values in figures.items()
            if customer_month[1] == closing.month
        }
        found[closing.number] = {customer_month: values for customer_month, values in own.items() if values}
    return found


def digest_figures(figures: Mapping[tuple[str, str], Mapping[Key, str]]) -> str:
    """SHA-256 (hex) over the figures of a month, of all its customers."""
    digest = hashlib.sha256()
    for customer_month in sorted(figures):
        for key in sorted(figures[customer_month]):
            for text in (*customer_month, *key, figures[customer_month][key]):
                content = text.encode()
                # The length keeps a byte from moving between two texts unseen.
                digest.update(f"{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _open(
    workspace: Workspace, builds: Mapping[str, KeptBuild], names: Mapping[str, str]
) -> duckdb.DuckDBPyConnection:
    import duckdb

    from pipeline.warehouse.connection import HARDENING

    connection = duckdb.connect(config=dict(HARDENING))
    try:
        for build_id, build in builds.items():
            path = workspace.published / build.file
            check_of_record(path, build)
            attach_build(connection, path, names[build_id])
        connection.execute("set TimeZone = 'UTC'")
    except BaseException:
        connection.close()
        raise
    return connection


def _explain_older(
    workspace: Workspace, build: KeptBuild, closings: Iterable[Closing], problem: Exception
) -> ConfigurationError:
    months = ", ".join(sorted({each.month for each in closings if each.build.build_id == build.build_id}))
    return ConfigurationError(
        f"{workspace.published / build.file}, with which {months or 'corrections'} were recorded, was made by a version "
        f"of this program that published other columns ({str(problem).splitlines()[0]}), so what changed since cannot be "
        "told. The figures on record stay. Reopen these months and close them again with this version: "
        "sla close --month YYYY-MM --reopen --reason TEXT."
    )


def _list_closed(connection: duckdb.DuckDBPyConnection, closings: Iterable[Closing]) -> None:
    connection.execute(
        "create table closed_months(time_zone varchar, month varchar, number integer, build_id varchar, known_until timestamp)"
    )
    _insert(
        connection,
        "closed_months",
        [
            [
                each.time_zone,
                each.month,
                each.number,
                each.build.build_id,
                each.build.as_of.replace(tzinfo=None),
            ]
            for each in closings
        ],
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    if rows:
        connection.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def _select_own(figures: str) -> str:
    """The rows of `figures` for which the build $build_id is the last record: its closings, but for customers corrected
    since, and its corrections."""
    return f"""
        select own.*
        from ({figures}) as own
        join closed_months as closed on closed.time_zone = own.time_zone and closed.month = own.month
        left join corrected
            on corrected.customer_id = own.customer_id and corrected.month = own.month and corrected.number > closed.number
        where coalesce(corrected.build_id, closed.build_id) = $build_id and own.value is not null
    """


def _select_figures(name: str, closed: str = "closed_months") -> str:
    return f"with {_FIGURES.replace('{build}', name).replace('{closed}', closed)} select * from figures"


# Of a build on record, only the months that it is a record of are read.
_ITS_MONTHS = """(
    select * from closed_months where build_id = $build_id or month in (select month from corrected where build_id = $build_id)
)"""


def _compare(name: str) -> str:
    """The differences between a build on record, attached under `name`, and the table `fresh`, as far as it is the last
    record."""
    return f"""
        select
            time_zone, customer_id, month, item, what, coalesce(was.ticket_id, now_is.ticket_id),
            coalesce(was.part, now_is.part), was.value, now_is.value
        from ({_select_own(_select_figures(name, _ITS_MONTHS))}) as was
        full outer join ({_select_own("select * from fresh")}) as now_is using (time_zone, customer_id, month, item, what)
        where was.value is distinct from now_is.value
        order by all
    """
