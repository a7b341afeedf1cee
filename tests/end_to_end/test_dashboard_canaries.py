"""200 customers with a canary each: every page and every file as 200 people, half of them on a customer's side. No person sees a
canary of another customer."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from dashboards.pages import PAGES, may_open
from pipeline.pointer import read_pointer
from tests.unit.dashboards.roles import ask_for_login, list_texts, log_in, record_downloads, run_page
from tests.unit.dashboards.small_build import change, publish

CUSTOMERS = 200
# What tells rows apart, and what a source or a contract wrote.
IDS = (
    "ticket_id", "obligation_key", "span_key", "event_id", "movement_id", "subscription_id", "payer_id", "cause_id",
    "finding_key", "compliance_key", "backlog_change_key", "hourly_count_key",
)  # fmt: skip
TEXTS = (
    "customer_name",
    "subject",
    "requester",
    "actor",
    "value",
    "evidence",
    "effect",
    "group_name",
    "assignee",
)


def multiply(root: Path) -> None:
    """Publish the small build with its first customer as each of 200, each id and each text of them with a canary of its own."""
    workspace = publish(root)
    pointer = read_pointer(workspace)
    assert pointer is not None
    with duckdb.connect(str(workspace.published / pointer.file), read_only=True) as connection:
        columns = connection.execute(
            "select schema_name || '.' || table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name in ('core', 'marts', 'qc') group by all order by 1"
        ).fetchall()
    statements = [
        "update core.fct_sla_breach_holdings set group_name = 'Group', assignee = 'Assignee'",
        "create temp table numbers as select unnest(generate_series(1, " + str(CUSTOMERS) + ")) as number",
    ]
    for table, names in columns:
        key = (
            "customer_id"
            if "customer_id" in names
            else "obligation_key"
            if table.endswith("_holdings")
            else None
        )
        if key is None:
            continue
        replaced = [f"{name} || '~c' || number as {name}" for name in IDS if name in names]
        replaced += [f"{name} || ' canary-' || number || '.' as {name}" for name in TEXTS if name in names]
        own = "customer_id = 'acme'" if key == "customer_id" else "obligation_key = 'T-4:first_response:1'"
        replaced += ["'c' || number as customer_id"] if key == "customer_id" else []
        rows = f"select * exclude (number) replace ({', '.join(replaced)}) from {table} cross join numbers where {own}"
        statements += [
            f"create temp table copied as {rows}",
            f"delete from {table}",
            f"insert into {table} from copied",
            "drop table copied",
        ]
    change(workspace, ";\n".join(statements))
    entries = "".join(
        f"  - {{role: {role_of(number)}, people: [p{number}@x.example], customers: [c{number}]}}\n"
        for number in range(1, CUSTOMERS + 1)
    )
    ask_for_login(root, f"access:\n{entries}")


def role_of(number: int) -> str:
    return "account" if number % 2 else "customer"


@pytest.mark.long
def test_no_person_sees_a_canary_of_another_customer(tmp_path, monkeypatch):
    multiply(tmp_path)
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    offered = record_downloads(monkeypatch)
    leaks, seen = [], set()
    for number in range(1, CUSTOMERS + 1):
        log_in(monkeypatch, email=f"p{number}@x.example")
        for page in PAGES:
            if not may_open(role_of(number), page.file):  # type: ignore[arg-type]
                continue
            name = page.file.removeprefix("views/").removesuffix(".py")
            address = {"customer": f"c{number}", "ticket": f"T-4~c{number}", "month": ""}
            app = run_page(name, address)
            assert not app.exception, (number, name)
            texts = " ".join([*list_texts(app), str(offered)])
            offered.clear()
            found = {
                int(each)
                for each in re.findall(r"canary-([0-9]+)\.|~c([0-9]+)\b", texts)
                for each in each
                if each
            }
            seen |= {(name, each) for each in found}
            leaks += [(number, name, each) for each in found - {number}]
    assert leaks == []
    # Every customer was there to be seen, by its own people.
    assert {each for _, each in seen} == set(range(1, CUSTOMERS + 1))
    assert {"tickets", "ticket", "customer", "entitlements", "findings", "why", "backlog"} <= {
        name for name, _ in seen
    }
