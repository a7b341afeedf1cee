"""A closed month through the real command line: its pages and bytes stay, what arrives later is a correction with its cause.

The demo of six months closes its last three full months by itself. One more run then finds a late ticket, a late waiver,
a renamed customer and a holiday.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline.periods.compare import read_figures
from pipeline.periods.records import Closing, add_corrections, keep_build, read_history
from pipeline.pointer import read_pointer
from pipeline.settings import Workspace
from tests.conftest import build_once
from tests.end_to_end.command_line import LANDED_EPOCH, run_sla
from tests.end_to_end.published import query

MONTH = "2026-05"
# A Wednesday, 06:00 to 21:00 in the calendar business_hours.
HOLIDAY = "2026-05-06"
NEXT_DAY = str(int(LANDED_EPOCH) + 86_400)
# The instants of the two runs as a user writes them.
FIRST_RUN, SECOND_RUN = "2026-09-21T14:13:20Z", "2026-09-22T14:13:20Z"


def change_inputs(root: Path) -> None:
    """What the second run finds."""
    sla_yml = root / "sla.yml"
    # A plan that is tried runs its models once more.
    sla_yml.write_text(
        sla_yml.read_text(encoding="utf-8").replace("compare_plans: [premium]", "compare_plans: []"),
        encoding="utf-8",
    )
    portal = root / "inbox" / "portal"
    tickets, events = (
        (portal / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0] for name in ("tickets", "events")
    )
    (portal / "tickets-late.csv").write_text(
        f"{tickets}\nP-09001,cascade-geospatial-inc,a@cascade.example,console,3,2026-05-11T09:00:00Z,Late,incident,,2026-05-12T09:00:00Z\n",
        encoding="utf-8",
    )
    (portal / "events-late.csv").write_text(
        f"{events}\nP-09001-E1,P-09001,2026-05-11T18:30:00Z,message,agent,mia,true,\n", encoding="utf-8"
    )
    customers = root / "reference" / "customers.csv"
    text = customers.read_text(encoding="utf-8")
    assert "Harbour Light Studios" in text
    customers.write_text(text.replace("Harbour Light Studios", "Harbour Lights"), encoding="utf-8")
    hours = root / "reference" / "calendars" / "business_hours.yml"
    hours.write_text(
        hours.read_text(encoding="utf-8").replace("holidays: []", f'holidays: ["{HOLIDAY}"]'),
        encoding="utf-8",
    )
    [ticket_id] = query(
        root,
        "select min(ticket_id) from core.fct_sla_obligations where settled_month = '2026-05' and status = 'breached'"
        " and obligation = 'first_response' and clock_name = 'always'",
    )[0]
    with (root / "reference" / "waivers.csv").open("a", encoding="utf-8") as waivers:
        waivers.write(
            f"WAI-9001,{ticket_id},first_response,Agreed,a@vendor.example,b@vendor.example,2026-06-20T09:00:00Z,\n"
        )


@pytest.fixture(scope="module")
def vendor(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo after the second run, with the reports of May before it in `before` and after it in `after`. Read only."""

    def write(root: Path) -> None:
        shutil.copytree(demo_workspace, root)
        run_sla("report", "--all", "--month", MONTH, "--out", str(root / "before"), workspace=root).expect(0)
        figures = run_sla("compliance", "--month", MONTH, "--by", "customer", workspace=root).expect(0)
        (root / "before" / "compliance.txt").write_text(figures.out, encoding="utf-8")
        change_inputs(root)
        ran = run_sla("run", workspace=root, SOURCE_DATE_EPOCH=NEXT_DAY).expect(0)
        (root / "said.txt").write_text(ran.err, encoding="utf-8")
        run_sla("report", "--all", "--month", MONTH, "--out", str(root / "after"), workspace=root).expect(0)

    return build_once(tmp_path_factory, "closed", write)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.suffix != ".txt"
    }


def corrections(
    root: Path,
) -> dict[str, dict[tuple[str, str | None], tuple[str | None, str | None, tuple[str, ...]]]]:
    """Customer -> (what, ticket) -> old, new and causes, of May."""
    return {
        each.customer_id: {
            (change.what, change.ticket_id): (change.old, change.new, change.causes)
            for change in each.changes
        }
        for each in read_history(Workspace(root)).corrections(month=MONTH)
    }


