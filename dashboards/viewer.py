"""Who looks at the pages and what they may see. Without `auth` in sla.yml: the user of this machine, who sees everything."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from dashboards.language import say, section
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
        st.error(say("viewer.no_workspace"))
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
        st.error(say("viewer.access_not_read"))
        _end_here()
    if auth is None or not is_login_offered:
        st.error(say("viewer.login_changed"))
        _end_here()
    claims = read_claims()
    if not claims.get("is_logged_in"):
        _ask_to_log_in()
    grant = find_grant(access, claims, auth.groups_claim)
    name = str(claims.get("email") or claims.get("name") or claims.get("sub") or "–")
    if grant is None:
        st.error(say("viewer.no_role"))
        st.text(say("viewer.logged_in", name=name))
        _offer_logout()
        _end_here()
    return Viewer(grant.role, Scope(grant.customer_ids), name)


def show_identity(viewer: Viewer) -> None:
    """Who is logged in, and the way out; nothing where no login is asked for."""
    if viewer.is_local:
        return
    with st.sidebar:
        st.text(say("viewer.logged_in_as", name=viewer.name, role=section("roles")[viewer.role]))
        _offer_logout()


def read_claims() -> dict[str, Any]:
    """What the provider said of the person, and whether one is logged in."""
    return {str(key): value for key, value in st.user.to_dict().items()}


def _ask_to_log_in() -> NoReturn:
    st.title(say("frame.product"), anchor=False)
    st.info(say("viewer.log_in_first"))
    st.button(say("viewer.log_in"), on_click=st.login, type="primary")
    _end_here()


def _end_here() -> NoReturn:
    st.stop()
    raise AssertionError("a page goes on after its end")


def _offer_logout() -> None:
    st.button(say("viewer.log_out"), on_click=st.logout, key="log_out")


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
