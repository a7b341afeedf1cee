"""Starts the dashboard's server on this machine only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.settings import Workspace

HERE = Path(__file__).resolve().parent


def start(workspace: Workspace, port: int) -> subprocess.Popen[bytes]:
    """A running server for `workspace` on 127.0.0.1; the caller ends it."""
    # Flags win over any configuration file or variable, so these hold on every machine.
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HERE / "app.py"),
        "--server.address=127.0.0.1",  # there is no login; every user of the port sees every customer
        f"--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
    ]
    environment = {**os.environ, "SLA_WORKSPACE": str(workspace.root)}
    return subprocess.Popen(command, cwd=HERE, env=environment)


def serve(workspace: Workspace, port: int = 8501) -> int:
    """Serves until interrupted; returns the server's exit code."""
    server = start(workspace, port)
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        raise