def test_demo_closes_its_last_full_months_by_itself(demo_workspace: Path) -> None:
    history = read_history(Workspace(demo_workspace))
    assert sorted({record.month for record in history.of_kind(Closing)}) == ["2026-03", "2026-04", "2026-05"]
    assert all(
        {"rules: sla.yml", "program: code", "package: tzdata"} <= set(record.inputs)
        for record in history.of_kind(Closing)
    )


def test_late_waiver_is_a_correction_with_old_value_new_value_and_cause(vendor: Path) -> None:
    [lines] = [lines for lines in corrections(vendor).values() if any(what == "waiver" for what, _ in lines)]
    [ticket_id] = {ticket for what, ticket in lines if what == "waiver"}
    file = ("reference/waivers.csv",)
    assert lines["status", ticket_id] == ("breached", "waived", file)
    assert lines["waiver", ticket_id] == (None, "WAI-9001", file)


def test_late_ticket_is_a_correction_that_names_the_file_that_brought_it(vendor: Path) -> None:
    lines = corrections(vendor)["cascade-geospatial-inc"]
    old, new, causes = lines["status", "P-09001"]
    # Premium, level 3: 8 h around the clock. Submitted 09:00, answered 18:30: 9 h 30 min.
    assert (old, new) == (None, "breached")
    assert lines["time counted", "P-09001"][1] == str(9 * 3600 + 30 * 60)
    # The ticket was not there before, so nothing but its files can be the cause, whatever else changed.
    assert [cause.split(" ")[0] for cause in causes] == [
        "inbox/portal/events-late.csv",
        "inbox/portal/tickets-late.csv",
    ]
    assert lines["tickets submitted", None][2] == causes
    submitted_before, submitted_after, _ = lines["tickets submitted", None]
    assert int(submitted_after or 0) == int(submitted_before or 0) + 1


def test_holiday_that_is_added_later_takes_its_open_hours_out_and_names_the_calendar(vendor: Path) -> None:
    moved = [
        (int(old), int(new), causes)
        for lines in corrections(vendor).values()
        for (what, _), (old, new, causes) in lines.items()
        if what == "time counted" and old is not None and new is not None
    ]
    assert moved
    for old, new, causes in moved:
        # At most the 15 h of that day.
        assert 0 < old - new <= 15 * 3600
        assert causes == ("reference/calendars/business_hours.yml",)


def test_renamed_customer_is_a_correction_of_every_closed_month_of_it(vendor: Path) -> None:
    assert corrections(vendor)["harbour-light-studios"]["name", None] == (
        "Harbour Light Studios",
        "Harbour Lights",
        ("reference/customers.csv",),
    )


def test_run_says_what_it_corrected_and_closes_nothing_twice(vendor: Path) -> None:
    said = (vendor / "said.txt").read_text(encoding="utf-8")
    assert "Correction 1 of 2026-05, customer cascade-geospatial-inc:" in said
    assert "closed with build" not in said


def test_original_and_corrections_sum_to_the_new_build(vendor: Path) -> None:
    workspace = Workspace(vendor)
    history, pointer = read_history(workspace), read_pointer(workspace)
    assert pointer is not None
    for closing in history.closed().values():
        original = read_figures(workspace, closing.build, [closing])
        fresh = read_figures(workspace, keep_build(pointer), [closing])
        for customer_id, month in set(original) | set(fresh):
            changes = [each.changes for each in history.corrections(customer_id, month)]
            summed = add_corrections(original.get((customer_id, month), {}), changes)
            assert summed == fresh.get((customer_id, month), {})


def test_figures_of_a_closed_month_stay_and_corrections_are_shown_beside_them(vendor: Path) -> None:
    now = run_sla("compliance", "--month", MONTH, "--by", "customer", workspace=vendor).expect(0).out
    before = (vendor / "before" / "compliance.txt").read_text(encoding="utf-8")
    kept = [line for line in before.splitlines() if not line.startswith("Closed")]
    assert [line for line in now.splitlines() if not line.startswith(("Closed", f"{MONTH}: "))] == kept
    count = len(read_history(Workspace(vendor)).corrections(month=MONTH))
    assert f"{MONTH}: {count} corrections since it was closed." in now
    status = run_sla("status", workspace=vendor).expect(0).out
    assert f"{MONTH}: {count} corrections since it was closed." in status
    shown = json.loads(run_sla("compliance", "--month", MONTH, "--json", workspace=vendor).expect(0).out)
    assert [(each["month"], each["corrections"]) for each in shown["closed"]] == [(MONTH, count)]


