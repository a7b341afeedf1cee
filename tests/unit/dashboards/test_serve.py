"""The server of the pages: what the environment cannot change, and that it never outlives its command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards import serve as serving
from pipeline.settings import CHECKOUT, Workspace

# The command as it runs, with a server that only sleeps.
SERVE = """
import subprocess, sys
from pathlib import Path
from dashboards import serve as serving
from pipeline.settings import Workspace

class Server(subprocess.Popen):
    def wait(self, timeout=None):
        print(self.pid, flush=True)
        return super().wait(timeout)

serving.start = lambda workspace, port, folder: Server([sys.executable, "-c", "import time; time.sleep(60)"])
sys.exit(serving.serve(Workspace(Path("nowhere"))))
"""


def test_no_variable_of_streamlit_reaches_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STREAMLIT_SERVER_ENABLE_CORS", "STREAMLIT_SERVER_ADDRESS", "streamlit_client_toolbar_mode"):
        monkeypatch.setenv(name, "false")
    started: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(serving.subprocess, "Popen", lambda command, **given: started.update(given))
    serving.start(Workspace(tmp_path), 8501, tmp_path)
    environment = started["env"]
    assert [name for name in environment if name.upper().startswith("STREAMLIT_")] == []
    assert environment["SLA_WORKSPACE"] == str(tmp_path)
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["terminate", "hang up"]
)
def test_server_ends_with_the_command_that_started_it(number: int, code: int) -> None:
    command = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert command.stdout is not None
    server = int(command.stdout.readline())
    command.send_signal(number)
    assert command.wait(timeout=60) == code
    command.stdout.close()
    assert not Path(f"/proc/{server}").exists()
