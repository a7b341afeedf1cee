"""One unit is one unit wherever it is read: the statement, the customer's PDF, the dashboard, the mart and the facts agree.

Random customers and months of a build whose histories hold what a ledger has trouble with (tests/generative/ledger_histories.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboards.serve import HERE as DASHBOARDS
from pipeline.cli import app
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Movement, read_ledger
from pipeline.reporting.published import EVERY_CUSTOMER, open_published
from pipeline.reporting.render_report import render_report
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.generative.ledger_histories import LANDED_AT, draw_world, write_one_batch, write_workspace
from tests.generative.ticket_histories import show

SEED = 8
CUSTOMERS = 150
PAIRS = 200
MOVED = (
    "granted",
    "purchased",
    "used",
    "credited",
    "overflowed_in",
    "overflowed_out",
    "overage",
    "expired",
    "carried",
)
ACCOUNT_WORDS = {
    "Purchased": "purchased",
    "Used": "used",
    "Credited": "credited",
    "Flowed in": "overflowed_in",
    "Flowed out": "overflowed_out",
    "Expired": "expired",
    "Carried": "carried",
    "Overage": "overage",
}
Row = dict[str, Any]
Pair = tuple[str, str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("statements")
    world = draw_world(SEED, CUSTOMERS)
    write_workspace(folder, world)
    write_one_batch(folder, world)
    run_sla("ingest", workspace=folder, SOURCE_DATE_EPOCH=str(LANDED_AT)).expect(0)
    run_sla("--as-of", show(world.as_of), "build", workspace=folder).expect(0)
    return folder


@pytest.fixture(scope="module")
def pairs(root: Path) -> list[Pair]:
    """Random customers and months for which a report can be made."""
    reported = query(root, "select customer_id, month from marts.mart_customer__monthly_report order by all")
    return random.Random(SEED).sample(reported, min(PAIRS, len(reported)))


def read_rows(root: Path, sql: str) -> Iterator[Row]:
    for (row,) in query(root, f"select to_json(each) from ({sql}) as each"):
        yield json.loads(row)


def read_months(root: Path) -> dict[tuple[str, str], list[Row]]:
    """(customer, month) -> what the facts hold of every pool, with the sum of the lines of that month."""
    sql = """
        select months.*, coalesce(lines.quantity, 0) as lines_quantity, coalesce(lines.count, 0) as lines_count
        from core.fct_entitlement_months as months
        left join (
          select subscription_id, pool, month, sum(quantity)::bigint as quantity, count(*) as count
          from core.fct_entitlement_movements group by all
        ) as lines using (subscription_id, pool, month)
        order by months.subscription_id, months.pool, months.month
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in read_rows(root, sql):
        found.setdefault((row["customer_id"], row["month"]), []).append(row)
    return found


