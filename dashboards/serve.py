"""Starts the dashboard's server on this machine only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import ConfigurationError
from pipeline.rules.auth_file import Auth
from pipeline.rules.load_sources import load_sources
from pipeline.secrets_file import COOKIE_SECRET, OIDC_SECRET, read_secrets
from pipeline.secrets_file import NAMES as SECRET_NAMES
from pipeline.settings import Workspace

HERE = Path(__file__).resolve().parent
_SECONDS_TO_END = 10
_SHORTEST_COOKIE_SECRET = 32


def start(workspace: Workspace, port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A running server for `workspace` on 127.0.0.1; the caller ends it. What it knows of the login is written into `folder`,
    which only this user may read and which must stay as long as the server.

    Raises ConfigurationError where sla.yml asks for a login and a secret of it is missing, or where sla.yml cannot be read.
    """
    auth = load_sources(workspace.sla_yml).auth if workspace.sla_yml.is_file() else None
    secrets = folder / "secrets.toml"
    secrets.touch(mode=0o600)
    secrets.write_text("" if auth is None else _describe_login(workspace, auth), encoding="utf-8")
    hosts = ("127.0.0.1", "localhost") if auth is None else ("127.0.0.1", "localhost", auth.host)
    origin = f"http://127.0.0.1:{port}" if auth is None else auth.origin
    # Flags win over any configuration file, so these hold on every machine.
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HERE / "app.py"),
        # Without a login, every user of the port sees every customer; with one, a proxy stands before it.
        "--server.address=127.0.0.1",
        f"--server.port={port}",
        "--server.headless=true",
        # Another web page that is open in the same browser may not ask this server, under any name for this machine.
        *(f"--server.allowedHosts={host}" for host in dict.fromkeys(hosts)),
        "--server.enableCORS=true",
        f"--server.corsAllowedOrigins={origin}",
        # No file of the user or of the folder adds a login of its own.
        f"--secrets.files={secrets}",
        "--server.enableXsrfProtection=true",
        "--server.enableAgentApi=false",
        "--server.enableStaticServing=false",
        "--browser.gatherUsageStats=false",
        # A traceback would show paths and values of this machine.
        "--client.showErrorDetails=none",
    ]
    return subprocess.Popen(command, cwd=HERE, env=_environment(workspace))


def _describe_login(workspace: Workspace, auth: Auth) -> str:
    """Streamlit's secrets for `st.login`, as TOML."""
    secrets = read_secrets(workspace, auth.secrets_file)
    client_secret, cookie_secret = secrets.get(OIDC_SECRET), secrets.get(COOKIE_SECRET)
    if (
        client_secret is None
        or cookie_secret is None
        or len(cookie_secret.reveal()) < _SHORTEST_COOKIE_SECRET
    ):
        raise ConfigurationError(
            f"sla.yml asks for a login (auth), and {OIDC_SECRET} or {COOKIE_SECRET} is not set, or the latter is shorter than "
            f"{_SHORTEST_COOKIE_SECRET} characters. Set both in the environment or in auth.secrets_file; `openssl rand -hex 32` "
            "makes a cookie secret."
        )
    told = {
        "redirect_uri": auth.redirect_uri,
        "cookie_secret": cookie_secret.reveal(),
        "client_id": auth.client_id,
        "client_secret": client_secret.reveal(),
        "server_metadata_url": auth.metadata_url,
    }
    # A text in JSON is one in TOML, as long as no character is written as a pair of surrogates.
    return "[auth]\n" + "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items()
    )


def _environment(workspace: Workspace) -> dict[str, str]:
    """This process's environment without Streamlit's variables, of which each option has one and some open the server, and
    without our secrets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("STREAMLIT_") and name not in SECRET_NAMES
    }
    return kept | {"SLA_WORKSPACE": str(workspace.root)}


def serve(workspace: Workspace, port: int = 8501) -> int:
    """Serves until interrupted or terminated; returns the server's exit code, or 128 and the signal's number.

    The server ends with this process. For the main thread.
    """
    # Both end a process without any of its code; as exceptions they pass the lines below.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    server = None
    with TemporaryDirectory(prefix="sla-dashboard-") as folder:
        try:
            server = start(workspace, port, Path(folder))
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
