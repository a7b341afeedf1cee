"""Secrets of the channels: from the environment, else from a file that its owner alone can read. They are never printed."""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.rules.delivery_file import Delivery
from pipeline.settings import Workspace, read_secret

SMTP_USER, SMTP_PASSWORD, WEBHOOK_SECRET = "SLA_SMTP_USER", "SLA_SMTP_PASSWORD", "SLA_WEBHOOK_SECRET"
NAMES = (SMTP_USER, SMTP_PASSWORD, WEBHOOK_SECRET)
_SHORTEST_WEBHOOK_SECRET = 16


class Secret:
    """A text that shows itself only where it is asked for by name."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def read_secrets(workspace: Workspace, delivery: Delivery) -> dict[str, Secret]:
    """Name -> secret, for those that are set. Raises ConfigurationError for a file that others can read, or of another form."""
    found = (
        {}
        if delivery.secrets_file is None
        else _read_file(workspace.root / Path(delivery.secrets_file).expanduser())
    )
    for name in NAMES:
        text = read_secret(name)
        if text is not None:
            found[name] = text
    return {name: Secret(text) for name, text in found.items()}


def require_login(secrets: dict[str, Secret]) -> tuple[Secret, Secret] | None:
    """User and password of the mail server; None where neither is set. Raises ConfigurationError for one without the other."""
    user, password = secrets.get(SMTP_USER), secrets.get(SMTP_PASSWORD)
    if (user is None) != (password is None):
        missing = SMTP_PASSWORD if password is None else SMTP_USER
        raise ConfigurationError(
            f"{missing} is not set, and the mail server needs both. Set it in the environment or in secrets_file."
        )
    return None if user is None or password is None else (user, password)


def require_webhook_secret(secrets: dict[str, Secret]) -> Secret:
    """What alerts are signed with. Raises ConfigurationError where it is not set or too short to be one."""
    secret = secrets.get(WEBHOOK_SECRET)
    if secret is None or len(secret.reveal()) < _SHORTEST_WEBHOOK_SECRET:
        wrong = "is not set" if secret is None else f"has fewer than {_SHORTEST_WEBHOOK_SECRET} characters"
        raise ConfigurationError(
            f"{WEBHOOK_SECRET} {wrong}, and alerts are only sent signed. Set it in the environment or in secrets_file, and give "
            "the receiver the same."
        )
    return secret


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
