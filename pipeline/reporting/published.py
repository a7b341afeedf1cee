"""The published build, opened for reading only, and what every query on it shares: the scope of the reader, the selection of
rows, and exact ratios.

Every query takes the scope and applies it inside the SQL, so that no caller can forget it. Values are always bound;
identifiers come from constants. Figures leave as frozen records: counts and quantities are integers, durations whole
seconds, instants aware UTC datetimes. An open end is None. A rate is never stored as a decimal number: `Ratio` keeps the two
integers, and only `figures` turns them to text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import duckdb

from pipeline.errors import ConfigurationError
from pipeline.periods.records import History, KeptBuild, read_history
from pipeline.pointer import AGAIN, Pointer, read_pointer
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace
from pipeline.state_version import FIRST, check_version
from pipeline.whole_files import hash_file

STATUSES = ("met", "breached", "pending", "waived", "not_covered", "not_measurable")
MONTH_BASES = ("settled", "submitted")

_Record = TypeVar("_Record")
_Kept = TypeVar("_Kept")

# Nothing but the one file may be reached from a query; DuckDB refuses to widen that while the file is open.
_HARDENED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}

# As _HARDENED, for a connection that attaches its files first.
_SEALED_OFF = {name: value for name, value in _HARDENED.items() if name != "enable_external_access"}

# Whether a row of `rows` belongs to a month that is closed in its time zone.
_CLOSED = (
    "select 1 from memory.main.closed_months as closed"
    " where closed.time_zone = rows.time_zone and closed.month = rows.month"
)

IN_SCOPE = "($sees_all or list_contains($seen_customers::varchar[], {customer_id}))"


@dataclass(frozen=True)
class Scope:
    """Whose rows may be seen: None is all customers, an empty tuple none. It is a permission, never a
    filter."""

    customer_ids: tuple[str, ...] | None


EVERY_CUSTOMER = Scope(None)


@dataclass(frozen=True)
class Selection:
    """Which of the visible rows are asked for: None leaves a dimension open. `months` are 'YYYY-MM'."""

    customer_ids: tuple[str, ...] | None = None
    months: tuple[str, ...] | None = None
    plans: tuple[str, ...] | None = None
    severities: tuple[int, ...] | None = None
    obligations: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None


# A group that the source does not state, where groups are chosen by name.
NO_GROUP = "-"


EVERYTHING = Selection()


# Bounds farther apart than this leave no percentage: they are shown instead of it.
WIDEST_BOUNDS = Fraction(1, 100)


@dataclass(frozen=True)
class Bounds:
    """What a proportion could be while something is undecided: at least `lower` and at most `upper` of `of`, which is not 0."""

    lower: int
    upper: int
    of: int


@dataclass(frozen=True)
class Ratio:
    """An exact proportion. A denominator of 0 means that there was nothing to assess, which is not 0 %.

    `bounds` is None where nothing is undecided.
    """

    numerator: int
    denominator: int
    bounds: Bounds | None = None

    @property
    def value(self) -> Fraction | None:
        """The proportion as a number; None where there was nothing to assess, or where there are only bounds."""
        if not self.denominator or self.has_only_bounds:
            return None
        return Fraction(self.numerator, self.denominator)

    @property
    def undecided(self) -> int:
        return self.bounds.of - self.denominator if self.bounds else 0

    @property
    def has_only_bounds(self) -> bool:
        """Whether the bounds stand instead of the proportion: they are wide, they do not enclose it, or it would say that nothing
        was missed while something could have been."""
        if self.bounds is None:
            return False
        if not self.denominator:
            return True
        lower, upper = (
            Fraction(self.bounds.lower, self.bounds.of),
            Fraction(self.bounds.upper, self.bounds.of),
        )
        known = Fraction(self.numerator, self.denominator)
        return upper - lower > WIDEST_BOUNDS or not lower <= known <= upper or (known == 1 and lower < 1)


def bounded_ratio(met: int, counted: int, lower: int, upper: int, bounded: int) -> Ratio:
    """The proportion that counts of a mart give: `bounded` is `counted` and what is undecided."""
    return Ratio(met, counted, Bounds(lower, upper, bounded) if bounded > counted else None)


class Published:
    """One published build, open for reading only. Use it in a `with` block; queries may run from several threads.

    `history`: the months that were closed. A query through `of_record` reads each of them in the build that it was
    closed with, and all others in this one. Raises ConfigurationError, here and in every query, where the file is not the one
    that the pointer names.
    """

    def __init__(self, path: Path, pointer: Pointer, history: History | None = None) -> None:
        self.path = path
        self._every_record = history or History()
        self._of_record: duckdb.DuckDBPyConnection | None = None
        self._opening = threading.Lock()
        self._remembered: dict[Hashable, Any] = {}
        self.build_id = pointer.build_id
        self.published_at = datetime.fromisoformat(pointer.published_at)
        self._pointer = pointer
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=_HARDENED)
            self._connection.execute("set global TimeZone = 'UTC'")
            found = self._connection.execute("select build_id from meta.build").fetchall()
            version = _read_state_version(self._connection)
        except duckdb.Error as problem:
            raise self._explain(problem) from problem
        check_version(version, path)
        if found != [(pointer.build_id,)]:
            self.close()
            raise ConfigurationError(
                f"The published file {path} does not hold the build {pointer.build_id} that the pointer names. {AGAIN}"
            )

    def __enter__(self) -> Published:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        if self._of_record is not None:
            self._of_record.close()

    def open_again(self) -> Published:
        """The same build with connections of its own: for what is asked later than this one is closed.

        Raises ConfigurationError when its file is gone.
        """
        if not self.path.is_file():
            raise ConfigurationError(
                f"The published build {self.path} is no longer kept. Open the page again."
            )
        return Published(self.path, self._pointer, self._every_record)

    @cached_property
    def history(self) -> History:
        """The closings and corrections that this build takes into account: none whose as_of lies after its own."""
        return self._every_record.known_to(self.read_as_of())

    def remember(self, key: Hashable, read: Callable[[], _Kept]) -> _Kept:
        """What `read` gives, read once while the build is open: for what is the same in many answers. A key that depends on a
        reader names its scope."""
        if key not in self._remembered:
            self._remembered[key] = read()
        kept: _Kept = self._remembered[key]
        return kept

    def read_as_of(self) -> datetime:
        """The instant up to which the figures know."""
        as_of: datetime = self.fetch(dict, "select as_of from meta.build")[0]["as_of"]
        return as_of

    def fetch(
        self, record: type[_Record], sql: str, parameters: dict[str, Any] | None = None
    ) -> list[_Record]:
        """The rows of `sql` as records; its columns are named like the record's fields."""
        return self._fetch(self._connection, record, sql, parameters)

    def fetch_of_record(
        self,
        record: type[_Record],
        rows: str,
        sql: str,
        parameters: dict[str, Any] | None = None,
        *,
        is_frozen: bool = True,
        table: str | None = None,
    ) -> list[_Record]:
        """Like `fetch`; `sql` reads, as `{of_record}`, the rows of a select that has the columns time_zone and month.

        In `rows`, `{build}` stands before every schema. A closed month comes from the build that it was closed with, so its
        figures are the same on every page, whatever arrives later; all other months come from this build. Without `is_frozen`,
        all do. `table` (`schema.table`) names one that older builds may lack: of their months there is no row.
        """
        closed = self.history.closed() if is_frozen else {}
        if not closed:
            if table is not None and not _has_table(self._connection, None, table):
                return []
            return self.fetch(
                record, sql.replace("{of_record}", f"({rows.replace('{build}', '')})"), parameters
            )
        names = {closing.build.build_id: "served" for closing in closed.values()}
        others = sorted(set(names) - {self.build_id})
        names |= {build_id: f"record_{number}" for number, build_id in enumerate(others)}
        with self._opening:
            if self._of_record is None:
                self._of_record = self._open_of_record(names)
        wheres = [
            ("served", f"not exists ({_CLOSED})"),
            *(
                (name, f"exists ({_CLOSED} and closed.build_name = '{name}')")
                for name in sorted(set(names.values()))
            ),
        ]
        selects = [
            f"select * from ({rows.replace('{build}', f'{name}.')}) as rows where {where}"
            for name, where in wheres
            if table is None or _has_table(self._of_record, name, table)
        ]
        if not selects:
            return []
        return self._fetch(
            self._of_record,
            record,
            sql.replace("{of_record}", f"({' union all by name '.join(selects)})"),
            parameters,
        )

    def _open_of_record(self, names: dict[str, str]) -> duckdb.DuckDBPyConnection:
        """This build and those of closed months side by side, each under its name of `names`."""
        closed = self.history.closed()
        builds = {closing.build.build_id: closing.build for closing in closed.values()}
        connection = duckdb.connect(config=_SEALED_OFF)
        try:
            attach_build(connection, self.path, "served")
            for build_id, name in names.items():
                if name != "served":
                    attach_build(connection, self._find_of_record(builds[build_id]), name)
            # From here on, nothing but these files can be reached.
            connection.execute("set enable_external_access = false")
            connection.execute("set global TimeZone = 'UTC'")
            connection.execute(
                "create table closed_months(time_zone varchar, month varchar, build_name varchar)"
            )
            connection.executemany(
                "insert into closed_months values (?, ?, ?)",
                [[*period, names[closing.build.build_id]] for period, closing in sorted(closed.items())],
            )
        except duckdb.Error as problem:
            connection.close()
            raise self._explain(problem) from problem
        except BaseException:
            connection.close()
            raise
        return connection

    def _find_of_record(self, build: KeptBuild) -> Path:
        path = self.path.with_name(build.file)
        check_of_record(path, build)
        return path

    def _fetch(
        self,
        connection: duckdb.DuckDBPyConnection,
        record: type[_Record],
        sql: str,
        parameters: dict[str, Any] | None,
    ) -> list[_Record]:
        try:
            with connection.cursor() as cursor:
                result = cursor.execute(sql, parameters or {})
                names = [column[0] for column in result.description]
                rows = result.fetchall()
        except duckdb.Error as problem:
            raise self._explain(problem) from problem
        return [record(**dict(zip(names, map(_as_read, row), strict=True))) for row in rows]

    def fetch_in_scope(self, record: type[_Record], sql: str, scope: Scope) -> list[_Record]:
        """The rows of a select that has a column customer_id, as far as the scope may see them."""
        in_scope = IN_SCOPE.format(customer_id="customer_id")
        return self.fetch(record, f"select * from ({sql}) where {in_scope}", bind_values(scope))

    def _explain(self, problem: duckdb.Error) -> Exception:
        """What an error of the engine means: the file is damaged, another version wrote it, or it is our own fault."""
        if hash_file(self.path) != self._pointer.sha256:
            return _damaged(self.path)
        if "lock" in str(problem) and isinstance(problem, duckdb.IOException):
            return ConfigurationError(
                f"The published build {self.path} is held open for writing by another program. Close it there and try again."
            )
        # Tables and columns that are not there, or a format of the file that the engine does not know.
        if isinstance(
            problem, duckdb.CatalogException | duckdb.BinderException | duckdb.SerializationException
        ) or ("version" in str(problem) and isinstance(problem, duckdb.IOException)):
            return ConfigurationError(
                f"The published build {self.path} was made by another version of this program, and this one cannot read it "
                f"({str(problem).splitlines()[0]}). {AGAIN} If it stays so after that, it is a fault of this program."
            )
        return problem


