"""Rules for the files: what is tracked and what never is, a README for each room, commands in documents that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from pipeline.settings import CHECKOUT
from tests.house.checkout import list_commands, tracked_files, tracked_text

README_LINES = 60
ROOMS = (
    "pipeline",
    "pipeline/calendars",
    "pipeline/cli",
    "pipeline/declarations",
    "pipeline/delivery",
    "pipeline/doctor",
    "pipeline/demo",
    "pipeline/evidence",
    "pipeline/forecasting",
    "pipeline/ingest",
    "pipeline/ingest/files",
    "pipeline/ingest/forms",
    "pipeline/ingest/landing",
    "pipeline/periods",
    "pipeline/privacy",
    "pipeline/quality",
    "pipeline/reporting",
    "pipeline/rules",
    "pipeline/warehouse",
    "dashboards",
    "data",
    "data/reference/plans",
    "dbt_project",
    "dbt_project/models/staging",
    "dbt_project/models/intermediate",
    "dbt_project/models/core",
    "dbt_project/models/marts",
    "dbt_project/models/qc",
    "expectations",
    "tests",
)


def within(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("room", ROOMS)
def test_room_has_a_readme_of_one_screen(room: str) -> None:
    readme = CHECKOUT / room / "README.md"
    assert readme.is_file(), f"{room}/README.md is missing"
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= README_LINES


def test_every_folder_of_the_package_is_a_room() -> None:
    folders = {
        within(path.parent)
        for path in tracked_files()
        if path.suffix == ".py" and within(path).startswith("pipeline/")
    }
    # A folder of templates belongs to the room around it.
    assert folders - set(ROOMS) == set()


def test_nothing_generated_is_tracked() -> None:
    generated = re.compile(
        r"(^|/)(__pycache__|target|logs|\.venv|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.hypothesis|node_modules|dbt_packages)/"
        r"|^data/(inbox|warehouse|reports|demo)/|\.(pyc|duckdb|parquet|pdf|xlsx|log|wal|tmp|whl|egg-info)$|(^|/)\.user\.yml$|manifest\.json$"
    )
    assert [within(path) for path in tracked_files() if generated.search(within(path))] == []


def test_nothing_large_is_tracked() -> None:
    limit = 400_000
    assert [within(path) for path in tracked_files() if path.stat().st_size > limit] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Put together here, so that this test does not hold what it looks for.
    paths = [
        "/".join(("", "work", "")),
        "/".join(("", "root", "")),
        "/".join(("", "home", "")),
        "/".join(("", "opt", "pypi")),
    ]
    hosts = [
        ".".join(("pypi", "org")),
        ".".join(("files", "python" + "hosted", "org")),
        "arti" + "factory",
        "dev" + "pi",
        "simple" + "/",
    ]
    flags = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links"]
    found = [
        f"{within(path)}:{number}: {word}"
        for path, text in tracked_text().items()
        for number, line in enumerate(text.splitlines(), 1)
        for word in (*paths, *hosts, *flags)
        if word in line
    ]
    assert found == []


def test_locks_name_no_registry() -> None:
    words = ("http" + "://", "https" + "://", "file" + "://", "--index" + "-url", "--find" + "-links")
    for lock in CHECKOUT.glob("*.lock"):
        if lock in tracked_files():
            text = lock.read_text(encoding="utf-8")
            assert [word for word in words if word in text] == []
            assert "--hash=sha256:" in text


def test_text_files_end_with_one_line_feed_and_have_no_trailing_blanks() -> None:
    untidy = [
        within(path)
        for path, text in tracked_text().items()
        if text
        and (
            not text.endswith("\n")
            or text.endswith("\n\n")
            or "\r" in text
            or re.search(r"[ \t]+$", text, re.MULTILINE)
        )
    ]
    assert untidy == []


def test_no_note_to_self_is_left() -> None:
    words = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"))
    found = [within(path) for path, text in tracked_text().items() if re.search(rf"\b({words})\b", text)]
    assert found == []


@pytest.mark.parametrize("command", sorted(list_commands()))
def test_command_has_help_and_an_example_of_itself(command: str) -> None:
    text = list_commands()[command]
    first, *rest = [line.strip() for line in text.splitlines() if line.strip()]
    assert first.endswith((".", "?"))
    [example] = [line for line in rest if line.startswith("Example: ")]
    assert shlex.split(example)[1:3] == ["sla", command]
    assert_call_is_known(example.removeprefix("Example: "))


def assert_call_is_known(call: str) -> None:
    """Every word of `sla …` that is a command or an option exists."""
    group = typer.main.get_command(__import__("pipeline.cli", fromlist=["app"]).app)
    words = shlex.split(call, comments=True)[1:]
    known_options = {option for parameter in group.params for option in parameter.opts} | {"-h", "--help"}
    takes_value = {
        option
        for parameter in group.params
        if not getattr(parameter, "is_flag", False)
        for option in parameter.opts
    }
    names = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in takes_value
        else:
            names.append(word)
            break
    if not names:
        assert all(word.split("=")[0] in known_options for word in words if word.startswith("-")), call
        return
    commands = group.commands  # type: ignore[attr-defined]
    assert names[0] in commands, f"`{call}`: there is no command {names[0]!r}"
    known_options |= {
        option
        for parameter in commands[names[0]].params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known_options]
    assert unknown == [], f"`{call}`: {unknown} are not known"


def fenced_lines(text: str) -> list[str]:
    """Lines within ``` of a Markdown text."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif inside:
            lines.append(line.strip())
    return lines


# What else writes commands down; where one option is quoted without its command it does not begin with `sla `.
_CALL = re.compile(r"(?:^|[`$ ]|\.venv/bin/|\$\(BIN\)/)sla ((?:-{1,2}[a-z]|[a-z]).*)$")


