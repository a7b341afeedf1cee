"""`sla forget`: what was planted stands in no file of the workspace, figures are those of before, nothing brings it back."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pypdf
import pytest

from pipeline.ingest.landing.forgotten import read_forgotten
from pipeline.privacy.forget import begin, carry_out
from pipeline.settings import Workspace
from tests.delivery.settings import configure
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import dump_tables
from tests.end_to_end.small_vendor import (
    CUSTOMERS_HEADER,
    EVENTS_HEADER,
    TERMS_HEADER,
    TICKETS_HEADER,
    init_vendor,
    write_lines,
)

ANN, BEN, EVE = "tk0001x@acme.example", "TK0002x@Acme.example", "tk0003x@bluebird.example"
TICKETS = 40
MONTH = "2026-02"


def token(number: int) -> str:
    return f"tk{number:04d}x"


def name_owner(number: int) -> tuple[str, str]:
    """Customer and requester of a ticket: a third is Ann's, a third Ben's, a third Eve's of the other customer."""
    return (("acme", ANN), ("acme", BEN), ("bluebird", EVE))[number % 3]


OF_ANN = [
    ANN[:7],
    *(token(100 + number) for number in range(TICKETS) if name_owner(number)[1] == ANN),
    token(200),
]
OF_ACME = [
    *OF_ANN, "tk0002x", *(token(100 + number) for number in range(TICKETS) if name_owner(number)[1] == BEN),
    *map(token, (300, 301, 302, 303)),
]  # fmt: skip
OF_BLUEBIRD = [
    "tk0003x",
    *(token(100 + number) for number in range(TICKETS) if name_owner(number)[1] == EVE),
    token(304),
]


def plant(root: Path) -> Path:
    """A vendor whose every personal field holds a token of its own; landed, published, closed, delivered as a file."""
    init_vendor(root)
    write_lines(
        root / "sla.yml",
        "compare_plans: []",
        "keep_exports: true",
        f"periods: {{first_month: {MONTH}}}",
        "branding:",
        f"  customers: {{acme: {{sender: {token(303)}@x.example}}}}",
        "sources:",
        "  desk: {type: canonical, allow: {refused_records: 60}}",
    )
    write_lines(
        root / "reference/customers.csv",
        CUSTOMERS_HEADER,
        f"acme,{token(300)} Söhne & Co,UTC,en,{token(301)}@x.example;{ANN}",
        f"bluebird,{token(304)} Ltd,UTC,en,",
    )
    write_lines(
        root / "reference/subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standard,2026-01-01,2027-01-01,paid,active",
        "S-2,bluebird,standard,2026-01-01,2027-01-01,paid,active",
    )
    write_lines(
        root / "reference/contacts.csv",
        "customer_id,contact,valid_from,valid_to",
        f"acme,{ANN},2026-01-01,",
        f"acme,{token(302)}@acme.example,2026-01-01,",
    )
    write_lines(
        root / "reference/waivers.csv",
        "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on",
        f"W-1,T-000,first_response,Said {token(200)} by telephone,dana@vendor.example,petra@vendor.example,2026-02-20T08:00:00Z,",
    )
    drop(root)
    configure(root, None, "  most_undecided_points: 20")
    text = (root / "sla.yml").read_text(encoding="utf-8")
    text = text.replace("2026-05", MONTH).replace("[x.example]", "[x.example, acme.example]")
    (root / "sla.yml").write_text(text, encoding="utf-8")
    run_sla("run", workspace=root).expect(0)
    run_sla("report", "--all", "--month", MONTH, "--evidence", workspace=root).expect(0)
    run_sla("report", "--all", "--month", "2026-03", workspace=root).expect(0)
    return root


def drop(root: Path, name: str = "") -> None:
    """Every other ticket is answered after four hours, the others after three days; the last file proves up to March."""
    tickets, events = [], []
    for number in range(TICKETS):
        customer, requester = name_owner(number)
        day = f"2026-02-{2 + number // 10:02d}"
        tickets.append(
            f"T-{number:03d},{customer},{requester},web_form,3,{day}T08:00:00Z,About {token(100 + number)},,,{day}T12:00:00Z"
        )
        answered = f"{day}T12:00:00Z" if number % 2 else f"2026-02-{5 + number // 10:02d}T08:00:00Z"
        events += [
            f"M-{number:03d},T-{number:03d},{day}T08:00:00Z,message,customer,{requester},true,",
            f"E-{number:03d},T-{number:03d},{answered},message,agent,mia,true,",
        ]
    tickets.append(f"T-900,acme,{BEN},web_form,3,2026-03-10T08:00:00Z,Export is empty,,,2026-03-10T08:00:00Z")
    # Refused: an instant that names Ann, on a ticket of hers.
    events.append(f"M-900,T-000,{ANN},message,customer,{ANN},true,")
    write_lines(root / "inbox/desk" / f"tickets{name}.csv", TICKETS_HEADER, *tickets)
    write_lines(root / "inbox/desk" / f"events{name}.csv", EVENTS_HEADER, *events)


