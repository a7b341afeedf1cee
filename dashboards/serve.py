"""Starts the dashboard's server on this machine only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.settings import Workspace

HERE = Path(__file__).resolve().parent
_SECONDS_TO_END = 10


def start(workspace: Workspace, port: int) -> subprocess.Popen[bytes]:
    """A running server for `workspace` on 127.0.0.1; the caller ends it."""
    # Flags win over any configuration file, so these hold on every machine.
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HERE / "app.py"),
        "--server.address=127.0.0.1",  # there is no login; every user of the port sees every customer
        f"--server.port={port}",
        "--server.headless=true",
        # Another web page that is open in the same browser may not ask this server, under any name for this machine.
        "--server.allowedHosts=127.0.0.1",
        "--server.allowedHosts=localhost",
        "--server.enableCORS=true",
        f"--server.corsAllowedOrigins=http://127.0.0.1:{port}",
        "--server.enableXsrfProtection=true",
        "--server.enableAgentApi=false",
        "--server.enableStaticServing=false",
        "--browser.gatherUsageStats=false",
        # A traceback would show paths and values of this machine.
        "--client.showErrorDetails=none",
    ]
    return subprocess.Popen(command, cwd=HERE, env=_environment(workspace))


def _environment(workspace: Workspace) -> dict[str, str]:
    """This process's environment without Streamlit's variables: each option has one, and some open the server."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("STREAMLIT_")}
    return kept | {"SLA_WORKSPACE": str(workspace.root)}


def serve(workspace: Workspace, port: int = 8501) -> int:
    """Serves until interrupted or terminated; returns the server's exit code, or 128 and the signal's number.

    The server ends with this process. For the main thread.
    """
    # Both end a process without any of its code; as exceptions they pass the lines below.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    server = None
    try:
        server = start(workspace, port)
        return server.wait()
    except _Stopped as stopped:
        return 128 + stopped.number
    finally:
        if server is not None:
            _end(server)


class _Stopped(Exception):
    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def _stop(number: int, frame: object) -> None:
    raise _Stopped(number)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
