"""Shared by all tests: one small demo workspace per session, and what happens where an optional part is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.reporting.glyphs import FACES
from pipeline.settings import CHECKOUT
from tests.end_to_end.command_line import run_sla

# The main module of a pytest-xdist worker has no file. pyspark, which Great Expectations imports where it is installed, takes
# that for a doctest run of its own and ends the process.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = str(Path(__file__).with_name("__init__.py"))

# A page that a test reads in its own process may issue a document: as under `sla dashboard`, it is for this user alone.
os.umask(0o077)

# With this set, as in .ci/run, a missing part fails its tests: a skipped test would look like a passed one.
_PARTS_ARE_REQUIRED = os.environ.get("REQUIRE_OPTIONAL_PARTS") == "1"

# Real exports that must not be copied into the repository; they lie beside the checkout where there are any.
SHARED_DATA = CHECKOUT.parent / "shared" / "data"


def _missing_for_browser() -> str | None:
    if importlib.util.find_spec("playwright") is None:
        return "the extra `browser` is not installed: run `make extras`"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "there is no Chromium on the path: install it from the operating system"
    return None


def _missing_for_spark() -> str | None:
    if importlib.util.find_spec("pyspark") is None:
        return "the extra `spark` is not installed: run `make extras`"
    if not shutil.which("java"):
        return "there is no Java on the path: install Java 17 from the operating system"
    return None


def _missing_for_fonts() -> str | None:
    if not all(face.path for face in FACES):
        return "the extra `fonts` is not installed: run `make extras`"
    return None


_OPTIONAL_PARTS = {
    "browser": _missing_for_browser,
    "spark": _missing_for_spark,
    "fonts": _missing_for_fonts,
}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, find_missing in _OPTIONAL_PARTS.items():
        missing = find_missing() if item.get_closest_marker(marker) else None
        if missing and _PARTS_ARE_REQUIRED:
            pytest.fail(f"REQUIRE_OPTIONAL_PARTS=1, but {missing}.", pytrace=False)
        elif missing:
            pytest.skip(f"Needs a part that is not here: {missing}.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real exports beside the checkout; the one part that may be absent everywhere."""
    if not SHARED_DATA.is_dir():
        pytest.skip("Needs the real exports in ../shared/data, which are not part of the repository.")
    return SHARED_DATA


def build_once(factory: pytest.TempPathFactory, name: str, write: Callable[[Path], object]) -> Path:
    """The folder `vendor` that `write` makes, once for all workers of a run: the second waits for the first."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    shared.mkdir(exist_ok=True)
    root, whole = shared / "vendor", shared / "whole"
    with FileLock(shared / "lock"):
        if not whole.exists():
            write(root)
            whole.touch()
    return root


@pytest.fixture(scope="session")
def demo_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published demo of 300 tickets in 6 months with its reports. Read only: copy it before changing anything."""

    def write(root: Path) -> None:
        run_sla("demo", "--dir", str(root), "--tickets", "300", "--months", "6").expect(0)

    return build_once(tmp_path_factory, "demo", write)
