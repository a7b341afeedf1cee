"""The section `auth` of `sla.yml`: through which OpenID provider people log in to the dashboard. Without it, nothing asks."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.values import Text
from pipeline.rules.delivery_file import Line

CALLBACK = "/oauth2callback"


def _check_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = None
    is_plain = value.isascii() and value.isprintable() and not set(' "\\') & set(value)
    is_safe = parts is not None and (
        parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname))
    )
    if (
        parts is None
        or not is_plain
        or not is_safe
        or not parts.hostname
        or "@" in parts.netloc
        or parts.fragment
    ):
        raise refused(
            f"{value!r} is no https address.",
            "Write it like https://login.vendor.example/.well-known/openid-configuration; http is for this machine only.",
        )
    return value


def _is_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _check_callback(value: str) -> str:
    parts = urlsplit(_check_url(value))
    if parts.path != CALLBACK or parts.query:
        raise refused(
            f"{value!r} does not end with {CALLBACK}.",
            f"Write the address of the dashboard and {CALLBACK}, as the provider knows it.",
        )
    return value


Url = Annotated[Text, AfterValidator(_check_url)]
CallbackUrl = Annotated[Text, AfterValidator(_check_callback)]


class Auth(Declared):
    """Who logs in through what. Who may see what is in reference/access.yml."""

    metadata_url: Url
    """The provider's /.well-known/openid-configuration."""
    client_id: Line
    """As which the provider knows the dashboard."""
    redirect_uri: CallbackUrl
    """The dashboard's own address as browsers see it, and /oauth2callback."""
    groups_claim: Line = "groups"
    """The claim of the identity token that lists a person's groups."""
    secrets_file: Text | None = None
    """A file of mode 0600 with SLA_OIDC_CLIENT_SECRET=… and SLA_COOKIE_SECRET=…; the environment takes precedence."""

    @property
    def host(self) -> str:
        """The dashboard's host as browsers see it, without a port."""
        return urlsplit(self.redirect_uri).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the dashboard as browsers see it."""
        return self.redirect_uri.removesuffix(CALLBACK)