def documents() -> dict[str, str]:
    return {within(path): text for path, text in tracked_text().items() if path.suffix == ".md"}


@pytest.mark.parametrize("document", sorted(documents()))
def test_commands_of_a_document_exist(document: str) -> None:
    text = documents()[document]
    calls = [
        match[1]
        for line in fenced_lines(text)
        if (match := re.match(r"(?:\$ )?(?:\.venv/bin/)?sla (.+)$", line))
    ]
    calls += re.findall(r"`sla ([a-z-][^`]*)`", text.replace("\n", " "))
    for call in calls:
        # Placeholders stand for what the reader puts in; ellipses and brackets for what may follow.
        plain = re.sub(r"\[[^\]]*\]|…|\.\.\.", "", call)
        if not re.fullmatch(r"[A-Z]+", plain):
            assert_call_is_known(f"sla {plain}")


@pytest.mark.parametrize("document", sorted(documents()))
def test_make_targets_of_a_document_exist(document: str) -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    text = documents()[document]
    named = {match[1] for line in fenced_lines(text) if (match := re.match(r"(?:\$ )?make ([a-z-]+)", line))}
    named |= set(re.findall(r"`make ([a-z-]+)", text))
    assert named - targets == set()


@pytest.mark.parametrize("document", sorted(documents()))
def test_links_of_a_document_lead_somewhere(document: str) -> None:
    folder = (CHECKOUT / document).parent
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", documents()[document])
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


def test_readme_names_only_rooms_that_exist() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([a-z_/]+/)` \|", text, re.MULTILINE)
    assert rooms
    assert [room for room in rooms if not (CHECKOUT / room).is_dir()] == []


def test_every_plan_value_has_its_clause() -> None:
    for path in sorted((CHECKOUT / "data" / "reference" / "plans").rglob("*.yml")):
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
        clauses = set(plan["clauses"])
        for version in plan["versions"]:
            promises = [
                promise for obligation in version["obligations"] for promise in obligation["promises"]
            ]
            for value in [*promises, *version.get("entitlements", [])]:
                assert value["clause"] in clauses, f"{path.name}: {value}"