def read_texts(path: Path) -> Iterator[bytes]:
    """All that a file says: written for this test, not with the search of the product."""
    content = path.read_bytes()
    yield path.name.encode() + content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    elif path.suffix == ".parquet":
        yield repr(pq.read_table(path).to_pydict()).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table, column in connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns() where data_type like '%VARCHAR%'"
            ).fetchall():
                yield repr(
                    connection.execute(f'select distinct "{column}" from "{schema}"."{table}"').fetchall()
                ).encode()
    elif path.suffix in (".xlsx", ".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            yield from (parts.read(part) for part in parts.namelist())
    elif path.suffix == ".pdf":
        yield from read_pdf(content)
    elif path.suffix == ".eml":
        import email
        from email.policy import default

        for part in email.message_from_bytes(content, policy=default).walk():
            attached = part.get_payload(decode=True)
            if isinstance(attached, bytes):
                yield attached
                if attached[:4] == b"%PDF":
                    yield from read_pdf(attached)
                elif attached[:2] == b"PK":
                    with zipfile.ZipFile(io.BytesIO(attached)) as parts:
                        yield from (parts.read(name) for name in parts.namelist())


def read_pdf(content: bytes) -> Iterator[bytes]:
    reader = pypdf.PdfReader(io.BytesIO(content))
    # A line may break within a word.
    yield "".join("".join(page.extract_text().split()) for page in reader.pages).encode()
    yield from (one for contents in reader.attachments.values() for one in contents)


def find_tokens(root: Path, tokens: list[str]) -> dict[str, set[str]]:
    """File -> the tokens that stand in it, in any case."""
    found: dict[str, set[str]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            text = b"\n".join(read_texts(path)).lower()
            there = {one for one in tokens if one.encode() in text or one.encode("utf-16-le") in text}
            if there:
                found[str(path.relative_to(root))] = there
    return found


FIGURES = ("core.fct_sla_", "core.fct_entitlement", "core.fct_ticket_open", "marts.")


def read_figures(root: Path) -> dict[str, str]:
    """Every row of figures, without the name of the customer, which is none."""
    dumped = dump_tables(root, "core", "marts")
    names = dict.fromkeys(token(300 + number) for number in (0, 4))
    text = {name: rows for name, rows in dumped.items() if name.startswith(FIGURES)}
    for name in names:
        text = {
            table: rows.replace(f"{name} Söhne & Co", "NAME").replace(f"{name} Ltd", "NAME")
            for table, rows in text.items()
        }
    import re

    return {table: re.sub(r"forgotten-[0-9a-f]{12}'", "NAME'", rows) for table, rows in text.items()}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only: copy it."""
    return plant(tmp_path_factory.mktemp("planted") / "vendor")


@pytest.fixture
def vendor(planted: Path, tmp_path: Path) -> Path:
    return shutil.copytree(planted, tmp_path / "vendor")


def test_forgotten_requester_and_then_customer_stand_in_no_file_and_no_figure_changes(
    vendor: Path, tmp_path: Path
) -> None:
    everything = {*OF_ACME, *OF_BLUEBIRD}
    assert set().union(*find_tokens(vendor, sorted(everything)).values()) == everything
    assert {Path(name).suffix for name in find_tokens(vendor, OF_ANN)} >= {
        ".csv", ".gz", ".parquet", ".duckdb", ".pdf", ".xlsx", ".zip", ".eml", ".ndjson"
    }  # fmt: skip
    figures, month = read_figures(vendor), run_sla("compliance", "--month", MONTH, workspace=vendor).out
    ledger = run_sla("ledger", "acme", workspace=vendor).expect(0).out
    [issued] = (vendor / "reports" / MONTH).glob("acme-*.pdf")
    copy = shutil.copy(issued, tmp_path / "as the customer has it.pdf")
    old = shutil.copytree(vendor / "inbox", tmp_path / "old exports")

    seen = run_sla("forget", ANN.upper(), "--dry-run", workspace=vendor).expect(0).out
    assert "14 tickets" in seen and "removed: inbox/desk/tickets.csv" in seen
    assert find_tokens(vendor, OF_ANN) != {}
    run_sla("forget", ANN.upper(), workspace=vendor).expect(0)
    assert find_tokens(vendor, OF_ANN) == {}
    assert read_figures(vendor) == figures
    # Ben's tickets are still there, in what is kept; the exports that held both are gone.
    ben = {one for one in OF_ACME if one not in OF_ANN}
    assert set().union(*find_tokens(vendor, sorted(ben)).values()) == ben
    assert run_sla("compliance", "--month", MONTH, workspace=vendor).out == month
    assert run_sla("ledger", "acme", workspace=vendor).out == ledger
    run_sla("check", workspace=vendor).expect(0)
    said = run_sla("verify", str(copy), workspace=vendor).expect(0).out
    assert "unchanged" in said and "Its figures stand" in said and "has forgotten a person" in said

    # The old export comes back, under its own name and as another file of the same records.
    shutil.copytree(old, vendor / "inbox", dirs_exist_ok=True)
    drop(vendor, "-again")
    with (vendor / "inbox/desk/tickets-again.csv").open("a", encoding="utf-8") as file:
        file.write(
            f"T-901,acme,{ANN},web_form,3,2026-03-10T08:00:00Z,About {token(100)},,,2026-03-10T08:00:00Z\n"
        )
    run_sla("run", workspace=vendor)
    assert {name.partition("/")[0] for name in find_tokens(vendor, OF_ANN)} == {"inbox"}
    shutil.rmtree(vendor / "inbox")
    run_sla("report", "--all", "--month", MONTH, workspace=vendor).expect(0)
    [again] = (vendor / "reports").glob(f"acme-*-{MONTH}.pdf")
    assert "has forgotten" not in run_sla("verify", str(again), workspace=vendor).expect(0).out
    assert find_tokens(vendor, OF_ANN) == {}

    figures = read_figures(vendor)
    done = json.loads(run_sla("forget", "acme", "--json", workspace=vendor).expect(0).out)
    assert done["customers"] == ["acme"] and done["left"] == []
    assert find_tokens(vendor, OF_ACME) == {}
    assert set().union(*find_tokens(vendor, OF_BLUEBIRD).values()) == set(OF_BLUEBIRD)
    assert read_figures(vendor) == figures
    assert run_sla("compliance", "--month", MONTH, workspace=vendor).out == month
    run_sla("check", workspace=vendor).expect(0)
    run_sla("run", workspace=vendor).expect(0)
    run_sla("doctor", workspace=vendor)
    assert "Its figures stand" in run_sla("verify", str(copy), workspace=vendor).expect(0).out


def test_list_of_what_is_forgotten_holds_no_value(vendor: Path) -> None:
    workspace = Workspace(vendor)
    begin(workspace, ANN)
    found = read_forgotten(workspace)
    assert found is not None and found.is_person(ANN.upper()) and not found.is_person(BEN)
    assert found.has_ticket("desk", "T-000") and not found.has_ticket("desk", "T-001")
    assert not found.has_ticket("other", "T-000")
    text = (vendor / "warehouse/forgotten.json").read_text(encoding="utf-8").lower()
    assert "tk0" not in text and "acme" not in text and "t-000" not in text
    assert found.pseudonym(ANN).endswith("@acme.example") and found.pseudonym(ANN) == found.pseudonym(
        ANN.upper()[:7] + ANN[7:]
    )


def test_request_that_was_killed_is_finished_by_the_next_run(vendor: Path) -> None:
    workspace = Workspace(vendor)
    figures = read_figures(vendor)
    begin(workspace, ANN)
    carry_out(workspace)
    assert workspace.forgetting.exists()
    carry_out(workspace)
    run_sla("run", workspace=vendor).expect(0)
    assert not workspace.forgetting.exists()
    assert find_tokens(vendor, OF_ANN) == {}
    assert read_figures(vendor) == figures


def test_unknown_name_is_refused_and_nothing_is_written(vendor: Path) -> None:
    run_sla("forget", "nosuch@acme.example", workspace=vendor).expect(
        2, "No landed row names 'nosuch@acme.example'"
    )
    assert not (vendor / "warehouse/forgotten.json").exists()


class Planter:
    """Gives out tokens, each once, and knows which of them it gave."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, text: object = "") -> str:
        self.given.append(f"tk{5000 + len(self.given):04d}x")
        return f"{text or ''} {self.given[-1]}".strip()

    def address(self) -> str:
        return f"{self()}@ohara-media-group.example"


# Of the demo: its requesters, its organization, and the one who asks most.
OHARA, OHARA_ORGANIZATION = "ohara-media-group", 361900000003


def plant_in_demo(root: Path, tickets: int = 6) -> list[str]:
    """A token of its own in every field of every export and reference file that may hold a text of one customer."""
    plant = Planter()
    for record in read_records(root / "inbox/helpdesk/users.ndjson"):
        if record["organization_id"] == OHARA_ORGANIZATION:
            address = record["email"]
            record |= {
                "name": plant(record["name"]), "email": plant.address(), "external_id": plant(), "notes": plant(),
                "details": plant(), "phone": plant(), "alias": plant(), "signature": plant(), "tags": [plant()],
                "user_fields": {"title": plant()},
            }  # fmt: skip
            replace_in_references(root, address, record["email"])
    for record in read_records(root / "inbox/helpdesk/organizations.ndjson"):
        if record["id"] == OHARA_ORGANIZATION:
            record |= {
                "name": plant(record["name"]), "details": plant(), "notes": plant(), "tags": [plant()],
                "domain_names": [f"{plant()}.example"], "organization_fields": {"site": plant()},
            }  # fmt: skip
    replace_in_references(root, "O'Hara Media Group", plant("O'Hara Media Group"))
    chosen: list[int] = []
    for path in sorted((root / "inbox/helpdesk").glob("tickets-*.json")):
        page = json.loads(path.read_text(encoding="utf-8"))
        for record in page["tickets"]:
            if record["organization_id"] != OHARA_ORGANIZATION or len(chosen) >= tickets:
                continue
            chosen.append(record["id"])
            record |= {
                "subject": plant(record["subject"]), "raw_subject": plant(), "description": plant(),
                "external_id": plant(), "recipient": plant.address(), "email_cc_ids": [plant.address()],
                "tags": [*record["tags"], plant()],
            }  # fmt: skip
            record["via"]["source"]["from"] = {"name": plant(), "address": plant.address()}
            record["custom_fields"].append({"id": 360009, "value": plant()})
            record["satisfaction_rating"] = {"score": "bad", "comment": plant()}
        path.write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    assert chosen
    for path in sorted((root / "inbox/helpdesk").glob("audits-*.ndjson")):
        for record in read_records(path):
            if record["ticket_id"] not in chosen:
                continue
            record["metadata"]["system"] = {"client": plant(), "ip_address": plant(), "location": plant()}
            record["via"]["source"]["from"] = {"name": plant(), "address": plant.address()}
            for event in record["events"]:
                if event["type"] == "Comment":
                    event |= {"body": plant(), "html_body": f"<p>{plant()}</p>", "plain_body": plant()}
                    event["attachments"] = [{"file_name": f"{plant()}.log"}]
                elif event["type"] == "Notification":
                    event |= {"subject": plant(), "body": plant()}
                elif event["field_name"] == "subject":
                    event |= {"value": plant(), "previous_value": plant()}
    text = (root / "reference/waivers.csv").read_text(encoding="utf-8")
    waiver = f"W-TOKEN,{chosen[0]},first_response,{plant('Said')},dana@vendor.example,petra@vendor.example,2026-05-20T08:00:00Z,"
    (root / "reference/waivers.csv").write_text(f"{text}{waiver}\n", encoding="utf-8")
    return plant.given


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of an NDJSON file, which is written again as they were changed."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    yield from records
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def replace_in_references(root: Path, text: str, by: str) -> None:
    for path in (root / "reference").glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace(text, by), encoding="utf-8")


@pytest.mark.long
def test_customer_of_the_demo_with_a_token_in_every_field_of_every_file_is_forgotten(
    demo_workspace: Path, tmp_path: Path
) -> None:
    root = tmp_path / "demo"
    for name in ("inbox", "reference", "branding", "sla.yml"):
        part = demo_workspace / name
        root.mkdir(exist_ok=True)
        (shutil.copytree if part.is_dir() else shutil.copy)(part, root / name)
    tokens = plant_in_demo(root)
    assert len(tokens) >= 100
    run_sla("run", workspace=root).expect(0)
    run_sla("report", "--customer", OHARA, "--month", "2026-05", "--evidence", workspace=root).expect(0)
    assert set().union(*find_tokens(root, tokens).values()) == set(tokens)
    copies = list((root / "reports").rglob(f"{OHARA}*.pdf"))
    assert copies
    kept = [shutil.copy(each, tmp_path / f"copy-{number}.pdf") for number, each in enumerate(copies)]
    figures = run_sla("compliance", "--month", "2026-05", "--json", workspace=root).expect(0).out
    run_sla("forget", OHARA, workspace=root).expect(0)
    assert find_tokens(root, tokens) == {}
    after = run_sla("compliance", "--month", "2026-05", "--json", workspace=root).expect(0).out
    assert json.loads(after)["rows"] == json.loads(figures)["rows"]
    run_sla("check", workspace=root).expect(0)
    for copy in kept:
        said = run_sla("verify", str(copy), workspace=root).expect(0).out
        assert "Its figures stand" in said and "has forgotten a person" in said