def ask(root: Path, *arguments: str) -> str:
    """What the command prints; in this process, because there are hundreds of them."""
    done = CliRunner().invoke(app, ["--workspace", str(root), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_statements_say_what_the_facts_hold(root: Path, pairs: list[Pair]) -> None:
    assert len(pairs) == PAIRS
    months = read_months(root)
    for customer, month in pairs:
        told = json.loads(ask(root, "--json", "ledger", customer, "--month", month))
        statements = {(each["subscription_id"], each["pool"]): each for each in told}
        facts = {(row["subscription_id"], row["pool"]): row for row in months.get((customer, month), [])}
        assert statements.keys() == facts.keys(), (customer, month)
        for key, fact in facts.items():
            statement = statements[key]
            [own] = statement["months"]
            columns = ["opening_quantity", "closing_quantity", *(f"{word}_quantity" for word in MOVED)]
            assert {name: own[name] for name in columns} == {name: fact[name] for name in columns}, key
            assert sum(line["quantity"] or 0 for line in statement["lines"]) == fact["lines_quantity"], key
            assert len(statement["lines"]) == fact["lines_count"], key


def test_printed_statements_read_like_a_bank_statement(root: Path, pairs: list[Pair]) -> None:
    # Opening, every line with the balance after it, closing: each balance is the one above it and the line's units.
    for customer, _ in pairs[::5]:
        told = json.loads(ask(root, "--json", "ledger", customer))
        printed = ask(root, "ledger", customer)
        limited = [each for each in told if each["months"][-1]["closing_quantity"] is not None]
        for statement in limited:
            balance = statement["months"][0]["opening_quantity"]
            for line in statement["lines"]:
                balance += line["quantity"]
                assert line["balance_after"] == balance >= 0
            assert balance == statement["months"][-1]["closing_quantity"]
        blocks = read_blocks(printed)
        for statement in limited:
            title = f"{figures.words(statement['pool'])} of {statement['subscription_id']} "
            [block] = [rows for name, rows in blocks.items() if name.startswith(title)]
            numbers = [row.split()[-1] for row in block]
            assert numbers == [
                str(statement["months"][0]["opening_quantity"]),
                *(str(line["balance_after"]) for line in statement["lines"]),
                str(statement["months"][-1]["closing_quantity"]),
            ], title


def read_blocks(printed: str) -> dict[str, list[str]]:
    """Title -> the lines from the opening to the closing balance."""
    blocks: dict[str, list[str]] = {}
    title, last = "", ""
    is_open = False
    for line in printed.splitlines():
        if " of " in line and " to " in line and line.lstrip() == line:
            title = line
        if "opening balance" in line:
            is_open, blocks[title] = True, []
        if is_open and line.strip():
            blocks[title].append(line)
        if "closing balance" in line:
            is_open, last = False, line
    assert not is_open, last
    return blocks


def test_pdfs_show_the_units_of_the_statement(root: Path, pairs: list[Pair], tmp_path: Path) -> None:
    check_pdfs(root, pairs[:25], tmp_path)


@pytest.mark.long
def test_two_hundred_pdfs_show_the_units_of_the_statement(
    root: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    check_pdfs(root, pairs, tmp_path)


def check_pdfs(root: Path, pairs: list[Pair], folder: Path) -> None:
    """The page prints each pool's sums as one row, and every line of the month with its units and balance."""
    months = read_months(root)
    with open_published(Workspace(root)) as published:
        for customer, month in pairs:
            files = render_report(published, EVERY_CUSTOMER, customer, month, folder)
            text = read_pdf(files.pdf)
            terms: dict[str, list[Row]] = {}
            for row in months.get((customer, month), []):
                terms.setdefault(row["subscription_id"], []).append(row)
            for rows in terms.values():
                cells = [list_sums(row) for row in rows]
                # A column that holds nothing in the whole term is left out; opening, used and closing stay.
                kept = [
                    place
                    for place in range(len(cells[0]))
                    if place in (0, 1, 4, 10) or any(row[place] not in ("0", "–") for row in cells)
                ]
                for row in cells:
                    printed = " ".join(row[place] for place in kept)
                    assert printed in text, (customer, month, printed, text)
            statements = read_ledger(published, EVERY_CUSTOMER, customer, month)
            lines = [list_places(line) for statement in statements for line in statement.lines]
            held = [place for place in (0, 1) if any(cells[place] != "–" for cells in lines)]
            for cells in lines:
                # A long id is broken at its hyphen.
                row = " ".join([*(cells[place] for place in held), *cells[2:]])
                assert row.replace(" ", "") in text.replace(" ", ""), (customer, month, cells)


def list_places(line: Movement) -> list[str]:
    payers = {"purchase": f"pack {line.payer_id}", "term": "term", None: "–"}
    return [
        line.ticket_id or (line.cause_id if line.cause_kind == "purchase" else "–"),
        payers[line.payer_kind],
        signed(line.quantity),
        "–" if line.balance_after is None else str(line.balance_after),
    ]


def list_sums(row: Row) -> list[str]:
    def kind(number: int | None) -> str:
        return figures.quantity(number, is_unlimited=row["is_unlimited"], is_stated=row["is_stated"])

    borrowed = row["overflowed_out_quantity"] - row["overflowed_in_quantity"]
    return [
        figures.words(row["pool"]),
        kind(row["opening_quantity"]),
        "–" if row["granted_quantity"] is None else str(row["granted_quantity"]),
        str(row["purchased_quantity"]),
        str(row["used_quantity"]),
        str(row["credited_quantity"]),
        signed(borrowed),
        signed(row["overage_quantity"]),
        str(row["expired_quantity"]),
        signed(row["carried_quantity"]),
        kind(row["closing_quantity"]),
        str(row["overage_to_date_quantity"]),
    ]


def signed(value: int | None) -> str:
    if value is None:
        return "–"
    return f"{'+' if value > 0 else '−'}{abs(value)}" if value else "0"


def read_pdf(path: Path) -> str:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    return " ".join(text.replace("\u200b", "").split())


def test_dashboard_and_mart_hold_the_sum_of_all_months(
    root: Path, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = ", ".join(f"sum({word}_quantity)::bigint as {word}" for word in MOVED)
    totals = {
        (row["subscription_id"], row["pool"]): row
        for row in read_rows(
            root,
            f"select subscription_id, pool, {sums}, arg_max(closing_quantity, month) as remaining, "
            "max_by(overage_to_date_quantity, month) as over from core.fct_entitlement_months group by all",
        )
    }
    chosen = {customer for customer, _ in pairs}
    balances = list(read_rows(root, "from marts.mart_account__entitlement_balances"))
    page = read_page(monkeypatch, root)
    assert len(page) == len(balances)
    compared = 0
    for balance in balances:
        if balance["customer_id"] not in chosen or balance["term_status"] == "upcoming":
            continue
        total = totals[balance["subscription_id"], balance["pool"]]
        key = (balance["customer_name"], balance["term_starts_on"], figures.words(balance["pool"]))
        shown = page[key]
        for column, word in ACCOUNT_WORDS.items():
            assert shown[column] == balance[f"{word}_quantity"] == total[word], (key, word)
        assert balance["remaining_quantity"] == total["remaining"], key
        assert balance["overage_quantity"] == total["over"], key
        assert shown["Remaining"] == figures.quantity(
            total["remaining"], is_unlimited=balance["is_unlimited"], is_stated=balance["is_stated"]
        ), key
        compared += 1
    assert compared > PAIRS


def read_page(monkeypatch: pytest.MonkeyPatch, root: Path) -> dict[tuple[str, str, str], Row]:
    """(customer, first day of the term, pool) -> the row of the dashboard's table, for the terms of all states."""
    monkeypatch.setenv("SLA_WORKSPACE", str(root))
    page = AppTest.from_file(str(DASHBOARDS / "views" / "entitlements.py"), default_timeout=60)
    page.query_params["term"] = ""
    page.run()
    assert not page.exception
    # What has a number, and what is not stated, are two tables; renewals are a third one.
    tables = [
        each.value.to_dict("records")
        for each in page.dataframe
        if {"Remaining", "Pool"} <= set(each.value.columns)
    ]
    return {(row["Customer"], _first_day(row["Term"]), row["Pool"]): row for table in tables for row in table}


def _first_day(term: str) -> str:
    # British English abbreviates September to four letters, Python to three.
    written = term.split(" to ")[0].replace("Sept", "Sep")
    return datetime.strptime(written, "%d %b %Y").date().isoformat()