def _read_state_version(connection: duckdb.DuckDBPyConnection) -> object:
    # The builds of closed months may be of the time before files named their version.
    names = connection.execute(
        "select column_name from duckdb_columns() where table_name = 'build'"
    ).fetchall()
    if ("state_version",) not in names:
        return FIRST
    return next(iter(connection.execute("select state_version from meta.build").fetchall()), (FIRST,))[0]


def _as_read(value: Any) -> Any:
    """Stored instants are naive UTC and an open end is a sentinel; readers get aware instants and None."""
    if isinstance(value, datetime):
        return None if value.year == 9999 else value.replace(tzinfo=UTC)
    return value


def open_published(workspace: Workspace, *, verifies: bool = False) -> Published:
    """The build that the pointer names. `verifies`: its bytes are compared with those that were published before it is opened,
    once in a process.

    Raises ConfigurationError when nothing is published yet, when the file is gone or damaged, or when pointer and file disagree.
    """
    pointer = read_pointer(workspace)
    if pointer is None:
        raise ConfigurationError(
            f"Nothing is published yet in {workspace.root}, so there are no figures to show. {AGAIN}"
        )
    path = workspace.published / pointer.file
    if not path.is_file():
        raise ConfigurationError(
            f"The published build {path} is missing although the pointer names it. {AGAIN}"
        )
    if verifies and not _is_whole(path, pointer.sha256):
        raise _damaged(path)
    return Published(path, pointer, read_history(workspace))


