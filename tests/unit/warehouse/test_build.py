"""Who may write to a workspace: without running a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import WorkspaceLocked
from pipeline.settings import Workspace
from pipeline.warehouse.build import lock_workspace


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
