"""What goes wrong in practice, through the real command line: the exact words, the exit code, and no figure that is not true.

Exit codes: 2 configuration, 3 input rejected, 4 checks failed, 5 partly done, 6 locked (pipeline/errors.py).
`run_sla` refuses a traceback in every one of them.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query, read_pointer
from tests.end_to_end.small_vendor import (
    CUSTOMERS_HEADER,
    EVENTS,
    EVENTS_HEADER,
    TERMS_HEADER,
    TICKETS,
    TICKETS_HEADER,
    drop_tickets,
    init_vendor,
    write_lines,
)
from tests.house.checkout import list_commands


@pytest.fixture(scope="module")
def clean_vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_vendor(tmp_path_factory.mktemp("vendors") / "clean")


@pytest.fixture
def vendor(clean_vendor: Path, tmp_path: Path) -> Path:
    """A vendor of this test's own, nothing in its inbox."""
    return shutil.copytree(clean_vendor, tmp_path / "vendor")


@pytest.fixture
def published(suspicious_vendor: Path, tmp_path: Path) -> Path:
    """A published vendor that this test may break."""
    return shutil.copytree(suspicious_vendor, tmp_path / "vendor")


@pytest.fixture
def demo(demo_workspace: Path, tmp_path: Path) -> Path:
    """A copy of the demo: a test that locks it would stop one that another worker runs on it."""
    return shutil.copytree(demo_workspace, tmp_path / "vendor")


def drop(root: Path, name: str, content: str | bytes) -> None:
    path = root / "inbox" / "desk" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def landed_files(root: Path) -> list[Path]:
    return sorted((root / "warehouse" / "landed").rglob("*.parquet"))


REJECTED_FILES: dict[str, tuple[str, str | bytes, str]] = {
    "wrong_header": (
        "tickets.csv",
        "ticket,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n",
        "inbox/desk/tickets.csv:1: the header of tickets lacks 'ticket_id'. Unknown here: 'ticket'.",
    ),
    "html_page": (
        "tickets.csv",
        "<!doctype html><html><body>Sign in</body></html>",
        "inbox/desk/tickets.csv: the file is an HTML page, not an export. A login or error page was probably saved",
    ),
    "empty_file": (
        "tickets.csv",
        "",
        "inbox/desk/tickets.csv: the file is empty. Even an export without tickets has a header; export it again.",
    ),
    "spreadsheet": ("tickets.csv", b"PK\x03\x04rest", "the ZIP is damaged or cut off."),
    "no_usable_record": (
        "tickets.ndjson",
        '{"ticket_id": "T-1", "customer_id": "ac',
        "inbox/desk/tickets.ndjson",
    ),
}


@pytest.mark.parametrize("case", REJECTED_FILES)
def test_rejected_file_is_named_with_its_reason_and_leaves_nothing(vendor: Path, case: str) -> None:
    name, content, words = REJECTED_FILES[case]
    drop(vendor, name, content)
    done = run_sla("ingest", workspace=vendor).expect(
        3, words, "1 of 1 files were rejected; nothing of them was kept."
    )
    rejected = 1 if case == "no_usable_record" else 0
    assert done.out == f"inbox/desk/{name}: rejected, {rejected} rows read = 0 landed + {rejected} rejected\n"
    assert landed_files(vendor) == []


def test_truncated_ndjson_loses_only_its_last_record_and_says_so(vendor: Path) -> None:
    whole = dict(zip(TICKETS_HEADER.split(","), TICKETS[0].split(","), strict=True))
    drop(vendor, "tickets.ndjson", json.dumps(whole) + '\n{"ticket_id": "T-2", "customer_id": "ac')
    done = run_sla("ingest", workspace=vendor).expect(
        0, "inbox/desk/tickets.ndjson:2: is truncated: the file ends inside this record"
    )
    assert done.out == "inbox/desk/tickets.ndjson: landed, 2 rows read = 1 landed + 1 rejected\n"


def test_good_file_beside_a_rejected_one_still_lands(vendor: Path) -> None:
    drop_tickets(vendor)
    drop(vendor, "events.csv", "<html></html>")
    done = run_sla("ingest", workspace=vendor).expect(3, "1 of 2 files were rejected")
    assert "inbox/desk/tickets.csv: landed, 2 rows read = 2 landed + 0 rejected" in done.out