def open_of_record(workspace: Workspace, build: KeptBuild, history: History) -> Published:
    """A build that a closing or a correction rests on, compared with the bytes on record; `history`: what is closed beside it.

    Raises ConfigurationError when its file is gone or damaged.
    """
    path = workspace.published / build.file
    check_of_record(path, build)
    as_of = build.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Published(path, Pointer(build.build_id, build.file, build.sha256, as_of, as_of), history)


def check_of_record(path: Path, build: KeptBuild, *, reads_all: bool = False) -> None:
    """Raises ConfigurationError when the file of a closed month is gone or is not the one on record.

    A file that was hashed and has not been touched since is taken at that, unless it `reads_all`: there is one more with every
    month. `sla check` and `sla doctor` read all of them.
    """
    is_whole = _is_whole if reads_all else _is_known_whole
    if not path.is_file() or not is_whole(path, build.sha256):
        raise ConfigurationError(
            f"{path}, on which closed months rest, is {'damaged' if path.is_file() else 'missing'}, so their figures "
            "cannot be shown. Restore it from a backup. Without one, reopen the months (`sla close --month YYYY-MM --reopen "
            "--reason TEXT`) and close them again."
        )


def check_builds(workspace: Workspace) -> int:
    """Read every build on which closed months rest, byte by byte, and give how many there are.

    Raises ConfigurationError for the first that is gone or damaged, and where the records themselves are.
    """
    builds = sorted(read_history(workspace).builds().values(), key=lambda build: build.build_id)
    for build in builds:
        check_of_record(workspace.published / build.file, build, reads_all=True)
    return len(builds)


