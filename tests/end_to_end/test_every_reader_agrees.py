"""One customer's month, wherever it is read: the facts, the marts, `--json`, the dashboard's page and queries, the text of the
PDF, the rows attached to it, the CSV beside it and the workbook say the same.

What is expected is counted here from rows of the facts. Each reader's own output is taken apart again, and compared figure by
figure.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pikepdf
import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.serve import HERE as DASHBOARDS
from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally, read_compliance, read_trend
from pipeline.reporting.customer_rows import MOVEMENT_COLUMNS, OBLIGATION_COLUMNS
from pipeline.reporting.export_rows import restore
from pipeline.reporting.language import Language
from pipeline.reporting.published import Scope, Selection, open_published
from pipeline.reporting.tickets import count_by_status, read_tickets
from pipeline.reporting.workbook import SUMMARY_COLUMNS
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query, read_month_name

STATUSES = ("met", "breached", "waived", "not_covered", "not_measurable")
_QUANTITIES = (
    "opening_quantity", "granted_quantity", "purchased_quantity", "used_quantity", "credited_quantity", "overage_quantity",
    "expired_quantity", "carried_quantity", "closing_quantity", "overage_to_date_quantity",
)  # fmt: skip


@dataclass(frozen=True)
class Month:
    """One customer's month as the facts have it. `promises`: the marts' lines, which the facts have to add up to."""

    customer_id: str
    customer_name: str
    month: str
    language: Language
    submitted: int
    obligations: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    pools: list[dict[str, Any]]
    movements: list[dict[str, Any]]

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(row["status"] for row in self.obligations if row["compliance_month"] == self.month)
        return {status: counted[status] for status in STATUSES}

    @property
    def running(self) -> list[dict[str, Any]]:
        return [row for row in self.obligations if row["status"] == "pending"]


def test_every_reader_says_the_same_of_ten_customer_months(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLA_WORKSPACE", str(demo_workspace))
    compare_readers(demo_workspace, tmp_path, 10, months=2)


@pytest.mark.long
def test_every_reader_says_the_same_of_two_hundred_customer_months(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLA_WORKSPACE", str(demo_workspace))
    compare_readers(demo_workspace, tmp_path, 200, months=None)


def compare_readers(workspace: Path, folder: Path, count: int, months: int | None) -> None:
    """Compare `count` customer-months that are drawn at random, out of some months or of all."""
    # A report that is written is put on record, and the workspace of the session is read only.
    root = shutil.copytree(workspace, folder / "vendor")
    known = query(root, "select customer_id, month from marts.mart_customer__monthly_report order by all")
    draw = random.Random(20260601)
    chosen = draw.sample(sorted({month for _, month in known}), months) if months else None
    pairs = [pair for pair in known if chosen is None or pair[1] in chosen]
    pairs = draw.sample(pairs, count)
    told, shown = read_command_line(root), read_dashboard()
    for month in sorted({month for _, month in pairs}):
        customers = [customer_id for customer_id, each in pairs if each == month]
        named = [part for customer_id in customers for part in ("--customer", customer_id)]
        written = run_sla(
            "report", "--json", "--month", month, "--out", str(folder / month), *named, workspace=root
        ).expect(0)
        files = {row["customer_id"]: row for row in json.loads(written.out)}
        for customer_id in customers:
            expected = read_facts(root, customer_id, month)
            compare_marts(root, expected)
            compare_command_line(root, expected, told)
            compare_dashboard(root, expected, shown)
            compare_rows(expected, files[customer_id])
            compare_workbook(expected, Path(files[customer_id]["xlsx"]))
            compare_pages(expected, Path(files[customer_id]["pdf"]))


def fetch(root: Path, sql: str) -> list[dict[str, Any]]:
    rows = query(root, f"select unnest([to_json(each)]) from ({sql}) as each")
    return [json.loads(row) for (row,) in rows]


def read_facts(root: Path, customer_id: str, month: str) -> Month:
    whose = f"customer_id = '{customer_id}'"
    [header] = fetch(
        root, f"select * from marts.mart_customer__monthly_report where {whose} and month = '{month}'"
    )
    labels = fetch(root, "select * from core.dim_words")
    language = Language(header["locale"])
    by_language = {
        code: {row["word"]: row["label"] for row in labels if row["language"] == code}
        for code in ("en", language.code)
    }
    return Month(
        customer_id,
        header["customer_name"],
        month,
        Language(header["locale"], {**by_language["en"], **by_language[language.code]}),
        query(
            root,
            f"""
            select count(*) from core.dim_tickets as tickets
            join core.dim_customer_months as months on months.customer_id = tickets.customer_id and months.month = '{month}'
            where tickets.{whose} and tickets.submitted_at >= months.starts_at and tickets.submitted_at < months.ends_at
            """,
        )[0][0],
        fetch(
            root,
            f"""
            select * from core.fct_sla_obligations
            where {whose} and (compliance_month = '{month}' and status <> 'pending'
                or status = 'pending' and submitted_month <= '{month}')
            order by submitted_at, ticket_id, obligation, cycle_number
            """,
        ),
        fetch(
            root,
            f"""
            select promises.*, titles.plan_title
            from marts.mart_customer__monthly_promises as promises
            left join (select plan, max(plan_title) as plan_title from core.dim_plan_versions group by plan) as titles
              on titles.plan = promises.plan
            where {whose} and month = '{month}'
            order by promises.plan, obligation_kind = 'estimate', obligation, severities, first_plan_version, promise
            """,
        ),
        fetch(
            root,
            f"""
            select * from core.fct_entitlement_months
            where {whose} and month = '{month}'
            order by term_starts_on, subscription_id, is_redeemed, pool
            """,
        ),
        fetch(
            root,
            f"""
            select * from core.fct_entitlement_movements
            where {whose} and month = '{month}' order by subscription_id, pool, statement_line
            """,
        ),
    )


def compare_marts(root: Path, expected: Month) -> None:
    sums = ", ".join(f"sum({status}_count)::bigint as {status}" for status in STATUSES)
    [managers] = fetch(
        root,
        f"""
        select {sums} from marts.mart_manager__monthly_compliance
        where customer_id = '{expected.customer_id}' and month = '{expected.month}' and month_basis = 'settled'
        """,
    )
    assert {status: managers[status] or 0 for status in STATUSES} == expected.counts
    customers = {status: sum(row[f"{status}_count"] for row in expected.promises) for status in STATUSES}
    assert customers == expected.counts
    for pool in expected.pools:
        lines = [row for row in expected.movements if is_of(row, pool)]
        assert (
            pool["used_quantity"]
            == -sum(row["quantity"] or 0 for row in lines if row["movement_kind"] == "use")
            or pool["opening_quantity"] is None
        )
        if pool["opening_quantity"] is not None and pool["closing_quantity"] is not None:
            assert (
                pool["opening_quantity"] + sum(row["quantity"] for row in lines) == pool["closing_quantity"]
            )


def is_of(row: dict[str, Any], pool: dict[str, Any]) -> bool:
    return (row["subscription_id"], row["pool"]) == (pool["subscription_id"], pool["pool"])


def read_command_line(root: Path) -> dict[str, Any]:
    """What two commands say of all customers and months."""
    compliance = json.loads(
        run_sla("compliance", "--json", "--by", "customer,month", workspace=root).expect(0).out
    )
    tickets = json.loads(run_sla("tickets", "--json", workspace=root).expect(0).out)
    return {
        "compliance": {(row["customer_id"], row["month"]): row["tally"] for row in compliance["rows"]},
        "tickets": tickets,
    }


def compare_command_line(root: Path, expected: Month, told: dict[str, Any]) -> None:
    tally = told["compliance"].get((expected.customer_id, expected.month), {})
    assert {status: tally.get(status, 0) for status in STATUSES} == expected.counts
    verdicts = {row["obligation_key"]: row for row in expected.obligations}
    listed = {
        row["obligation_key"]: row
        for row in told["tickets"]
        if row["obligation_key"] in verdicts and row["customer_id"] == expected.customer_id
    }
    assert set(listed) == set(verdicts)
    for key, row in verdicts.items():
        for name in ("status", "elapsed_seconds", "target_seconds", "remaining_seconds", "severity_in_force"):
            assert listed[key][name] == row[name], (key, name)
        for name in ("due_at", "stopped_at", "settled_at"):
            assert as_instant(listed[key][name]) == as_instant(row[name]), (key, name)
    ledger = run_sla(
        "ledger", expected.customer_id, "--month", expected.month, "--json", workspace=root
    ).expect(0)
    statements = json.loads(ledger.out)
    assert [{name: statement["months"][0][name] for name in _QUANTITIES} for statement in statements] == [
        {name: pool[name] for name in _QUANTITIES} for pool in expected.pools
    ]
    lines = [
        [
            (line["movement_kind"], line["quantity"], line["balance_after"], line["ticket_id"])
            for line in statement["lines"]
        ]
        for statement in statements
    ]
    assert lines == [
        [
            (row["movement_kind"], row["quantity"], row["balance_after"], row["ticket_id"])
            for row in expected.movements
            if is_of(row, pool)
        ]
        for pool in expected.pools
    ]


def as_instant(text: str | None) -> datetime | None:
    if text is None or text.startswith("9999"):
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_dashboard() -> dict[tuple[str, str], dict[str, Any]]:
    """The table of the page of compliance: (customer's name, month) -> its line."""
    app = AppTest.from_file(str(DASHBOARDS / "views" / "compliance.py"), default_timeout=120)
    app.query_params["by"] = "customer"
    app.run()
    assert not app.exception
    table = next(
        each.value.to_dict("records") for each in app.dataframe if "Compliance" in each.value.columns
    )
    return {(row["Customer"], read_month_name(row["Month"])): row for row in table}


def compare_dashboard(root: Path, expected: Month, shown: dict[tuple[str, str], dict[str, Any]]) -> None:
    """The page's table, and what its queries say to a reader who may see this customer only."""
    line, counts = shown.get((expected.customer_name, expected.month), {}), expected.counts
    names = ("Met", "Counted", "Breached", "Waived", "Not covered", "Not measurable")
    # The page shows 13 months.
    assert expected.month < min(month for _, month in shown) or [line.get(name, 0) for name in names] == [
        counts["met"],
        counts["met"] + counts["breached"],
        counts["breached"],
        counts["waived"],
        counts["not_covered"],
        counts["not_measurable"],
    ]
    scope = Scope((expected.customer_id,))
    selection = Selection(months=(expected.month,))
    with open_published(Workspace(root)) as published:
        trend = read_trend(published, scope, until=expected.month)
        result = read_compliance(published, scope, selection, ("month",))
        listed = read_tickets(published, scope, selection)
    assert trend[-1].month == expected.month
    for tally in (trend[-1].tally, result.total, count_by_status(listed)):
        assert {status: getattr(tally, status) for status in STATUSES} == counts


def compare_rows(expected: Month, files: dict[str, Any]) -> None:
    """The rows attached to the PDF, and the file beside it."""
    stem = Path(files["csv"]).stem
    with pikepdf.open(files["pdf"]) as document:
        attached = {name: file.get_file().read_bytes() for name, file in document.attachments.items()}
    # An edition's files carry its number; what is attached is named for the customer and month.
    [movements_name] = [name for name in attached if name.endswith("-movements.csv")]
    rows_name = movements_name.replace("-movements.csv", ".csv")
    assert set(attached) == {rows_name, movements_name} and stem.startswith(rows_name.removesuffix(".csv"))
    assert attached[rows_name] == Path(files["csv"]).read_bytes()
    compare_obligations(expected, read_csv(attached[rows_name], OBLIGATION_COLUMNS))
    compare_movements(expected, read_csv(attached[movements_name], MOVEMENT_COLUMNS))


def read_csv(content: bytes, columns: tuple[str, ...]) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert all(tuple(row) == columns for row in rows)
    return [{name: restore(text) for name, text in row.items()} for row in rows]


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


def compare_obligations(expected: Month, rows: list[dict[str, str]]) -> None:
    def key_of(row: dict[str, Any]) -> tuple[str, ...]:
        return row["ticket_id"], as_text(row["cycle_number"]), row["obligation"]

    say = expected.language
    facts = {
        (row["ticket_id"], as_text(row["cycle_number"]), say.word(row["obligation"])): row
        for row in expected.obligations
    }
    assert sorted(map(key_of, rows)) == sorted(facts)
    for row in rows:
        fact = facts[key_of(row)]
        assert row["status"] == say.status(fact["status"])
        for name in ("elapsed_seconds", "target_seconds", "remaining_seconds", "severity_in_force"):
            assert row[name] == as_text(fact[name]), (row["ticket_id"], name)
        for name in ("due_at", "stopped_at", "settled_at", "submitted_at"):
            assert as_instant(row[name] or None) == as_instant(fact[name]), (row["ticket_id"], name)
        over = (fact["elapsed_seconds"] or 0) - (fact["target_seconds"] or 0)
        is_over = None not in (fact["elapsed_seconds"], fact["target_seconds"]) and over > 0
        assert row["over_by_seconds"] == (str(over) if is_over else "")


def compare_movements(expected: Month, rows: list[dict[str, str]]) -> None:
    say = expected.language
    assert sorted(
        (row["subscription_id"], row["pool"], row["movement"], row["ticket_id"], row["quantity"], row["balance_after"])
        for row in rows
    ) == sorted(
        (
            row["subscription_id"], say.word(row["pool"]), say.say(row["movement_kind"], "movements"),
            *(as_text(row[name]) for name in ("ticket_id", "quantity", "balance_after")),
        )
        for row in expected.movements
    )  # fmt: skip


def compare_workbook(expected: Month, path: Path) -> None:
    say = expected.language
    book = openpyxl.load_workbook(path, read_only=True)
    summary, obligations, movements = (
        [dict(zip(columns, values, strict=True)) for values in sheet.iter_rows(min_row=2, values_only=True)]
        for sheet, columns in zip(
            book.worksheets, (SUMMARY_COLUMNS, OBLIGATION_COLUMNS, MOVEMENT_COLUMNS), strict=False
        )
    )
    promised = [row for row in expected.promises if row["promise"] is not None]
    names = ("met", "breached", "waived", "not_covered", "not_measurable", "running")
    assert [[line[name] for name in ("target_seconds", *names)] for line in summary[: len(promised)]] == [
        [row["target_seconds"], *(row[f"{name}_count"] for name in names)] for row in promised
    ]
    total, counts = summary[-1], expected.counts
    assert {status: total[status] for status in STATUSES} == counts
    assert total["running"] == len(expected.running)
    assert total["counted"] == counts["met"] + counts["breached"]
    ratio = figures.decimal_ratio(tally_of(expected.promises).compliance)
    assert total["compliance"] == (None if ratio is None else pytest.approx(float(ratio), abs=1e-9))
    assert Counter(
        (row["ticket_id"], row["status"], row["elapsed_seconds"]) for row in obligations
    ) == Counter(
        (row["ticket_id"], say.status(row["status"]), row["elapsed_seconds"]) for row in expected.obligations
    )
    assert Counter((row["pool"], row["quantity"], row["balance_after"]) for row in movements) == Counter(
        (say.word(row["pool"]), row["quantity"], row["balance_after"]) for row in expected.movements
    )


def tally_of(promises: list[dict[str, Any]]) -> Tally:
    return sum(
        (Tally(**{name: row[f"{name}_count"] for name in Tally.__dataclass_fields__}) for row in promises),
        Tally(),
    )


def compare_pages(expected: Month, path: Path) -> None:
    """What the pages print, without spaces: a line may end anywhere, and the order of the cells is that of reading."""
    say, page = expected.language, expected.language.section("page")
    # No row breaks across pages, so that no head or foot of a page stands within one.
    text = squash("".join(each.extract_text() for each in pypdf.PdfReader(path).pages))
    total, counts = tally_of(expected.promises), expected.counts
    assert squash(say.count("tickets_submitted", expected.submitted)) in text
    beside = {name: counts[name] for name in ("waived", "not_covered", "not_measurable")}
    assert squash(say.say("beside", running=len(expected.running), **beside)) in text
    assert squash(page["all"] + rate_of(total, say)) in text
    for row in expected.promises:
        if row["promise"] is None:
            continue
        target = figures.duration(row["target_seconds"]) + say.word(row["clock_name"])
        assert squash(target + rate_of(tally_of([row]), say)) in text, row["promise"]
    answered = [
        row
        for row in expected.obligations
        if row["status"] in ("met", "breached", "waived")
        and row["stopped_at"]
        and row["elapsed_seconds"] is not None
    ]
    for row in expected.promises:
        levels = {int(level) for level in (row["severities"] or "").split(",") if level}
        times = sorted(
            each["elapsed_seconds"]
            for each in answered
            if each["obligation"] == row["obligation"]
            and each["plan"] == row["plan"]
            and each["severity_in_force"] in levels
        )
        if times:
            printed = [times[-(-len(times) * share // 100) - 1] for share in (50, 90, 95, 100)]
            assert squash(str(len(times)) + "".join(map(figures.duration, printed))) in text
    for row in expected.obligations:
        if row["status"] in ("breached", "waived"):
            over = figures.duration(row["elapsed_seconds"] - row["target_seconds"])
            assert squash(row["ticket_id"]) in text and squash(over) in text
    for row in expected.running:
        assert squash(figures.duration(row["remaining_seconds"])) in text
    for pool in expected.pools:
        assert (
            squash(
                "".join(print_pool(pool, [each for each in expected.pools if is_of_term(each, pool)], say))
            )
            in text
        )


def squash(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


def rate_of(tally: Tally, say: Language) -> str:
    return figures.percent_alone(tally.compliance, say) + figures.parts(tally.compliance, language=say)


def is_of_term(pool: dict[str, Any], other: dict[str, Any]) -> bool:
    return pool["subscription_id"] == other["subscription_id"]


def print_pool(pool: dict[str, Any], of_term: list[dict[str, Any]], say: Language) -> list[str]:
    """The cells of a pool's row. A column in which no pool of the term has anything is left out."""

    def balance(row: dict[str, Any], name: str) -> str:
        if row["is_unlimited"]:
            return say.say("unlimited")
        return str(row[name]) if row["is_stated"] and row[name] is not None else say.say("not_stated")

    def cells(row: dict[str, Any]) -> list[str]:
        return [
            balance(row, "opening_quantity"),
            "–" if row["granted_quantity"] is None else str(row["granted_quantity"]),
            *(str(row[f"{name}_quantity"]) for name in ("purchased", "used", "credited")),
            figures.signed(row["overflowed_out_quantity"] - row["overflowed_in_quantity"]),
            figures.signed(row["overage_quantity"]),
            str(row["expired_quantity"]),
            figures.signed(row["carried_quantity"]),
            balance(row, "closing_quantity"),
            str(row["overage_to_date_quantity"]),
        ]

    held = [
        place
        for place in range(11)
        if place in (0, 3, 9) or any(cells(row)[place] not in ("", "–", "0") for row in of_term)
    ]
    return [say.word(pool["pool"]), *(cells(pool)[place] for place in held)]
