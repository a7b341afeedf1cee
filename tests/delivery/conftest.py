"""Shared by the tests of delivery: the mail server, a published build with two customers, and messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.reporting.published import Published, open_published
from tests.delivery.mail_server import MailServer, start_mail_server

# The demo after a second run that found what corrects May 2026: one build for its tests and these.
from tests.end_to_end.test_closed_months import vendor as corrected_workspace  # noqa: F401
from tests.unit.reporting.published_build import publish


@pytest.fixture(scope="session")
def running_mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with start_mail_server(tmp_path_factory.mktemp("mail") / "server") as server:
        yield server


@pytest.fixture
def mail_server(running_mail_server: MailServer) -> MailServer:
    """The server, without a message."""
    running_mail_server.clear()
    return running_mail_server


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The build made by hand: customers acme and other, June and July 2026."""
    root: Path = tmp_path_factory.mktemp("workspace")
    with open_published(publish(root)) as opened:
        yield opened