def test_tickets_of_a_closed_month_are_those_that_its_compliance_counts(vendor: Path) -> None:
    listed = json.loads(run_sla("tickets", "--month", MONTH, "--json", workspace=vendor).expect(0).out)
    shown = json.loads(
        run_sla("compliance", "--month", MONTH, "--by", "", "--json", workspace=vendor).expect(0).out
    )
    assert "P-09001" not in {row["ticket_id"] for row in listed}
    assert sum(row["status"] == "breached" for row in listed) == shown["total"]["breached"]


def test_report_of_a_closed_month_is_the_original_or_its_correction(vendor: Path) -> None:
    before, after = digests(vendor / "before"), digests(vendor / "after")
    corrected = {name for name in after if "-C1." in name}
    assert {name for name in before if "-C" in name} == set()
    # A customer without a correction has the same bytes; the others have a document of another name.
    assert {name: digest for name, digest in after.items() if name not in corrected} == {
        name: digest
        for name, digest in before.items()
        if f"{name[:-4]}-C1.pdf" not in after and f"{name[:-5]}-C1.xlsx" not in after
    }
    customers = {
        each.customer_id
        for each in read_history(Workspace(vendor)).corrections(month=MONTH)
        if each.customer_id
    }
    assert len(corrected) == 3 * len(customers)


