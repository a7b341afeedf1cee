"""Secrets of channels and login: from the environment, else from a file that its owner alone can read. They are never printed."""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.settings import Workspace, read_secret

SMTP_USER, SMTP_PASSWORD, WEBHOOK_SECRET = "SLA_SMTP_USER", "SLA_SMTP_PASSWORD", "SLA_WEBHOOK_SECRET"
OIDC_SECRET, COOKIE_SECRET = "SLA_OIDC_CLIENT_SECRET", "SLA_COOKIE_SECRET"
NAMES = (SMTP_USER, SMTP_PASSWORD, WEBHOOK_SECRET, OIDC_SECRET, COOKIE_SECRET)


class Secret:
    """A text that shows itself only where it is asked for by name."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def read_secrets(workspace: Workspace, secrets_file: str | None) -> dict[str, Secret]:
    """Name -> secret, for those that are set; the file counts from the workspace. Raises ConfigurationError for one that others
    can read, or of another form."""
    found = {} if secrets_file is None else _read_file(workspace.root / Path(secrets_file).expanduser())
    for name in NAMES:
        text = read_secret(name)
        if text is not None:
            found[name] = text
    return {name: Secret(text) for name, text in found.items()}


def _read_file(path: Path) -> dict[str, str]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"secrets_file: {path} cannot be read as text: {getattr(problem, 'strerror', None) or 'it is not UTF-8'}."
        ) from problem
    if mode & 0o077:
        raise ConfigurationError(
            f"secrets_file: {path} has mode {mode:04o}, so other users may read it. Run: chmod 600 {path}"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        # The line itself may be a secret, so it is not shown.
        if not equals or name.strip() not in NAMES or not value.strip():
            raise ConfigurationError(
                f"secrets_file: {path}, line {number}, is not NAME=VALUE with one of the names {', '.join(NAMES)}."
            )
        found[name.strip()] = value.strip()
    return found
