"""The published build made by hand, for the readers and for what prints their figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.reporting.published import Published, open_published
from tests.unit.reporting.published_build import publish


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    root: Path = tmp_path_factory.mktemp("workspace")
    with open_published(publish(root)) as opened:
        yield opened