@pytest.mark.parametrize(
    "arguments", [("--original",), ("--as-known-at", FIRST_RUN)], ids=["original", "as_known_at"]
)
def test_any_earlier_report_is_written_again_byte_for_byte(
    vendor: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    out = str(tmp_path / "again")
    run_sla("report", "--all", "--month", MONTH, "--out", out, *arguments, workspace=vendor).expect(0)
    assert digests(Path(out)) == digests(vendor / "before")


def test_report_as_known_after_the_correction_is_the_correction(vendor: Path, tmp_path: Path) -> None:
    options = (
        "--customer",
        "harbour-light-studios",
        "--month",
        MONTH,
        "--out",
        str(tmp_path),
        "--as-known-at",
        SECOND_RUN,
    )
    written = json.loads(run_sla("report", *options, "--json", workspace=vendor).expect(0).out)
    assert written[0]["report_id"].endswith("-C1")
    assert digests(tmp_path).items() <= digests(vendor / "after").items()


def test_open_month_as_known_at_the_first_run_is_the_draft_of_that_build(
    vendor: Path, tmp_path: Path
) -> None:
    options = ("--customer", "cascade-geospatial-inc", "--month", "2026-06", "--out", str(tmp_path))
    then = json.loads(
        run_sla("report", *options, "--as-known-at", FIRST_RUN, "--json", workspace=vendor).expect(0).out
    )
    now = json.loads(run_sla("report", *options, "--json", workspace=vendor).expect(0).out)
    assert then[0]["report_id"].startswith("D-2026-06-")
    assert then[0]["report_id"] != now[0]["report_id"]


def test_instant_of_which_nothing_is_kept_says_what_is(vendor: Path, tmp_path: Path) -> None:
    options = ("--customer", "harbour-light-studios", "--month", MONTH, "--out", str(tmp_path))
    told = run_sla("report", *options, "--as-known-at", "2026-06-01T00:00:00Z", workspace=vendor)
    told.expect(2, "is not kept", "2026-03, 2026-04, 2026-05")
    assert list(tmp_path.iterdir()) == []


def test_instant_in_the_future_is_refused(vendor: Path, tmp_path: Path) -> None:
    options = ("--all", "--month", MONTH, "--out", str(tmp_path), "--as-known-at")
    told = run_sla("report", *options, "2026-09-22T14:13:21Z", workspace=vendor)
    told.expect(2, "which lies in the future", f"up to {SECOND_RUN}")
    assert list(tmp_path.iterdir()) == []


def test_document_that_was_changed_since_it_was_issued_is_named(vendor: Path, tmp_path: Path) -> None:
    root = shutil.copytree(vendor, tmp_path / "vendor")
    for document in (root / "warehouse" / "closed" / "documents").glob("*.pdf"):
        document.write_bytes(document.read_bytes() + b"\n")
    options = ("--customer", "harbour-light-studios", "--month", MONTH, "--out", str(tmp_path / "out"))
    run_sla("report", *options, workspace=root).expect(2, "as it was issued, is damaged or missing")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--month", "2026-06"), 2, "2026-06 is not due to be closed yet"),
        (("--month", MONTH), 2, "2026-05 is closed already"),
        (("--month", "June"), 2, "it must be a year and a month"),
        (("--month", MONTH, "--reopen"), 2, "--reason TEXT"),
        (("--month", MONTH, "--reason", "x"), 2, "Add --reopen"),
        (("--month", MONTH, "--reopen", "--reason", "x", "--dry-run"), 2, "Leave --reopen away"),
    ],
)
def test_close_says_why_it_does_nothing(
    vendor: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    records = len(read_history(Workspace(vendor)).records)
    run_sla("close", *arguments, workspace=vendor).expect(code, words)
    assert len(read_history(Workspace(vendor)).records) == records


def test_month_is_closed_reopened_and_closed_again_by_hand(vendor: Path, tmp_path: Path) -> None:
    root = shutil.copytree(vendor, tmp_path / "vendor")
    first = run_sla("close", "--month", "2026-02", "--dry-run", workspace=root).expect(0)
    assert "2026-02 (UTC): would be closed with build" in first.out
    run_sla("close", "--month", MONTH, "--reopen", "--reason", "wrong contract", workspace=root).expect(0)
    again = run_sla("close", "--month", MONTH, workspace=root).expect(0)
    assert "closed (closing 2 of it) with build" in again.out
    options = ("--customer", "harbour-light-studios", "--month", MONTH, "--out", str(tmp_path / "out"))
    [written] = json.loads(run_sla("report", *options, "--json", workspace=root).expect(0).out)
    assert written["report_id"].endswith("-V2")


def test_issued_report_is_verified_and_the_correction_of_its_figures_named(vendor: Path) -> None:
    [original] = (vendor / "before").glob("cascade-geospatial-inc-*.pdf")
    [corrected] = (vendor / "after").glob("cascade-geospatial-inc-*-C1.pdf")
    number = next(
        each.stem
        for each in (vendor / "warehouse" / "closed" / "issued").glob("*.json")
        if json.loads(each.read_text(encoding="utf-8"))["customer_id"] == "cascade-geospatial-inc"
        and not each.stem.endswith("-C1")
    )
    told = run_sla("verify", str(original), workspace=vendor).expect(0).out
    assert f"is {number} as it was issued for cascade-geospatial-inc, {MONTH}: unchanged." in told
    assert f"Its figures were corrected: {number}-C1 is in force." in told
    assert (
        "status of P-09001, first response: none -> met (inbox/portal/tickets-late.csv" in told
        or "P-09001" in told
    )
    assert "Its figures stand" in run_sla("verify", str(corrected), workspace=vendor).expect(0).out
    beside = run_sla("verify", str(original.with_suffix(".xlsx")), "--json", workspace=vendor).expect(0)
    assert (json.loads(beside.out)["document"], json.loads(beside.out)["newest"]) == ("xlsx", f"{number}-C1")


def test_report_with_one_flipped_byte_is_named_as_changed(vendor: Path, tmp_path: Path) -> None:
    [original] = (vendor / "before").glob("cascade-geospatial-inc-*.pdf")
    content = bytearray(original.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    run_sla("verify", str(changed), workspace=vendor).expect(3, "calls itself R-2026-05-", "it was changed")


def test_draft_and_another_file_are_no_issued_documents(vendor: Path, tmp_path: Path) -> None:
    asked = ("report", "--customer", "cascade-geospatial-inc", "--month", "2026-06", "--out", str(tmp_path))
    [draft] = run_sla(*asked, workspace=vendor).expect(0).out.splitlines()
    run_sla("verify", draft, workspace=vendor).expect(3, "is a draft (D-2026-06-")
    run_sla("verify", str(tmp_path), workspace=vendor).expect(2, "is a folder. Name one file of it")
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 a letter")
    run_sla("verify", str(tmp_path / "letter.pdf"), workspace=vendor).expect(
        3, "no document that this workspace issued"
    )


def test_customer_with_a_running_term_and_no_ticket_has_an_original_too(vendor: Path) -> None:
    idle = query(
        vendor,
        f"""
        select customer_id from marts.mart_customer__monthly_report
        where month = '{MONTH}' and customer_id not in (
            select customer_id from core.fct_sla_obligations
            where customer_id is not null and '{MONTH}' in (compliance_month, submitted_month)
        )
        """,
    )
    assert idle
    issued = [
        json.loads(each.read_text(encoding="utf-8"))
        for each in (vendor / "warehouse" / "closed" / "issued").glob("R-*.json")
    ]
    assert {customer_id for (customer_id,) in idle} <= {each["customer_id"] for each in issued}