def attach_build(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a build for reading only. `name` is a constant or a number, never text of a user."""
    # ATTACH takes no parameter; a quoted literal is the only way to hand it a path.
    literal = "'" + str(path).replace("'", "''") + "'"
    connection.execute(f"attach {literal} as {name} (read_only)")


def _has_table(connection: duckdb.DuckDBPyConnection, build_name: str | None, table: str) -> bool:
    """Whether a build, by its name on the connection or the only one, has a table `schema.table`."""
    schema, _, name = table.partition(".")
    with connection.cursor() as cursor:
        return bool(
            cursor.execute(
                "select 1 from duckdb_tables() where schema_name = $schema and table_name = $name"
                " and database_name = coalesce($build, current_database())",
                {"schema": schema, "name": name, "build": build_name},
            ).fetchall()
        )


@cache
def _is_whole(path: Path, sha256: str) -> bool:
    # A published file never changes, and a process that serves pages opens it for each of them.
    return hash_file(path) == sha256


def _is_known_whole(path: Path, sha256: str) -> bool:
    # A build lies in a folder of the warehouse.
    return seen_files(path.parents[1]).knows(path, sha256) or _is_whole(path, sha256)


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The published build {path} is damaged: its bytes are not those that were published. {AGAIN}"
    )


def list_columns(record: type, table: str | None = None, as_text: tuple[str, ...] = ()) -> str:
    """The select list of a record: its fields are the columns, so the shape is written down once."""
    prefix = f"{table}." if table else ""
    return ", ".join(
        f"{prefix}{field.name}::varchar as {field.name}" if field.name in as_text else f"{prefix}{field.name}"
        for field in fields(record)
    )


def where_chosen(dimension: str, column: str) -> str:
    """The condition that a dimension of the selection makes on a column: none when it is left open."""
    kind = "integer[]" if dimension == "severities" else "varchar[]"
    return f"(${dimension}::{kind} is null or list_contains(${dimension}::{kind}, {column}))"


def where_selected(prefix: str = "", month: str = "month") -> str:
    """The conditions that a selection makes on promises, all but the status; `prefix` stands before columns."""
    columns = {
        "customer_ids": "customer_id",
        "months": month,
        "plans": "plan",
        "severities": "severity_in_force",
        "obligations": "obligation",
    }
    return " and ".join(where_chosen(dimension, f"{prefix}{column}") for dimension, column in columns.items())


def bind_values(scope: Scope, selection: Selection | None = None) -> dict[str, Any]:
    """The parameters of `IN_SCOPE`, and of `where_chosen` for each dimension of the selection."""
    bound: dict[str, Any] = {
        "sees_all": scope.customer_ids is None,
        "seen_customers": list(scope.customer_ids or ()),
    }
    if selection is not None:
        for field in fields(Selection):
            chosen = getattr(selection, field.name)
            bound[field.name] = None if chosen is None else list(chosen)
    return bound


def check_selection(published: Published, scope: Scope, selection: Selection) -> None:
    """Raises ConfigurationError for a month, a status or a customer that there is not, or not in scope."""
    for month in selection.months or ():
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month) or not 1970 <= int(month[:4]) <= 9998:
            raise ConfigurationError(
                f"The month is {month!r}; it must be a year and a month such as 2026-07."
            )
    check_words("--status", selection.statuses or (), STATUSES)
    _check_customers(published, scope, selection.customer_ids or ())


def _check_customers(published: Published, scope: Scope, customer_ids: Iterable[str]) -> None:
    asked = list(customer_ids)
    if not asked:
        return
    visible = f"from core.dim_customers where {IN_SCOPE.format(customer_id='customer_id')}"
    found = published.fetch(
        dict,
        f"select customer_id {visible} and list_contains($asked::varchar[], customer_id)",
        bind_values(scope) | {"asked": asked},
    )
    there = {row["customer_id"] for row in found}
    for customer_id in asked:
        if customer_id in there:
            continue
        nearest = published.fetch(
            dict,
            f"select customer_id {visible} order by levenshtein(lower(customer_id), lower($customer_id)), customer_id limit 3",
            bind_values(scope) | {"customer_id": customer_id},
        )
        raise ConfigurationError(
            say_unknown("customer", customer_id, [row["customer_id"] for row in nearest])
        )


def check_words(what: str, words: Iterable[str], allowed: Sequence[str]) -> None:
    """Raises ConfigurationError, with the words that are allowed, for any other one and for one that is given twice."""
    given = list(words)
    for word in given:
        if word not in allowed:
            raise ConfigurationError(f"{what} is {word!r}; it must be one of {', '.join(allowed)}.")
    if len(set(given)) != len(given):
        raise ConfigurationError(f"{what} names the same thing twice: {', '.join(given)}.")


def say_unknown(what: str, given: str, nearest: Sequence[str]) -> str:
    """The message for a name that is not in the published data, with those that are nearest."""
    offer = f"Nearest: {', '.join(map(repr, nearest))}." if nearest else f"There is no {what} at all."
    return f"There is no {what} {given!r} in the published data. {offer}"
