"""The whole job on a small demo: one figure is the same wherever it is read, and nothing but the inputs decides it."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.serve import HERE as DASHBOARDS
from pipeline.errors import ConfigurationError
from pipeline.periods.issue import read_documents
from pipeline.reporting import figures
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.published import EVERY_CUSTOMER, Scope, open_published
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import dump_tables, query, read_month_name, read_pointer

MONTH = "2026-05"
STATUSES = ("met", "breached", "pending", "waived", "not_covered", "not_measurable")


def run_compliance(root: Path, *arguments: str) -> dict:
    return json.loads(run_sla("compliance", "--json", *arguments, workspace=root).expect(0).out)


def read_pdf(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())


def test_command_line_counts_what_the_facts_hold(demo_workspace: Path) -> None:
    # Counted here from the rows of the fact, without the mart that the command reads.
    in_month = f"from core.fct_sla_obligations where compliance_month = '{MONTH}'"
    rows = query(demo_workspace, f"select customer_id, obligation, status {in_month}")
    counted = Counter(rows)
    shown = {
        (row["customer_id"], row["obligation"], status): row["tally"][status]
        for row in run_compliance(demo_workspace, "--month", MONTH, "--by", "customer,obligation")["rows"]
        for status in STATUSES
        if row["tally"][status]
    }
    assert shown == counted
    assert sum(counted.values()) > 0


def test_command_line_counts_what_the_mart_holds_in_every_month(demo_workspace: Path) -> None:
    sums = ", ".join(f"sum({status}_count)" for status in STATUSES)
    for basis in ("settled", "submitted"):
        stored = query(
            demo_workspace,
            f"select month, {sums} from marts.mart_manager__monthly_compliance "
            f"where month_basis = '{basis}' group by month",
        )
        shown = run_compliance(demo_workspace, "--by", "month", "--basis", basis)["rows"]
        assert {row["month"]: tuple(row["tally"][status] for status in STATUSES) for row in shown} == {
            month: tuple(map(int, counts)) for month, *counts in stored
        }


def test_both_months_count_every_obligation_once(demo_workspace: Path) -> None:
    [(obligations,)] = query(demo_workspace, "select count(*) from core.fct_sla_obligations")
    for basis in ("settled", "submitted"):
        total = run_compliance(demo_workspace, "--by", "", "--basis", basis)["total"]
        assert sum(total[status] for status in STATUSES) == obligations


def test_customer_pdf_shows_the_figures_of_the_command_line(demo_workspace: Path, tmp_path: Path) -> None:
    rows = run_compliance(demo_workspace, "--month", MONTH, "--by", "customer")["rows"]
    # Reports are written in the customer's language; the words here are English.
    english = {
        customer_id
        for (customer_id,) in query(
            demo_workspace, "select customer_id from core.dim_customers where locale = 'en'"
        )
    }
    row = max(
        (
            row
            for row in rows
            # What is undecided would stand instead of the percentage.
            if row["customer_id"] in english and not row["tally"]["not_measurable"]
        ),
        key=lambda row: row["tally"]["breached"],
    )
    tally = row["tally"]
    assert tally["breached"] > 0
    run_sla(
        "report",
        "--customer",
        row["customer_id"],
        "--month",
        MONTH,
        "--out",
        str(tmp_path),
        workspace=demo_workspace,
    ).expect(0)
    [pdf] = tmp_path.glob("*.pdf")
    text = read_pdf(pdf)
    counted = tally["met"] + tally["breached"]
    assert f"{tally['met']} of {counted} met" in text
    breached = f"{tally['breached']} was" if tally["breached"] == 1 else f"{tally['breached']} were"
    assert f"{breached} breached" in text
    assert (
        f"{tally['waived']} waived, {tally['not_covered']} not covered, {tally['not_measurable']} not measurable"
        in text
    )
    late = query(
        demo_workspace,
        f"select ticket_id from core.fct_sla_obligations where compliance_month = '{MONTH}' and status = 'breached' "
        f"and customer_id = '{row['customer_id']}'",
    )
    for (ticket_id,) in late:
        assert ticket_id in text


def test_dashboard_shows_the_figures_of_the_command_line(
    demo_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLA_WORKSPACE", str(demo_workspace))
    app = AppTest.from_file(str(DASHBOARDS / "views" / "compliance.py"), default_timeout=60)
    app.query_params["by"] = "plan"
    app.run()
    assert not app.exception
    table = next(
        each.value.to_dict("records") for each in app.dataframe if "Compliance" in each.value.columns
    )
    page = {
        (read_month_name(row["Month"]), row["Plan"]): (row["Compliance"], row["Met"], row["Counted"])
        for row in table
    }
    expected = {}
    for row in run_compliance(demo_workspace, "--by", "month,plan")["rows"]:
        tally = row["tally"]
        counted = tally["met"] + tally["breached"]
        expected[row["month"], row["plan"]] = (tally["met"], counted)
    assert {
        key: (met, counted)
        for key, (_, met, counted) in page.items()
        if key[1] in ("standard", "enhanced", "premium")
    } == {key: value for key, value in expected.items() if key[1]}


def test_report_on_the_page_of_a_customer_has_the_bytes_of_the_command_line(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLA_WORKSPACE", str(demo_workspace))
    customer_id = run_compliance(demo_workspace, "--month", MONTH, "--by", "customer")["rows"][0][
        "customer_id"
    ]
    app = AppTest.from_file(str(DASHBOARDS / "app.py"), default_timeout=60)
    app.switch_page("views/customer.py")
    app.query_params["customer"], app.query_params["month"] = customer_id, MONTH
    app.run()
    app.button[0].click().run()
    assert not app.exception
    assert [each.value for each in app.error] == []
    workspace = Workspace(demo_workspace)
    edition, documents = read_documents(workspace, Scope((customer_id,)), customer_id, MONTH)
    assert any(text.value.startswith(f"Report {edition.report_number}") for text in app.text)
    report = ("report", "--customer", customer_id, "--month", MONTH, "--out", str(tmp_path))
    run_sla(*report, workspace=demo_workspace).expect(0)
    assert documents == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigurationError, match="There is no customer"):
        read_documents(workspace, Scope(("another",)), customer_id, MONTH)


def open_page(root: Path, page: str, monkeypatch: pytest.MonkeyPatch, **address: str) -> AppTest:
    monkeypatch.setenv("SLA_WORKSPACE", str(root))
    app = AppTest.from_file(str(DASHBOARDS / "app.py"), default_timeout=60)
    app.switch_page(f"views/{page}.py")
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def test_page_of_another_plan_has_the_figures_of_the_command_line(
    demo_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(
        run_sla("whatif", "--plan", "premium", "--json", workspace=demo_workspace).expect(0).out
    )
    app = open_page(demo_workspace, "what_if", monkeypatch, trial="premium")
    tables = {tuple(each.value.columns)[0]: each.value.to_dict("records") for each in app.dataframe}
    assert [row["Ticket"] for row in tables["Ticket"]] == [row["ticket_id"] for row in told["verdicts"]]
    heads = [each.value for each in app.subheader]
    assert f"Verdicts that would differ: {len(told['verdicts'])}" in heads
    assert f"Pools that would differ: {len(told['balances'])}" in heads
    assert any(head.startswith(f"{len(told['fits'])} current term") for head in heads)
    assert open_page(demo_workspace, "what_if", monkeypatch).info[0].value.startswith("No plan is chosen.")


def test_ledger_of_a_pool_stands_beside_its_even_pace_and_its_forecast(
    demo_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((subscription_id, pool, mid, low, high, remaining),) = query(
        demo_workspace,
        "select subscription_id, pool, draws_mid_quantity, draws_low_quantity, draws_high_quantity, remaining_quantity "
        "from marts.mart_account__entitlement_forecasts where forecast_status = 'forecast' order by 1, 2 limit 1",
    )
    app = open_page(demo_workspace, "entitlements", monkeypatch, pool=f"{subscription_id}/{pool}")
    (told,) = [caption.value for caption in app.caption if "of the term has passed" in caption.value]
    least, most = max(remaining - high, 0), max(remaining - low, 0)
    assert (
        f"Likely left when the term ends: {max(remaining - mid, 0)} ({least} to {most} with a chance of 80 %)"
        in told
    )


def test_percentage_words_come_from_the_same_tally(demo_workspace: Path) -> None:
    with open_published(Workspace(demo_workspace)) as published:
        tally = read_compliance(published, EVERY_CUSTOMER, by=()).total
    printed = run_sla("compliance", workspace=demo_workspace).expect(0).out
    assert figures.percent(tally.compliance) in printed


def test_entitlement_balances_are_the_sums_of_their_movements(demo_workspace: Path) -> None:
    unequal = query(
        demo_workspace,
        """
        with sums as (
          select subscription_id, pool, sum(quantity) filter (where movement_kind = 'use') as uses,
            sum(quantity) filter (where movement_kind = 'purchase') as purchases
          from core.fct_entitlement_movements group by all
        )
        select * from marts.mart_account__entitlement_balances as balances
        join sums on sums.subscription_id = balances.subscription_id and sums.pool = balances.pool
        where -coalesce(uses, 0) <> used_quantity or coalesce(purchases, 0) <> purchased_quantity
        """,
    )
    assert unequal == []


def test_command_line_lists_every_finding_and_counts_them_by_kind(demo_workspace: Path) -> None:
    stored = query(demo_workspace, "select finding, count(*) from qc.rpt_qc__findings group by finding")
    shown = json.loads(run_sla("findings", "--json", workspace=demo_workspace).expect(0).out)
    assert {row["finding"]: row["finding_count"] for row in shown["counts"]} == dict(stored)
    assert len(shown["rows"]) == sum(count for _, count in stored) > 0
    assert all(row["evidence"] and row["effect"] for row in shown["rows"])
    listed = run_sla("findings", "--finding", "unlisted_requester", workspace=demo_workspace).expect(0).out
    assert listed.startswith("Findings by kind\n")
    run_sla("findings", "--finding", "unlisted", workspace=demo_workspace).expect(2, "must be one of")


def test_command_line_alerts_of_used_up_pools_are_those_of_the_balances(demo_workspace: Path) -> None:
    pressing = query(
        demo_workspace,
        "select subscription_id, pool from marts.mart_account__entitlement_balances where term_status = 'current' "
        "and is_stated and not is_unlimited and consumed_quantity > 0 and 2 * consumed_quantity >= available_quantity",
    )
    told = json.loads(run_sla("entitlements", "--alerts", "--json", workspace=demo_workspace).expect(0).out)
    assert {(row["subscription_id"], row["pool"]) for row in told if row["threshold_pct"]} == set(pressing)
    ending = query(
        demo_workspace,
        "select count(*) from core.dim_subscription_terms cross join core.dim_builds "
        "where term_status = 'current' and term_ends_at - as_of <= interval 90 day",
    )
    assert [(sum(row["pool"] is None for row in told),)] == ending
    assert run_sla("entitlements", "--alerts", workspace=demo_workspace).expect(0).out.startswith("Alerts\n")


def test_second_run_changes_nothing(demo_workspace: Path, tmp_path: Path) -> None:
    # Of a copy, since it takes the workspace's lock.
    root = shutil.copytree(demo_workspace, tmp_path / "vendor")
    before, files = read_pointer(root), list_files(root)
    done = run_sla("run", workspace=root).expect(0, "unchanged since the last build")
    assert done.out == ""
    assert read_pointer(root) == before
    assert list_files(root) == files


def list_files(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time of change; the lock is touched by every run, each run leaves its own record, and what was
    read of other files is kept by the first run that finds them unchanged for two seconds.
    """
    return {
        str(path.relative_to(root)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
        and path.name not in ("lock", "seen.json", "compared.json")
        and path.parent != root / "warehouse/runs"
    }


def copy_inputs(demo: Path, root: Path) -> Path:
    root.mkdir(parents=True)
    shutil.copy(demo / "sla.yml", root)
    for folder in ("inbox", "reference", "branding"):
        shutil.copytree(demo / folder, root / folder)
    return root


def build_again(demo: Path, root: Path, cores: set[int] | None, **environment: str) -> dict[str, str]:
    """All published tables of the same exports in another folder, landed in another order, in another environment."""
    copy_inputs(demo, root)
    files = sorted(str(path) for path in (root / "inbox").rglob("*") if path.is_file())
    random.Random(7).shuffle(files)
    run_sla("ingest", *files, workspace=root, cores=cores, **environment).expect(0)
    run_sla("build", workspace=root, cores=cores, **environment).expect(0)
    return dump_tables(root, "core", "marts", "qc")


def assert_same_facts(demo: Path, again: dict[str, str]) -> None:
    first = dump_tables(demo, "core", "marts", "qc")
    assert list(again) == list(first)
    for table, text in first.items():
        assert again[table] == text, f"{table} differs"


def test_facts_depend_on_nothing_but_the_inputs(demo_workspace: Path, tmp_path: Path) -> None:
    # The farthest from the first run: a quote in the folder's name, a zone that skipped a day, another language, one thread.
    one_core = {min(os.sched_getaffinity(0))}
    elsewhere = {"TZ": "Pacific/Apia", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}
    again = build_again(demo_workspace, tmp_path / "another 'place'", one_core, **elsewhere)
    assert_same_facts(demo_workspace, again)


@pytest.mark.long
@pytest.mark.parametrize(
    ("zone", "language"), [("UTC", "C"), ("America/New_York", "C"), ("Asia/Kolkata", "de_DE.UTF-8")]
)
def test_facts_are_the_same_in_every_zone_and_language(
    demo_workspace: Path, tmp_path: Path, zone: str, language: str
) -> None:
    again = build_again(demo_workspace, tmp_path / "vendor", None, TZ=zone, LC_ALL=language)
    assert_same_facts(demo_workspace, again)


@pytest.mark.long
def test_overlapping_exports_change_no_figure(demo_workspace: Path, tmp_path: Path) -> None:
    root = copy_inputs(demo_workspace, tmp_path / "vendor")
    tickets = root / "inbox" / "portal" / "tickets.csv"
    header, *rows = tickets.read_text(encoding="utf-8").splitlines()
    half = len(rows) // 2
    # Exported twice, as two windows that share a third of their rows.
    tickets.write_text("\n".join([header, *rows[: half + 20]]) + "\n", encoding="utf-8")
    (tickets.parent / "tickets-2.csv").write_text(
        "\n".join([header, *rows[half - 20 :]]) + "\n", encoding="utf-8"
    )
    run_sla("run", workspace=root).expect(0)
    assert dump_tables(root, "marts") == dump_tables(demo_workspace, "marts")
