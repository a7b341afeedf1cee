"""What the channels need of the secrets, or what to do where it is missing."""

from __future__ import annotations

from pipeline.errors import ConfigurationError
from pipeline.secrets_file import SMTP_PASSWORD, SMTP_USER, WEBHOOK_SECRET, Secret

_SHORTEST_WEBHOOK_SECRET = 16


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
