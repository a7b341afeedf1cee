"""Do two checkouts publish the same figures? One set of inputs, built by both, every row of core, marts and qc compared.

    python -m tests.compare_checkouts OTHER [--stories] [--demo] [--round-trips] [--real-exports] [--workspace DIR]

`left` is this checkout and `right` the other one. Without a choice, the stories and the demo are built. Exit code 1: something
differs; a table or a column that only one side has is told and is a difference too, and the rest of it is compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.demo.generate import write_demo, write_in_form
from pipeline.rules.init_workspace import init_workspace
from pipeline.settings import CHECKOUT, Workspace
from tests.conftest import SHARED_DATA
from tests.end_to_end.command_line import SLA, environment
from tests.end_to_end.published import read_pointer
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, write_lines
from tests.end_to_end.test_real_exports import SLA_YML
from tests.end_to_end.test_round_trips import FIRST_ANSWER, NOTHING, WHOLE
from tests.scenarios.vendor import AS_OF, EARLIER, load_scenarios, write_vendor

SCHEMAS = ("core", "marts", "qc")
# Never compared, wherever it stands: a batch is named after its content and after the code that read it.
LINEAGE = frozenset({"batch_id"})
EXAMPLES = 5
# So many rows of one side are searched for the one that an example resembles.
_SEARCHED = 500

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Inputs:
    """A named set of inputs: how it is written below an empty folder, and its `as_of` instants (None: the newest one)."""

    name: str
    write: Callable[[Path], object]
    as_of: tuple[str | None, ...] = (AS_OF,)


@dataclass(frozen=True)
class Table:
    """What the two sides have of one table. `columns` are those of both; examples are lines to print."""

    name: str
    rows: int
    only_left: int
    only_right: int
    told: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return bool(self.only_left or self.only_right or self.told)


def _write_real_exports(root: Path) -> None:
    init_workspace(root)
    (root / "sla.yml").write_text(SLA_YML, encoding="utf-8")
    shutil.copy(
        CHECKOUT / "data/reference/plans/examples/resolution_by_severity.yml", root / "reference" / "plans"
    )
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,")
    term = "S-1,acme,resolution_by_severity,2010-01-01,2030-01-01,paid,active"
    write_lines(root / "reference" / "subscriptions.csv", TERMS_HEADER, term)
    for source, export in (
        ("log", "servicenow-uci-sample/incident_event_log.csv"),
        ("rest", "servicenow-demo-export/incidents_REST.csv"),
    ):
        (root / "inbox" / source).mkdir(parents=True, exist_ok=True)
        shutil.copy(SHARED_DATA / export, root / "inbox" / source)


def _copy_inputs(workspace: Path, root: Path) -> None:
    for name in ("inbox", "reference", "branding"):
        if (workspace / name).is_dir():
            shutil.copytree(workspace / name, root / name)
    shutil.copy(workspace / "sla.yml", root)


def _chosen(options: argparse.Namespace) -> Iterator[Inputs]:
    chosen = options.stories or options.demo or options.round_trips or options.real_exports
    if options.workspace:
        yield Inputs(str(options.workspace), lambda root: _copy_inputs(options.workspace, root), (None,))
    if options.stories or not (chosen or options.workspace):
        yield Inputs(
            "stories", lambda root: write_vendor(Workspace(root), load_scenarios()), (EARLIER, AS_OF)
        )
    if options.demo or not (chosen or options.workspace):
        yield Inputs("demo", lambda root: write_demo(root, tickets=options.tickets, months=options.months))
    if options.round_trips:
        for form in ("canonical", *WHOLE, *FIRST_ANSWER, *NOTHING):
            yield Inputs(
                f"round trip {form}",
                lambda root, form=form: write_in_form(root, form, tickets=160, months=3),  # type: ignore[misc]
            )
    if options.real_exports:
        if SHARED_DATA.is_dir():
            yield Inputs("real exports", _write_real_exports, (None,))
        else:
            print("real exports: not here, skipped")


def _run(checkout: Path, workspace: Path, *arguments: str) -> None:
    """`sla` of `checkout`, in its own environment where it has one. Records may be refused; a build must succeed."""
    own = checkout / ".venv" / "bin" / "sla"
    done = subprocess.run(
        [own if own.exists() else SLA, *arguments],
        cwd=checkout,
        env=environment(workspace, PYTHONPATH=str(checkout)),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in ((0, 3, 5) if "ingest" in arguments else (0,)):
        sys.exit(f"{checkout}: sla {' '.join(arguments)} left with {done.returncode}:\n{done.stderr[-3000:]}")


def _published(root: Path) -> Path:
    return root / "warehouse" / "published" / read_pointer(root)["file"]


def _columns(connection: duckdb.DuckDBPyConnection, side: str) -> dict[str, dict[str, str]]:
    """Table -> its columns and their types."""
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in connection.execute(
        """
        select schema_name, table_name, column_name, data_type from duckdb_columns()
        where database_name = ? and list_contains(?, schema_name) order by schema_name, table_name, column_index
        """,
        [side, list(SCHEMAS)],
    ).fetchall():
        found.setdefault(f"{schema}.{table}", {})[column] = kind
    return found


def _show_pair(columns: Sequence[str], mine: Row, others: list[Row]) -> str:
    """The row of the other side that is most alike, as the columns that differ; the row alone where none is alike."""

    def shared(other: Row) -> int:
        return sum(one == two for one, two in zip(mine, other, strict=True))

    other = max(others, key=shared, default=None)
    if other is None or shared(other) * 2 < len(columns):
        return "left only: " + ", ".join(
            f"{column}={value}" for column, value in zip(columns, mine, strict=True) if value is not None
        )
    key = ", ".join(str(value) for value, same in zip(mine, other, strict=True) if value == same and value)[
        :80
    ]
    return f"{key}: " + ", ".join(
        f"{column} {one} | {two}" for column, one, two in zip(columns, mine, other, strict=True) if one != two
    )


def compare_files(left: Path, right: Path, ignored: frozenset[str]) -> list[Table]:
    """Every table of the two published files, compared as bags of rows without the ignored columns."""
    compared = []
    with duckdb.connect() as connection:
        for side, file in (("left", left), ("right", right)):
            connection.execute(
                f"attach '{str(file).replace(chr(39), chr(39) * 2)}' as \"{side}\" (read_only)"
            )
        sides = {side: _columns(connection, side) for side in ("left", "right")}
        for name in sorted(sides["left"].keys() | sides["right"].keys()):
            lefts, rights = sides["left"].get(name), sides["right"].get(name)
            if lefts is None or rights is None:
                told = f"only {'right' if lefts is None else 'left'} has this table"
                compared.append(Table(name, 0, 0, 0, (told,), ()))
                continue
            told = tuple(
                f"column {column}: {lefts.get(column, 'missing')} | {rights.get(column, 'missing')}"
                for column in [*lefts, *(column for column in rights if column not in lefts)]
                if lefts.get(column) != rights.get(column) and column not in ignored
            )
            columns = [column for column in lefts if column in rights and column not in ignored]
            compared.append(_compare_table(connection, name, columns, told))
    return compared


def _compare_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[str], told: tuple[str, ...]
) -> Table:
    schema, table = name.split(".")
    listed = ", ".join(f'cast("{column}" as varchar) as "{column}"' for column in columns)
    left, right = (f'select {listed} from "{side}"."{schema}"."{table}"' for side in ("left", "right"))
    # Most tables are equal; a sum over the hashes of their rows tells that in one scan.
    rows, same = connection.execute(
        f"""
        with
            l as (select count(*) as n, coalesce(sum(cast(hash(x) as hugeint)), 0) as h from ({left}) as x),
            r as (select count(*) as n, coalesce(sum(cast(hash(x) as hugeint)), 0) as h from ({right}) as x)
        select l.n, l.n = r.n and l.h = r.h from l, r
        """
    ).fetchall()[0]
    if same:
        return Table(name, rows, 0, 0, told, ())
    for one, two, kept in ((left, right, "only_left"), (right, left, "only_right")):
        connection.execute(f"create or replace temp table {kept} as ({one}) except all ({two})")

    def count(relation: str) -> int:
        return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])

    def fetch(kept: str, most: int) -> list[Row]:
        return connection.execute(f"select * from {kept} order by all limit {most}").fetchall()

    lefts, rights = fetch("only_left", EXAMPLES), fetch("only_right", _SEARCHED)
    examples = [_show_pair(columns, row, rights) for row in lefts]
    if not lefts:
        examples = [_show_pair(columns, row, []).replace("left", "right", 1) for row in rights[:EXAMPLES]]
    return Table(
        name,
        count(f"({left})"),
        count("only_left"),
        count("only_right"),
        told,
        tuple(dict.fromkeys(examples)),
    )


def _compare_inputs(inputs: Inputs, sides: tuple[Path, Path], folder: Path, ignored: frozenset[str]) -> bool:
    """Print what differs; whether anything does."""
    left, right = folder / "left" / "vendor", folder / "right" / "vendor"
    left.parent.mkdir(parents=True)
    left.mkdir()
    inputs.write(left)
    shutil.copytree(left, right)
    builds = list(zip(sides, (left, right), strict=True))
    differs = False
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda build: _run(*build, "ingest"), builds))
        for as_of in inputs.as_of:
            options = () if as_of is None else ("--as-of", as_of)
            list(pool.map(lambda build, options=options: _run(*build, *options, "build"), builds))  # type: ignore[misc]
            tables = compare_files(_published(left), _published(right), ignored)
            changed = [table for table in tables if table.differs]
            rows = sum(table.rows for table in tables)
            label = f"{inputs.name}{f' as of {as_of}' if as_of else ''}"
            print(f"{label}: {len(tables)} tables, {rows} rows, {len(changed)} tables differ", flush=True)
            for table in changed:
                print(
                    f"  {table.name}: {table.rows} rows, {table.only_left} only left, {table.only_right} only right"
                )
                for line in (*table.told, *table.examples):
                    print(f"    {line[:400]}")
            differs = differs or bool(changed)
    return differs


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the figures that two checkouts publish.")
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--workspace", type=Path, help="inputs of this workspace (inbox, sla.yml, reference)")
    for option in ("stories", "demo", "round-trips", "real-exports"):
        parser.add_argument(f"--{option}", action="store_true")
    parser.add_argument("--tickets", type=int, default=1000, help="of the demo")
    parser.add_argument("--months", type=int, default=12, help="of the demo")
    parser.add_argument("--ignore", action="append", default=[], metavar="COLUMN", help="not compared")
    options = parser.parse_args()
    other = options.other.resolve()
    if not (other / "pipeline").is_dir():
        parser.error(f"{other} is not a checkout")
    ignored = LINEAGE | frozenset(options.ignore)
    print(f"not compared: {', '.join(sorted(ignored))}")
    differs = False
    with tempfile.TemporaryDirectory(prefix="compare-", dir=os.environ.get("TMPDIR")) as folder:
        for number, inputs in enumerate(_chosen(options)):
            place = Path(folder) / str(number)
            differs = _compare_inputs(inputs, (CHECKOUT, other), place, ignored) or differs
            shutil.rmtree(place)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
