"""The examples of data/deploy: systemd accepts them, and what cron would run runs as it is written."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.settings import CHECKOUT
from pipeline.zones import known_zones
from tests.delivery.settings import configure
from tests.end_to_end.command_line import SLA, environment

EXAMPLES = CHECKOUT / "data" / "deploy"
NEED_A_PERSON = ("1", "2", "3", "4", "5", "7", "8")


def read_unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLES / name, encoding="utf-8")
    return unit


def read_crontab() -> tuple[dict[str, str], str]:
    """Variables, as cron reads them, and the line that is run: five fields of time, then the command."""
    lines = [
        line
        for line in (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    variables = dict(line.split("=", 1) for line in lines[:-1])
    return variables, lines[-1]


def test_both_examples_name_a_zone_and_the_timer_catches_up() -> None:
    variables, _ = read_crontab()
    assert variables["CRON_TZ"] in known_zones()
    timer = read_unit("sla-run.timer")["Timer"]
    assert timer["OnCalendar"].rpartition(" ")[2] in known_zones()
    assert timer["Persistent"] == "true"


@pytest.mark.parametrize("name", ["crontab", "sla-run.service"])
def test_example_says_which_exit_codes_need_a_person(name: str) -> None:
    text = " ".join((EXAMPLES / name).read_text(encoding="utf-8").replace("#", " ").split())
    told = text.partition("Exit codes that need a person: ")[2].partition(". ")[0]
    assert tuple(re.findall(r"\b(\d) ", told)) == NEED_A_PERSON
    assert read_unit("sla-run.service")["Service"]["SuccessExitStatus"] == "6"


def test_what_cron_runs_runs_as_it_is_written(demo_workspace: Path, tmp_path: Path) -> None:
    root = shutil.copytree(demo_workspace, tmp_path / "support reporting")
    configure(root, None, "  allowed_nothing: true")
    checkout = tmp_path / "sla checkout"
    (checkout / "bin").mkdir(parents=True)
    (checkout / "bin" / "sla").symlink_to(SLA)
    variables, line = read_crontab()
    times = line.split(maxsplit=5)
    assert len(times) == 6 and "%" not in line
    # The paths of this machine in place of the example's, and nothing else.
    variables |= {"SLA_WORKSPACE": str(root), "SLA": str(checkout / "bin" / "sla")}
    done = subprocess.run(
        [variables["SHELL"], "-c", times[5]],
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    # It found this workspace: the key that does not exist stands in its sla.yml.
    assert done.returncode == 2, done.stderr
    assert f"{root / 'sla.yml'} cannot be used" in done.stderr
    assert "allowed_nothing: this key is not known here" in done.stderr


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # Without systemd, at least their form.
        assert read_unit("sla-run.service")["Service"]["Type"] == "oneshot"
        return
    for path in EXAMPLES.glob("sla-run.*"):
        text = path.read_text(encoding="utf-8")
        # What the machine lacks: the checkout and the user.
        checkout = tmp_path / "sla checkout"
        (checkout / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        (checkout / ".venv" / "bin" / "sla").touch(mode=0o755)
        text = text.replace("/srv/sla checkout", str(checkout)).replace("User=sla\n", f"User={os.getuid()}\n")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    for name in ("sla-run.timer", "sla-run.service"):
        verified = subprocess.run(
            [analyze, "verify", "--man=no", str(tmp_path / name)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert [line for line in verified.stderr.splitlines() if str(tmp_path) in line] == []
    calendar = read_unit("sla-run.timer")["Timer"]["OnCalendar"]
    subprocess.run([analyze, "calendar", calendar], check=True, capture_output=True, timeout=60)


def read_containerfile() -> list[str]:
    """Its instructions, each on one line."""
    text = (EXAMPLES / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_container_copies_what_the_package_is_made_of_and_installs_the_hashed_lock() -> None:
    copied = {
        source for line in read_containerfile() if line.startswith("COPY ") for source in line.split()[1:-1]
    }
    assert [source for source in copied if not (CHECKOUT / source).exists()] == []
    # Everything that a run imports or reads beside its workspace.
    assert {
        "pipeline",
        "dbt_project",
        "dashboards",
        "expectations",
        "data/reference",
        "requirements.lock",
    } <= copied
    assert any("--require-hashes -r requirements.lock" in line for line in read_containerfile())


def test_container_runs_the_command_as_a_user_without_rights_and_names_no_secret() -> None:
    lines = read_containerfile()
    assert lines.index("USER sla") < lines.index('ENTRYPOINT ["/opt/sla/.venv/bin/sla"]')
    assert not re.search(r"SLA_(SMTP|WEBHOOK|OIDC|COOKIE)", "\n".join(lines))


def test_unit_keeps_what_it_writes_to_its_user() -> None:
    assert read_unit("sla-run.service")["Service"]["UMask"] == "0077"