def test_inbox_folder_of_an_unknown_source_is_named_with_the_nearest_name_and_the_rest_lands(
    vendor: Path,
) -> None:
    drop_tickets(vendor)
    write_lines(vendor / "inbox" / "dekk" / "tickets.csv", TICKETS_HEADER)
    done = run_sla("ingest", workspace=vendor).expect(
        3, "inbox/dekk: the folder names the source 'dekk'", "Did you mean 'desk'?"
    )
    assert "inbox/desk/tickets.csv: landed, 2 rows read = 2 landed + 0 rejected" in done.out


def test_unknown_plan_is_refused_with_line_and_nearest_name(vendor: Path) -> None:
    terms = write_lines(
        vendor / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standrd,2026-01-01,2027-01-01,paid,active",
    )
    drop_tickets(vendor)
    words = f"{terms}:2: plan: 'standrd' is not known here. Did you mean 'standard'? Known: enhanced, premium, standard."
    run_sla("run", workspace=vendor).expect(3, words)


def test_overlapping_terms_cover_no_ticket_of_their_customer_and_are_found(vendor: Path) -> None:
    write_lines(
        vendor / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standard,2026-01-01,2027-01-01,paid,active",
        "S-2,acme,premium,2026-06-01,2027-06-01,paid,active",
    )
    drop_tickets(vendor)
    run_sla("run", workspace=vendor).expect(0)
    rows = json.loads(run_sla("tickets", "--json", workspace=vendor).expect(0).out)
    assert {row["status_reason"] for row in rows} == {"contract_contradicts"}
    found = json.loads(run_sla("findings", "--json", workspace=vendor).expect(0).out)
    (contradiction,) = [one for one in found["rows"] if one["finding"] == "contract_contradicts"]
    assert contradiction["line_number"] == 3
    assert "overlaps that of line 2, 2026-01-01 to 2027-01-01 (standard)" in contradiction["evidence"]


def test_term_of_an_unknown_customer_is_refused(vendor: Path) -> None:
    write_lines(vendor / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme2,Acme,UTC,en,")
    drop_tickets(vendor)
    run_sla("run", workspace=vendor).expect(3, "subscriptions.csv:2:", "'acme'")


def test_unknown_key_of_sla_yml_is_refused_with_line_and_nearest_name(vendor: Path) -> None:
    write_lines(vendor / "sla.yml", "sources:", "  desk:", "    typ: canonical")
    run_sla("ingest", workspace=vendor).expect(2, "sla.yml:3", "typ", "Did you mean 'type'?")


def test_figures_are_not_shown_before_any_build(vendor: Path) -> None:
    done = run_sla("compliance", workspace=vendor)
    done.expect(
        2,
        f"sla: Nothing is published yet in {vendor}, so there are no figures to show. Run `sla build` to publish one.",
    )
    assert done.out == ""


@pytest.mark.parametrize("command", ["build", "run"])
def test_build_of_nothing_landed_is_refused(vendor: Path, command: str) -> None:
    words = "sla: Nothing has landed yet. Put exports into inbox/<source>/ and run `sla ingest`."
    run_sla(command, workspace=vendor).expect(2, words)
    assert not (vendor / "warehouse" / "published").exists()


def test_run_of_nothing_but_a_rejected_file_says_why_it_was_rejected(vendor: Path) -> None:
    folder = vendor / "inbox" / "desk"
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "tickets.csv", "ticket_id,custmer_id,submitted_at", "1,acme,2026-03-02T08:00:00Z")
    run_sla("run", workspace=vendor).expect(
        2, "tickets.csv:1: ", "custmer_id", "sla: Nothing has landed yet."
    )


def test_unknown_command_is_answered_with_the_nearest_one(vendor: Path) -> None:
    run_sla("complaince", workspace=vendor).expect(
        2, "sla: No such command 'complaince'. Did you mean 'compliance'?"
    )


def test_unknown_option_is_answered_with_the_possible_ones(vendor: Path) -> None:
    run_sla("compliance", "--mnth", "2026-06", workspace=vendor).expect(
        2, "No such option: --mnth", "--month"
    )


def test_workspace_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    run_sla("compliance", workspace=tmp_path / "nowhere").expect(
        2, "is not a folder. Create one with `sla init"
    )


def test_as_of_without_a_zone_is_refused(vendor: Path) -> None:
    run_sla("build", "--as-of", "2026-07-01T00:00:00", workspace=vendor).expect(
        2, "--as-of is '2026-07-01T00:00:00'", "with its zone"
    )


def test_unknown_ticket_is_answered_with_the_nearest_ones(demo_workspace: Path) -> None:
    done = run_sla("explain", "P-0001x", workspace=demo_workspace).expect(2, "P-0001x")
    assert "P-0001" in done.err.replace("P-0001x", "")
    assert done.out == ""


