"""Logged-in people for tests of the pages, and every text that a page shows or offers for download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import downloads, viewer
from dashboards.serve import HERE

AUTH = """
sources: {helpdesk: {type: canonical}}
auth:
  metadata_url: https://login.vendor.example/.well-known/openid-configuration
  client_id: sla
  redirect_uri: https://sla.vendor.example/oauth2callback
"""
ACCESS = """
access:
  - {role: manager, people: [rita@vendor.example]}
  - {role: account, people: [axel@vendor.example], customers: [acme]}
  - {role: customer, people: [it@acme.example], customers: [acme]}
"""
PEOPLE = {"manager": "rita@vendor.example", "account": "axel@vendor.example", "customer": "it@acme.example"}


def ask_for_login(root: Path, access: str = ACCESS) -> None:
    """Make the workspace one whose dashboard asks for a login."""
    (root / "sla.yml").write_text(AUTH, encoding="utf-8")
    (root / "reference").mkdir(exist_ok=True)
    (root / "reference" / "access.yml").write_text(access, encoding="utf-8")


def log_in(monkeypatch: pytest.MonkeyPatch, **claims: object) -> None:
    monkeypatch.setattr(viewer, "read_claims", lambda: {"is_logged_in": True, **claims})


def run_page(page: str, address: dict[str, str | list[str]] | None = None, is_alone: bool = False) -> AppTest:
    """The page after one run on a server with a login; `is_alone`: its file is run without the navigation before it."""
    app = AppTest.from_file(str(HERE / (f"views/{page}.py" if is_alone else "app.py")), default_timeout=60)
    app.secrets["auth"] = {"client_id": "sla"}
    if not is_alone:
        app.switch_page(f"views/{page}.py")
    for key, value in (address or {}).items():
        app.query_params[key] = value
    app.run()
    return app


def record_downloads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Columns and rows of every file that pages offer from now on."""
    offered: list[tuple[Any, ...]] = []
    offer = downloads.offer_files

    def recorded(label: str, columns: Any, read: Any, row_count: int, name: str, *rest: Any) -> None:
        offered.append((label, tuple(columns), tuple(map(tuple, read())), name))
        # The button says how many rows its file has.
        assert len(offered[-1][2]) == row_count
        offer(label, columns, read, row_count, name, *rest)

    monkeypatch.setattr(downloads, "offer_files", recorded)
    return offered


def list_texts(app: AppTest) -> Iterator[str]:
    """Everything that was sent to the browser: each element as it is transmitted, tables cell by cell."""
    for element in app.main:
        yield from _texts_of(element)
    for element in app.sidebar:
        yield from _texts_of(element)


def _texts_of(element: Any) -> Iterator[str]:
    proto = getattr(element, "proto", None)
    if proto is not None:
        yield str(proto)
    frame = getattr(element, "value", None)
    if hasattr(frame, "to_csv"):
        yield frame.to_csv()
    for child in getattr(element, "children", {}).values():
        yield from _texts_of(child)
