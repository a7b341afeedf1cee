"""What names a build: everything that can change a figure, and nothing that only prints."""

from __future__ import annotations

import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.settings import CHECKOUT
from pipeline.warehouse import fingerprint as naming
from pipeline.warehouse.fingerprint import CODE, PACKAGES, fingerprint, hash_code, list_code
from tests.unit.imports import list_imported

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
# Imported by a build, and no figure depends on them: words of errors, how a run is stopped, how a file is written whole.
PRINTS_ONLY = {
    # How much memory there is changes no row.
    "pipeline/engine_memory.py",
    "pipeline/errors.py",
    "pipeline/interruption.py",
    "pipeline/periods/records.py",
    "pipeline/pointer.py",
    # Who may read a file, and which version of the state a record is, change no row.
    "pipeline/private_files.py",
    "pipeline/state_version.py",
    "pipeline/whole_files.py",
}


def batch(name: str, landed_at: str = "2026-07-01T00:00:00Z") -> Any:
    return SimpleNamespace(file_stem=name, landed_at=landed_at)


def rules(text: str = "rules") -> Any:
    return SimpleNamespace(fingerprint=text)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout's code, to change."""
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs", ".user.yml")
    for folder in ("dbt_project", "pipeline", "expectations", "dashboards"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def test_fingerprint_does_not_depend_on_the_order_of_batches() -> None:
    assert fingerprint([batch("a"), batch("b")], rules(), None) == fingerprint(
        [batch("b"), batch("a")], rules(), None
    )


@pytest.mark.parametrize(
    ("batches", "rule_text", "as_of"),
    [
        ([batch("a"), batch("b")], "rules", AS_OF),
        # The same content, read by another reader.
        ([batch("a-2")], "rules", AS_OF),
        ([batch("a")], "other rules", AS_OF),
        ([batch("a")], "rules", None),
    ],
)
def test_fingerprint_changes_with_every_input(
    batches: list[Any], rule_text: str, as_of: datetime | None
) -> None:
    assert fingerprint(batches, rules(rule_text), as_of) != fingerprint([batch("a")], rules(), AS_OF)


def test_fingerprint_does_not_depend_on_the_day_of_landing() -> None:
    later = [batch("a", "2026-07-02T00:00:00Z")]
    assert fingerprint(later, rules(), AS_OF) == fingerprint([batch("a")], rules(), AS_OF)


@pytest.mark.parametrize("package", PACKAGES)
def test_fingerprint_changes_with_the_version_of_each_package(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint([batch("a")], rules(), AS_OF)
    installed = naming.version
    monkeypatch.setattr(
        naming, "version", lambda name: "of next year" if name == package else installed(name)
    )
    assert fingerprint([batch("a")], rules(), AS_OF) != before


def test_list_of_packages_has_all_that_decide_a_figure() -> None:
    deciding = {
        *("babel", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "holidays"),
        *("numpy", "pyarrow", "scipy", "tzdata"),
    }
    assert deciding <= set(PACKAGES)


def test_fingerprint_changes_with_the_version_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint([batch("a")], rules(), AS_OF)
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert fingerprint([batch("a")], rules(), AS_OF) != before


@pytest.mark.parametrize("listed", CODE)
def test_fingerprint_changes_with_every_folder_and_module_that_is_listed(
    checkout: Path, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "CHECKOUT", checkout)
    before = fingerprint([batch("a")], rules(), AS_OF)
    file = next(file for file in list_code(checkout) if file.is_relative_to(checkout / listed))
    file.write_bytes(file.read_bytes() + b"\n")
    assert fingerprint([batch("a")], rules(), AS_OF) != before


@pytest.mark.parametrize(
    "file",
    [
        "dbt_project/seeds/sla_statuses.csv",
        "dbt_project/models/intermediate/promises/int_promises__verdicts.sql",
        "dbt_project/macros/ledger/settle_pools.sql",
        "dbt_project/dbt_project.yml",
        "expectations/published/fct_sla_obligations.py",
    ],
)
def test_hash_of_the_code_changes_with_seeds_models_macros_and_expectations(
    checkout: Path, file: str
) -> None:
    before = hash_code(checkout)
    path = checkout / file
    path.write_bytes(path.read_bytes() + b"\n")
    assert hash_code(checkout) != before


def test_hash_of_the_code_changes_when_a_file_is_renamed_or_gone(checkout: Path) -> None:
    before = hash_code(checkout)
    file = checkout / "dbt_project" / "seeds" / "sla_statuses.csv"
    file.rename(file.with_name("sla_states.csv"))
    renamed = hash_code(checkout)
    file.with_name("sla_states.csv").unlink()
    assert len({before, renamed, hash_code(checkout)}) == 3


@pytest.mark.parametrize("printing", ["pipeline/reporting", "pipeline/cli", "dashboards", "pipeline/demo"])
def test_hash_of_the_code_stays_when_only_what_prints_changes(checkout: Path, printing: str) -> None:
    before = hash_code(checkout)
    path = checkout / printing
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        file.write_bytes(file.read_bytes() + b"\n")
    assert hash_code(checkout) == before


def test_hash_of_the_code_stays_when_a_document_changes(checkout: Path) -> None:
    before = hash_code(checkout)
    with (checkout / "dbt_project" / "DECISIONLOG.md").open("a") as document:
        document.write("One more stance.\n")
    assert hash_code(checkout) == before


def test_every_module_that_a_build_imports_is_part_of_its_name() -> None:
    listed = {file.relative_to(CHECKOUT).as_posix() for file in list_code(CHECKOUT)}
    assert list_imported("pipeline.warehouse.build") - listed == PRINTS_ONLY


def test_build_on_another_engine_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"pyspark": "4.3.0", "dbt-spark": "1.11.0"}
    monkeypatch.setattr(naming, "version", lambda name: installed.get(name, "1"))
    batches = [batch("one")]
    here = fingerprint(batches, rules(), AS_OF)
    on_spark = fingerprint(batches, rules(), AS_OF, "spark")
    assert here == fingerprint(batches, rules(), AS_OF, "duckdb")
    assert here != on_spark
    installed["pyspark"] = "4.3.1"
    assert fingerprint(batches, rules(), AS_OF, "spark") != on_spark
    assert fingerprint(batches, rules(), AS_OF) == here
