"""The installation: Python, packages against the lock, time zones, fonts, Java where Spark is installed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from pipeline.doctor.line import Check, Line, name_some
from pipeline.settings import CHECKOUT, read_clock
from pipeline.zones import find_zone, known_zones, tzdata_version

_OLDEST_PYTHON = (3, 11)
_OLDEST_JAVA = 17
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)
_AGAIN = "Run `make install` in the checkout."


def list_checks() -> list[tuple[str, Check]]:
    return [
        ("Python", _examine_python),
        ("packages", _examine_packages),
        ("engines", _examine_engines),
        ("time zones", _examine_zones),
        ("fonts", _examine_fonts),
        ("Java", _examine_java),
    ]


def _examine_python() -> Iterator[Line]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        yield Line("Python", "wrong", found, "Install Python 3.11 or newer, then `make install`.")
    else:
        yield Line("Python", "ok", found)


def _examine_packages() -> Iterator[Line]:
    needed = {
        _normalize(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])
        for requirement in requires("sla-entitlements") or ()
        if "extra ==" not in requirement
    }
    missing = sorted(name for name in needed if _find_version(name) is None)
    if missing:
        yield Line("packages", "wrong", f"not installed: {', '.join(missing)}", _AGAIN)
    lock = CHECKOUT / "requirements.lock"
    if not lock.is_file():
        yield Line(
            "packages",
            "warning",
            f"{lock} is not there, so the versions cannot be compared",
            "Install from a checkout and keep it.",
        )
        return
    locked = read_lock(lock)
    differing = [
        f"{name} {found} instead of {wanted}"
        for name, wanted in sorted(locked.items())
        if (found := _find_version(name)) is not None and found != wanted
    ]
    if differing:
        yield Line(
            "packages",
            "warning",
            f"other versions than those that were tested: {name_some(differing)}",
            _AGAIN,
        )
    elif not missing:
        yield Line("packages", "ok", f"{len(needed)} needed, each of the version in {lock.name}")


def read_lock(lock: Path) -> dict[str, str]:
    """Package -> version. A package with several versions for several machines is left out."""
    pairs = [(_normalize(name), wanted) for name, wanted in _LOCKED.findall(lock.read_text(encoding="utf-8"))]
    names = [name for name, _ in pairs]
    return {name: wanted for name, wanted in pairs if names.count(name) == 1}


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _examine_engines() -> Iterator[Line]:
    import duckdb
    import typst

    [(answer,)] = duckdb.connect().execute("select 6 * 7").fetchall()
    drawn = typst.compile(b"= Report", format="pdf")
    is_right = answer == 42 and drawn.startswith(b"%PDF")
    found = f"DuckDB {duckdb.__version__} computes, Typst {version('typst')} draws"
    yield Line("engines", "ok", found) if is_right else Line("engines", "wrong", "a wrong answer", _AGAIN)


def _examine_zones() -> Iterator[Line]:
    find_zone("Europe/Berlin")
    found = f"tzdata {tzdata_version()}, {len(known_zones())} zones; holidays {version('holidays')}"
    released = int(tzdata_version().partition(".")[0])
    if released < read_clock().year:
        yield Line(
            "time zones",
            "warning",
            f"{found}; the zones are of {released}",
            "Update the checkout: countries change their clocks with a few months' notice.",
        )
    else:
        yield Line("time zones", "ok", found)


def _examine_fonts() -> Iterator[Line]:
    from pipeline.reporting.glyphs import FACES, show

    text = "Straße 95 % – Œuvre"
    families = ", ".join(face.families[0] for face in FACES if face.path is not None)
    missing = ", ".join(face.families[0] for face in FACES if face.path is None)
    if show(text) != text:
        yield Line("fonts", "wrong", "the font of reports lacks plain letters, or is not installed", _AGAIN)
    elif missing:
        yield Line(
            "fonts",
            "ok",
            f"{families}; not installed: {missing}. Letters of those scripts are printed as code points, such as [U+65E5]; "
            "the extra `fonts` has them",
        )
    else:
        yield Line("fonts", "ok", families)


def _examine_java() -> Iterator[Line]:
    if importlib.util.find_spec("pyspark") is None:
        yield Line("Java", "ok", "not needed: Spark is not installed")
        return
    java = shutil.which("java")
    advice = "Install Java 17 from the operating system; only the Spark tests need it."
    if java is None:
        yield Line("Java", "warning", "Spark is installed, and there is no Java on the path", advice)
        return
    told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    match = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if match is None or int(match[1]) < _OLDEST_JAVA:
        yield Line("Java", "warning", f"{java} is older than Java 17", advice)
    else:
        yield Line("Java", "ok", f"{java}, version {match[1]}")