def test_demo_goes_into_the_workspace_that_is_named_and_not_into_two(tmp_path: Path) -> None:
    (tmp_path / "taken.txt").touch()
    told = run_sla("--workspace", str(tmp_path), "demo").expect(2, f"{tmp_path} is not empty")
    assert "Exports of" not in told.err
    run_sla("demo", "--workspace", str(tmp_path), "--dir", str(tmp_path / "other")).expect(
        2, f"--dir is {tmp_path}/other and --workspace is {tmp_path}", "Give one of the two."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["taken.txt"]


def test_customers_and_tickets_in_the_examples_of_the_help_are_those_of_the_demo(
    demo_workspace: Path,
) -> None:
    customers = {each for (each,) in query(demo_workspace, "select customer_id from core.dim_customers")}
    tickets = {each for (each,) in query(demo_workspace, "select ticket_id from core.dim_tickets")}
    examples = [
        shlex.split(line)[2:]
        for text in list_commands().values()
        for line in text.splitlines()
        if line.strip().startswith("Example: ")
    ]
    named = [
        word
        for before, word in ((a, b) for words in examples for a, b in pairwise(words))
        if before in ("--customer", "ledger")
    ]
    assert len(named) >= 4 and set(named) <= customers
    assert {words[1] for words in examples if words[0] == "explain"} <= tickets


def test_unknown_cut_is_answered_with_the_known_ones(demo_workspace: Path) -> None:
    run_sla("compliance", "--by", "plann", workspace=demo_workspace).expect(2, "plann", "plan")


def test_month_without_figures_is_answered_with_the_known_ones(demo_workspace: Path, tmp_path: Path) -> None:
    run_sla("report", "--all", "--month", "2019-01", "--out", str(tmp_path), workspace=demo_workspace).expect(
        2, "2019-01", "2026-06"
    )
    assert list(tmp_path.iterdir()) == []


def test_figures_of_another_instant_are_refused_as_stale(demo_workspace: Path) -> None:
    asked = "2026-05-01T00:00:00Z"
    run_sla("compliance", "--as-of", asked, workspace=demo_workspace).expect(
        7, f"not {asked}", f"sla build --as-of {asked}"
    )


@contextmanager
def held_lock(root: Path) -> Iterator[None]:
    """Another process holds the workspace, as a run of another user would."""
    program = (
        "import sys; from pathlib import Path; from pipeline.settings import Workspace; "
        "from pipeline.warehouse.build import lock_workspace\n"
        "with lock_workspace(Workspace(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()"
    )
    holder = Popen([sys.executable, "-c", program, str(root)], stdin=PIPE, stdout=PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.communicate()


@pytest.mark.parametrize("command", ["ingest", "build", "run"])
def test_locked_workspace_is_left_alone_and_still_read(demo: Path, command: str) -> None:
    before = read_pointer(demo)
    with held_lock(demo):
        run_sla(command, workspace=demo).expect(
            6, f"Another run is writing to {demo}.", "nothing was changed"
        )
        run_sla("status", workspace=demo).expect(0)
    assert read_pointer(demo) == before


def test_lock_file_left_by_a_dead_run_does_not_lock(demo: Path) -> None:
    (demo / "warehouse" / "lock").write_text("4711", encoding="utf-8")
    run_sla("ingest", workspace=demo).expect(0)


def test_failed_critical_check_leaves_the_version_before_served(published: Path) -> None:
    # Two helpdesks that number their tickets alike: the ticket of a row of figures would be a guess.
    before = read_pointer(published)
    served = run_sla("compliance", "--json", workspace=published).expect(0).out
    source = published / "inbox" / "other"
    source.mkdir()
    lines = (published / "inbox" / "desk" / "tickets.csv").read_text(encoding="utf-8").splitlines()
    write_lines(source / "tickets.csv", *lines[: 1 + 2])
    with (published / "sla.yml").open("a", encoding="utf-8") as sla_yml:
        sla_yml.write("  other:\n    type: canonical\n")
    run_sla("run", workspace=published).expect(
        4, "nothing was published; the version before is still served.", "ticket_id"
    )
    assert read_pointer(published) == before
    assert run_sla("compliance", "--json", workspace=published).expect(0).out == served


def test_damaged_pointer_is_named_by_readers_and_written_again_by_a_build(published: Path) -> None:
    before = read_pointer(published)
    (published / "warehouse" / "published" / "current.json").write_text('{"build_id": ', encoding="utf-8")
    run_sla("compliance", workspace=published).expect(2, "current.json is damaged", "Run `sla build`")
    run_sla("build", workspace=published).expect(0)
    assert read_pointer(published)["build_id"] == before["build_id"]
    run_sla("compliance", workspace=published).expect(0)


def test_missing_published_file_is_named_by_readers(published: Path) -> None:
    file = published / "warehouse" / "published" / read_pointer(published)["file"]
    file.unlink()
    run_sla("compliance", workspace=published).expect(
        2, f"The published build {file} is missing", "Run `sla build`"
    )


def test_damaged_published_file_is_named_by_readers(published: Path) -> None:
    file = published / "warehouse" / "published" / read_pointer(published)["file"]
    file.write_bytes(b"not a database" * 1000)
    run_sla("compliance", workspace=published).expect(
        2, f"The published build {file} is damaged", "Run `sla build`"
    )


ANSWERED = "2026-02-02T12:00:00Z"
SUSPICIOUS = (
    "T-3,acme,ann@acme.example,web_form,9,2026-02-02T08:00:00Z,Unknown severity,,,",
    "T-4,acme,ann@acme.example,web_form,,2026-02-02T08:00:00Z,No severity,,,",
    "T-5,unlisted,ann@acme.example,web_form,3,2026-02-02T08:00:00Z,Unknown customer,,,",
    "T-6,acme,ann@acme.example,email,3,2026-02-02T08:00:00Z,By e-mail,,,",
    "T-7,acme,ann@acme.example,web_form,3,2025-12-31T23:59:59Z,One second before the term,,,",
    "T-8,acme,ann@acme.example,web_form,0,2026-02-02T08:00:00Z,Level 0,,,",
)


@pytest.fixture(scope="module")
def suspicious_vendor(clean_vendor: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published, read only: the two tickets of the small vendor, and six suspicious ones, all answered after four hours."""
    root = shutil.copytree(clean_vendor, tmp_path_factory.mktemp("vendors") / "suspicious")
    drop_tickets(root, *TICKETS, *SUSPICIOUS)
    answers = [f"E-{row[:3]},{row[:3]},{ANSWERED},message,agent,mia,true," for row in SUSPICIOUS]
    write_lines(root / "inbox" / "desk" / "events.csv", EVENTS_HEADER, *EVENTS, *answers)
    run_sla("run", workspace=root).expect(0)
    return root


def list_first_responses(root: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads(run_sla("tickets", "--json", workspace=root).expect(0).out)
    return {row["ticket_id"]: row for row in listed if row["obligation"] == "first_response"}


def test_figures_of_the_small_vendor_are_those_worked_out_by_hand(suspicious_vendor: Path) -> None:
    # T-1: 08:00 to 12:00 = 4 h of 24 h. T-2: Mon 08:00-21:00 13 h + Tue 15 h + Wed 15 h + Thu 06:00-08:00 2 h = 45 h of 24 h.
    rows = list_first_responses(suspicious_vendor)
    assert {
        ticket: (rows[ticket]["status"], rows[ticket]["elapsed_seconds"]) for ticket in ("T-1", "T-2")
    } == {
        "T-1": ("met", 4 * 3600),
        "T-2": ("breached", (13 + 15 + 15 + 2) * 3600),
    }


def test_suspicious_ticket_never_gets_a_verdict_in_favour(suspicious_vendor: Path) -> None:
    rows = list_first_responses(suspicious_vendor)
    suspicious = {
        ticket: (row["status"], row["status_reason"]) for ticket, row in rows.items() if ticket > "T-2"
    }
    assert suspicious == {
        "T-3": ("not_measurable", "unknown_severity"),
        "T-4": ("not_measurable", "unknown_severity"),
        "T-5": ("not_covered", "unknown_customer"),
        "T-6": ("not_covered", "unsupported_channel"),
        "T-7": ("not_covered", "no_plan_term"),
        "T-8": ("not_covered", "severity_not_covered"),
    }
    total = json.loads(
        run_sla("compliance", "--json", "--by", "", workspace=suspicious_vendor).expect(0).out
    )["total"]
    assert (total["met"], total["breached"]) == (1, 1)


def test_suspicious_ticket_is_a_finding(suspicious_vendor: Path) -> None:
    # Level 0 is what it is for; the other five are for review.
    assert set(query(suspicious_vendor, "select finding, ticket_id from qc.rpt_qc__findings")) == {
        ("unknown_severity", "T-3"),
        ("unknown_severity", "T-4"),
        ("unknown_customer", "T-5"),
        ("unsupported_channel", "T-6"),
        ("no_plan_term", "T-7"),
    }
