"""`sla run` killed at random instants while it closes, renders and sends: nothing is sent twice, nothing is half closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.killed_runs import prepare, try_kills
from tests.delivery.mail_server import MailServer


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.long)])
def test_run_killed_at_random_instants_sends_nothing_twice_and_closes_nothing_by_half(
    demo_workspace: Path,
    tmp_path: Path,
    mail_server: MailServer,
    capsys: pytest.CaptureFixture[str],
    kills: int,
) -> None:
    prepare(demo_workspace, tmp_path / "prepared", mail_server)
    outcomes = try_kills(tmp_path / "prepared", tmp_path, mail_server, kills, seed=20260805)
    assert outcomes.most_of_one == 1
    assert sum(outcomes.stages.values()) == kills
    with capsys.disabled():
        print("", *outcomes.describe(), sep="\n")
