"""Builds are published one after the other while pages are read: no page fails, and none mixes two builds."""

from __future__ import annotations

import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from streamlit.testing.v1 import AppTest

from dashboards.serve import HERE
from pipeline.pointer import read_pointer
from pipeline.settings import Workspace
from pipeline.warehouse.publish import KEPT_VERSIONS, publish
from tests.unit.dashboards.small_build import publish as publish_small

BUILDS = 20


def write_build(base: Path, path: Path, number: int) -> None:
    """The small build with `number` more customers, and as many more promises met by the first one in June."""
    shutil.copy(base, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update meta.build set build_id = ?", [name_build(number)])
        connection.execute(
            "insert into core.dim_customers by name select 'new-' || n as customer_id, 'New ' || n as customer_name, "
            "'UTC' as time_zone, 'en' as locale from (select unnest(generate_series(1, ?)) as n)",
            [number],
        )
        connection.execute(
            "update marts.mart_manager__monthly_compliance set met_count = met_count + $n, "
            "lower_met_count = lower_met_count + $n, upper_met_count = upper_met_count + $n, bounded_count = bounded_count + $n "
            "where customer_id = 'acme' and month = '2026-06' and month_basis = 'settled' and group_name is null",
            {"n": number},
        )


def name_build(number: int) -> str:
    return f"{number:012x}"


def read_page() -> tuple[str, int, int]:
    """What three queries of one run of a page say: the build, how many customers there are, how much the first one counted."""
    app = AppTest.from_file(str(HERE / "app.py"), default_timeout=60)
    app.switch_page("views/customers.py")
    app.query_params["month"] = "2026-06"
    app.run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    (build,) = [found[1] for text in app.text if (found := re.match(r"Build (\w+)", text.value))]
    customers = int(app.subheader[0].value.split()[0])
    table = next(each.value for each in app.dataframe if "Remaining" in each.value.columns)
    (counted,) = table[table["Id"] == "acme"]["Counted"]
    return build, customers, int(counted)


def test_pages_that_are_read_while_builds_are_published_show_one_build_each(tmp_path, monkeypatch):
    base = publish_small(tmp_path / "base")
    pointer = read_pointer(base)
    assert pointer is not None
    workspace = Workspace(tmp_path / "vendor")
    workspace.root.mkdir()
    as_of, published_at = datetime(2026, 7, 15, tzinfo=UTC), datetime(2026, 7, 15, 3, tzinfo=UTC)
    monkeypatch.setenv("SLA_WORKSPACE", str(workspace.root))
    problems: list[Exception] = []

    def publish_one(number: int) -> None:
        built = tmp_path / f"built-{number}.duckdb"
        write_build(base.published / pointer.file, built, number)
        publish(workspace, built, name_build(number), as_of, published_at)

    def publish_all() -> None:
        try:
            for number in range(1, BUILDS + 1):
                publish_one(number)
        except Exception as problem:
            problems.append(problem)

    publish_one(0)
    publisher = threading.Thread(target=publish_all)
    seen = [read_page()]
    publisher.start()
    while publisher.is_alive():
        seen.append(read_page())
    publisher.join()
    seen.append(read_page())
    assert problems == []
    # Each page is of one build: the number in its name is that of both of its figures.
    assert [each for each in seen if each != (each[0], 2 + int(each[0], 16), 4 + int(each[0], 16))] == []
    assert [int(build, 16) for build, _, _ in seen] == sorted(int(build, 16) for build, _, _ in seen)
    assert (seen[0][0], seen[-1][0]) == (name_build(0), name_build(BUILDS))
    assert len({build for build, _, _ in seen}) > 2
    assert len(list(workspace.published.glob("*.duckdb"))) == KEPT_VERSIONS
