"""Who looks at the pages and what they may see. Without `auth` in sla.yml: the user of this machine, who sees everything."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from pipeline.errors import SlaError
from pipeline.reporting.published import EVERY_CUSTOMER, Scope
from pipeline.rules.access_file import Role, find_grant, load_access
from pipeline.rules.auth_file import Auth
from pipeline.rules.load_sources import load_sources
from pipeline.settings import Workspace, find_workspace

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Viewer:
    """`scope` says whose rows the person may see, `role` which pages. `name` is None where no login is asked for."""

    role: Role
    scope: Scope
    name: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether this is the user of the machine, who may also read what an error says of its files."""
        return self.name is None


LOCAL = Viewer("manager", EVERY_CUSTOMER)


def find_viewer() -> Viewer:
    """As `require_viewer`, for the workspace of this server."""
    try:
        workspace = find_workspace(None)
    except SlaError as problem:
        _LOG.error("%s", problem)
        st.error("The figures cannot be shown: there is no workspace. The reason is in the server's log.")
        _end_here()
    return require_viewer(workspace)


def require_viewer(workspace: Workspace) -> Viewer:
    """The person who looks. Where that is not known, or they may see nothing, the page says so and ends here."""
    try:
        auth = _read_auth(workspace)
        is_login_offered = _has_login()
        if auth is None and not is_login_offered:
            return LOCAL
        access = load_access(workspace)
    except SlaError as problem:
        # Who may see the reason is what could not be read.
        _LOG.error("Who may see the dashboard is not known: %s", problem)
        st.error(
            "Who may see these pages cannot be read, so they are not shown. The reason is in the server's log."
        )
        _end_here()
    if auth is None or not is_login_offered:
        st.error("The login has changed since this server was started. Start it again with `sla dashboard`.")
        _end_here()
    claims = read_claims()
    if not claims.get("is_logged_in"):
        _ask_to_log_in()
    grant = find_grant(access, claims, auth.groups_claim)
    name = str(claims.get("email") or claims.get("name") or claims.get("sub") or "unnamed")
    if grant is None:
        st.error("Not allowed: this account may see no customer. Ask the people who run this dashboard.")
        st.text(f"Logged in as {name}.")
        _offer_logout()
        _end_here()
    return Viewer(grant.role, Scope(grant.customer_ids), name)


def show_identity(viewer: Viewer) -> None:
    """Who is logged in, and the way out; nothing where no login is asked for."""
    if viewer.is_local:
        return
    with st.sidebar:
        st.text(f"Logged in as {viewer.name} ({viewer.role}).")
        _offer_logout()


def read_claims() -> dict[str, Any]:
    """What the provider said of the person, and whether one is logged in."""
    return {str(key): value for key, value in st.user.to_dict().items()}


def _ask_to_log_in() -> NoReturn:
    st.title("SLA compliance", anchor=False)
    st.info("Log in to see the figures.")
    st.button("Log in", on_click=st.login, type="primary")
    _end_here()


def _end_here() -> NoReturn:
    st.stop()
    raise AssertionError("a page goes on after its end")


def _offer_logout() -> None:
    st.button("Log out", on_click=st.logout, key="log_out")


def _has_login() -> bool:
    """Whether the server was started with a login: then nothing is shown without one, whatever sla.yml says by now."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def _read_auth(workspace: Workspace) -> Auth | None:
    path = workspace.sla_yml
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return _load_auth(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load_auth(path: Path, mtime_ns: int, size: int) -> Auth | None:
    return load_sources(path).auth
