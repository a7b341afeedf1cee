"""A workspace of a temporary folder with one source of each type, and short ways to land a file and look
at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.files.exports import Export
from pipeline.ingest.landing.land import LandingResult, land_exports
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.manifest import read_batches
from pipeline.ingest.landing.write_content import ContentWriter
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_TABLE
from pipeline.rules.load_sources import load_sources
from pipeline.settings import Workspace


def make_source(source_type: str, **settings: Any) -> SimpleNamespace:
    """What landing reads of a source of sla.yml."""
    return SimpleNamespace(
        **{
            "source_type": source_type,
            "time_zone": None,
            "date_formats": (),
            "null_markers": ("",),
            "agents": (),
            "bot_actors": (),
            "assistants": (),
            "non_humans": (),
            "columns": {},
            "date_locale": None,
            "business_calendar": None,
            "customer_field": None,
            "customer_constant": None,
            "severity_field": None,
            "severity_name": None,
            "events": (),
            "channel_field": None,
            "channel_constant": None,
            "unmarked_comments": None,
        }
        | settings
    )


@dataclass
class Landing:
    """One workspace; `land` puts a file into the inbox of a source and lands it."""

    workspace: Workspace
    config: SimpleNamespace
    child: LandingChild

    def put(self, source: str, name: str, content: str | bytes) -> Path:
        path = self.workspace.inbox / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def land(self, source: str, name: str, content: str | bytes) -> LandingResult:
        path = self.put(source, name, content)
        (result,) = self.run([path])
        assert result.rows_read == result.rows_landed + result.rows_rejected
        return result

    def run(self, paths: list[Path] | None = None, source: str | None = None) -> list[LandingResult]:
        return land_exports(self.workspace, self.config, paths, source, child=self.child)

    def rows(self, table: str, columns: str = "*") -> list[Any]:
        """The landed rows of a table over all batches; of one column, its values."""
        found = []
        for batch in read_batches(self.workspace):
            if table in batch.tables or (table == QUARANTINE_TABLE and batch.rows_rejected):
                landed = pq.read_table(batch.table_path(self.workspace, table))  # noqa: F841 - read by the query
                found += duckdb.sql(f"select {columns} from landed").fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found

    def records(self, table: str) -> list[dict[str, Any]]:
        """The landed rows of a table by column, without the columns in which a row holds nothing."""
        names = LANDED_TABLES[table]
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in self.rows(table)
        ]


@pytest.fixture(scope="session")
def child() -> Iterator[LandingChild]:
    """One process for all tests: what reads the files of a run, too."""
    with LandingChild() as child:
        yield child


class HereChild(LandingChild):
    """The same jobs in this process, where a test can make the blocks that are read small."""

    def _ask(self, export: Export, job: str, *arguments: Any) -> Any:
        return getattr(ContentWriter(lambda rows: None), job)(*arguments)


@pytest.fixture
def landing_here(landing: Landing) -> Landing:
    return replace(landing, child=HereChild())


@pytest.fixture
def landing(tmp_path: Path, child: LandingChild) -> Landing:
    sources = {
        "own": make_source("canonical", null_markers=("", "?")),
        "desk": make_source("zendesk"),
        "snow": make_source(
            "servicenow", time_zone="Europe/Berlin", date_formats=("%d-%m-%Y %H:%M",), null_markers=("", "?")
        ),
    }
    workspace = Workspace(tmp_path)
    workspace.inbox.mkdir()
    return Landing(workspace, SimpleNamespace(sources=sources, keep_exports=False, memory=None), child)


@pytest.fixture
def declare(tmp_path: Path, child: LandingChild) -> Callable[[str], Landing]:
    """A landing whose sources are those of the given text of sla.yml."""

    def declare_sources(sla_yml: str) -> Landing:
        workspace = Workspace(tmp_path)
        workspace.inbox.mkdir(exist_ok=True)
        workspace.sla_yml.write_text(sla_yml, encoding="utf-8")
        return Landing(workspace, load_sources(workspace.sla_yml), child)  # type: ignore[arg-type]

    return declare_sources


@pytest.fixture
def reasons() -> Callable[[LandingResult], list[str]]:
    return lambda result: [str(problem) for problem in result.problems]
