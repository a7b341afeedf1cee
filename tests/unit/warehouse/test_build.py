"""What names a build, and who may write: without running one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import WorkspaceLocked
from pipeline.settings import Workspace
from pipeline.warehouse import build
from pipeline.warehouse.build import fingerprint, lock_workspace

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)


def batch(name: str, landed_at: str = "2026-07-01T00:00:00Z") -> Any:
    return SimpleNamespace(batch_id=name, landed_at=landed_at)


def rules(text: str = "rules") -> Any:
    return SimpleNamespace(fingerprint=text)


def test_fingerprint_does_not_depend_on_the_order_of_batches() -> None:
    assert fingerprint([batch("a"), batch("b")], rules(), None) == fingerprint(
        [batch("b"), batch("a")], rules(), None
    )


@pytest.mark.parametrize(
    ("batches", "rule_text", "as_of"),
    [
        ([batch("a"), batch("b")], "rules", AS_OF),
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


def test_fingerprint_changes_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint([batch("a")], rules(), AS_OF)
    monkeypatch.setattr(build, "_hash_code", lambda: "another version")
    assert fingerprint([batch("a")], rules(), AS_OF) != before


def test_fingerprint_changes_with_the_time_zone_data(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint([batch("a")], rules(), AS_OF)
    monkeypatch.setattr(build, "version", lambda package: f"{package} of next year")
    assert fingerprint([batch("a")], rules(), AS_OF) != before


def test_lock_is_refused_while_another_holds_it_and_given_after(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    refused = pytest.raises(WorkspaceLocked, match="Another run is writing")
    with lock_workspace(workspace), refused, lock_workspace(workspace):
        pass
    with lock_workspace(workspace):
        pass


def test_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ValueError, match="in the middle"), lock_workspace(workspace):
        raise ValueError("in the middle")
    with lock_workspace(workspace):
        pass
