"""`sla doctor`: each thing that can be wrong is its own line, with what to do, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.doctor import examine_delivery, examine_installation, examine_workspace
from pipeline.doctor.line import Line, examine
from pipeline.errors import ConfigurationError
from pipeline.settings import CHECKOUT, Workspace
from tests.delivery.mail_server import MailServer
from tests.delivery.settings import configure, set_recipients
from tests.delivery.test_send import LEMERET
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import read_pointer


@pytest.fixture
def vendor(demo_workspace: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_workspace, tmp_path / "vendor")


def run_checks(root: Path, *names: str, tries_smtp: bool = False) -> list[Line]:
    """The lines of these checks of a workspace."""
    workspace = Workspace(root)
    checks = [
        *examine_workspace.list_checks(workspace),
        *examine_delivery.list_checks(workspace, tries_smtp),
    ]
    known = dict(checks)
    return [line for name in names for line in examine(name, known[name])]


def test_healthy_installation_and_workspace_are_ok_line_by_line(demo_workspace: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in demo_workspace.rglob("*"))
    done = run_sla("doctor", "--json", workspace=demo_workspace).expect(0)
    lines = json.loads(done.out)
    assert [line["check"] for line in lines if line["state"] == "wrong"] == []
    expected = [
        "Python",
        "packages",
        "engines",
        "time zones",
        "fonts",
        "Java",
        "settings",
        "permissions",
        "disk",
        "lock",
    ]
    expected += ["leftovers", "published build", "closed months"]
    expected += ["landed batches", "delivery", "deliveries"]
    assert list(dict.fromkeys(line["check"] for line in lines)) == expected
    after = sorted((path, path.stat().st_mtime_ns) for path in demo_workspace.rglob("*"))
    assert [path for path, _ in after] == [path for path, _ in before]


def test_missing_workspace_is_a_line_and_the_installation_is_still_examined(tmp_path: Path) -> None:
    done = run_sla("doctor", "--json", "--workspace", str(tmp_path / "none")).expect(
        2, "checks found something wrong"
    )
    lines = {line["check"]: line for line in json.loads(done.out)}
    assert lines["workspace"]["state"] == "wrong"
    assert lines["engines"]["state"] == "ok"


def _change_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_damaged_pointer_build_and_batch_are_named(vendor: Path) -> None:
    assert [line.state for line in run_checks(vendor, "published build", "landed batches")] == ["ok", "ok"]
    served = read_pointer(vendor)
    published = vendor / "warehouse" / "published"
    _change_a_bit(published / served["file"])
    [line] = run_checks(vendor, "published build")
    assert (line.state, line.advice) == ("wrong", "Run `sla build`.")
    # Months were closed with the build before a plan was tried on it.
    _change_a_bit(published / f"{served['build_id']}.duckdb")
    [line] = run_checks(vendor, "closed months")
    assert line.state == "wrong" and "on which closed months rest, is damaged" in line.found
    (vendor / "warehouse" / "published" / "current.json").write_text("{", encoding="utf-8")
    [line] = run_checks(vendor, "published build")
    assert line.state == "wrong" and "current.json is damaged" in line.found
    batch = next((vendor / "warehouse" / "landed").rglob("*.parquet"))
    batch.write_bytes(batch.read_bytes()[:-10])
    [line] = run_checks(vendor, "landed batches")
    assert line.state == "wrong" and batch.name in line.found


def test_held_lock_and_leftovers_of_a_killed_run_are_told(vendor: Path) -> None:
    (vendor / "warehouse" / "building").mkdir()
    (vendor / "reports" / ".a.pdf.17.tmp").touch()
    lock, building, temporary = run_checks(vendor, "lock", "leftovers")
    assert lock == Line("lock", "ok", "free; the file stays for the next run")
    assert (building.state, temporary.state) == ("warning", "warning")
    assert ".a.pdf.17.tmp" in temporary.found and temporary.advice.startswith("Nothing: the next run removes")
    with FileLock(vendor / "warehouse" / "lock"):
        held, leftovers = run_checks(vendor, "lock", "leftovers")
    assert (held.state, held.found) == ("warning", "a run holds the workspace now")
    assert leftovers.found == "not looked for: a run is writing"


def test_wrong_settings_are_told_with_file_and_line(vendor: Path) -> None:
    configure(vendor, None, "  chanel: smtp")
    for line in run_checks(vendor, "settings", "delivery"):
        assert line.state == "wrong"
        assert "delivery.chanel: this key is not known here. Did you mean 'channel'?" in line.found


def test_recipients_outside_of_the_allowed_domains_are_named(vendor: Path) -> None:
    configure(vendor)
    set_recipients(vendor, {LEMERET: "l@x.example;eve@other.example"})
    warned, told = run_checks(vendor, "delivery")
    assert warned.state == "warning" and f"eve@other.example ({LEMERET})" in warned.found
    assert told.found == "eml, since 2026-05, 1 customers with recipients"


def test_mail_server_is_tried_on_request_only_and_gets_no_message(
    vendor: Path, mail_server: MailServer
) -> None:
    configure(vendor, mail_server)
    [line] = run_checks(vendor, "mail server", tries_smtp=True)
    assert line.state == "ok" and line.found.endswith("is encrypted and answers")
    configure(vendor, mail_server, port=1)
    [line] = run_checks(vendor, "mail server", tries_smtp=True)
    assert line.state == "wrong" and "port 1, cannot be used" in line.found
    assert mail_server.received() == []
    assert "mail server" not in dict(examine_delivery.list_checks(Workspace(vendor), False))


def test_senders_of_single_customers_are_told_and_tried_at_the_mail_server(
    vendor: Path, mail_server: MailServer
) -> None:
    own = f"  customers: {{{LEMERET}: {{sender: s550@partner.example, sender_name: Partner}}}}"
    configure(vendor, mail_server, own)
    told = [line.found for line in run_checks(vendor, "delivery") if line.state == "ok"]
    assert told[0] == (
        f"senders of single customers: {LEMERET}: Partner <s550@partner.example>, "
        "answers to service-reports@vendor.example"
    )
    refused, ok = run_checks(vendor, "mail server", tries_smtp=True)
    assert refused.state == "wrong" and "s550@partner.example (550" in refused.found
    assert (ok.state, mail_server.received()) == ("ok", [])


def test_sender_of_a_customer_that_there_is_not_and_a_missing_secrets_file_are_wrong(vendor: Path) -> None:
    for lines, words in (
        ("  customers: {no-such: {footer: x}}", "delivery.customers.no-such"),
        ("  secrets_file: none", "secrets_file:"),
    ):
        configure(vendor, None, lines)
        [line] = run_checks(vendor, "delivery")
        assert line.state == "wrong" and words in line.found


def test_full_disk_is_wrong_and_a_nearly_full_one_a_warning(
    vendor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for megabytes in (100, 500, 5000):
        usage = shutil._ntuple_diskusage(10**12, 0, megabytes * 1024 * 1024)  # type: ignore[attr-defined]
        monkeypatch.setattr(shutil, "disk_usage", lambda path, usage=usage: usage)
        found += [line.state for line in run_checks(vendor, "disk")]
    assert found == ["wrong", "warning", "ok"]


def test_package_of_another_version_is_a_warning_with_both_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    (tmp_path / "requirements.lock").write_text(re_pin(lock, "duckdb", "1.0.0"), encoding="utf-8")
    monkeypatch.setattr(examine_installation, "CHECKOUT", tmp_path)
    [line] = examine("packages", dict(examine_installation.list_checks())["packages"])
    assert line.state == "warning" and "instead of 1.0.0" in line.found
    (tmp_path / "requirements.lock").write_text(lock, encoding="utf-8")
    [line] = examine("packages", dict(examine_installation.list_checks())["packages"])
    assert line.state == "ok"


def re_pin(lock: str, package: str, version: str) -> str:
    import re

    return re.sub(rf"^{package}==\S+", f"{package}=={version}", lock, flags=re.MULTILINE)


def test_check_that_fails_is_its_own_line() -> None:
    def refused():  # type: ignore[no-untyped-def]
        yield Line("one", "ok", "so far")
        raise ConfigurationError("there is no such thing")

    def broken():  # type: ignore[no-untyped-def]
        raise ZeroDivisionError("by zero")
        yield

    assert [line.state for line in examine("one", refused)] == ["ok", "wrong"]
    assert [line.found for line in examine("two", broken)] == ["ZeroDivisionError: by zero"]
