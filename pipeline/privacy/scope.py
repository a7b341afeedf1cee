"""Whose values are meant by a requester's address or a customer's id, and which tickets are theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow.parquet as pq

from pipeline.errors import ConfigurationError
from pipeline.ingest.landing.forgotten import Forgotten, find_tickets
from pipeline.ingest.landing.manifest import Batch, list_batches
from pipeline.reporting.published import Published
from pipeline.rules.load_sources import load_sources
from pipeline.settings import Workspace

_CUSTOMER_SIDE = ("requester", "author_address", "opener", "person")


@dataclass(frozen=True)
class Scope:
    """`values`: addresses and names in every spelling that was found. `customers`: those whose documents may hold them."""

    values: tuple[str, ...]
    customers: tuple[str, ...]
    ticket_count: int


def find_scope(
    workspace: Workspace, published: Published, whom: str, forgotten: Forgotten
) -> tuple[Scope, Forgotten]:
    """The scope of a request, and the list with it. Raises ConfigurationError where no landed row and no customer is named so."""
    batches = list_batches(workspace)
    is_customer = bool(
        published.fetch(
            dict, "select 1 as one from core.dim_customers where customer_id = $whom", {"whom": whom}
        )
    )
    if is_customer:
        return _find_customer(workspace, published, whom, forgotten, batches)
    return _find_requester(workspace, published, whom, forgotten, batches)


def _find_requester(
    workspace: Workspace, published: Published, whom: str, forgotten: Forgotten, batches: Collection[Batch]
) -> tuple[Scope, Forgotten]:
    spellings: set[str] = set()
    ids: set[str] = set()
    wanted = whom.strip().casefold()
    for row in _read_people(workspace, batches):
        if wanted in {str(value).strip().casefold() for value in row.values() if value}:
            spellings |= {
                value for name, value in row.items()
                if value and name in _CUSTOMER_SIDE and value.strip().casefold() == wanted
            }  # fmt: skip
            # An id stands for its person in other tables; the rows that pair the two give the address of an id as well.
            ids |= {value for name, value in row.items() if value and name in ("requester_id", "person_id")}
            person = row.get("person")
            if person and row.get("person_id"):
                spellings.add(person)
    if not spellings and not ids:
        raise ConfigurationError(
            f"No landed row names {whom!r}, and it is no customer of reference/customers.csv. Give the address as the helpdesk "
            "writes it, or a customer id."
        )
    values = tuple(sorted(spellings | {whom.strip()}))
    people = {forgotten.hash("person", value) for value in values}
    # The ids only find tickets: they are keys, and stay.
    by_id = replace(
        forgotten,
        people=forgotten.people | people | {forgotten.hash("person", one) for one in ids},
        _known={},
    )
    found = _find_tickets(workspace, by_id, batches, ())
    found = replace(found, people=forgotten.people | people, _known={})
    tickets = list_tickets(published, found)
    customers = sorted({customer for _, customer in tickets if customer})
    return Scope(values, tuple(customers), len(tickets)), found


def _find_customer(
    workspace: Workspace, published: Published, whom: str, forgotten: Forgotten, batches: Collection[Batch]
) -> tuple[Scope, Forgotten]:
    rows = published.fetch(
        dict,
        "select ticket_id, source, requester from core.dim_tickets where customer_id = $whom",
        {"whom": whom},
    )
    values = {row["requester"] for row in rows if row["requester"]}
    for sql in (
        "select customer_name as value from core.dim_customers where customer_id = $whom",
        "select contact as value from core.dim_contacts where customer_id = $whom",
    ):
        values |= {row["value"] for row in published.fetch(dict, sql, {"whom": whom}) if row["value"]}
    values |= set(_read_recipients(workspace, whom)) | _read_senders(workspace, whom)
    ticket_ids = {row["ticket_id"] for row in rows}
    organizations: set[tuple[str, str]] = set()
    customers_own: set[tuple[str, str]] = set()
    for batch, row in _read_rows(
        workspace,
        batches,
        "ticket_versions",
        ("ticket_id", "requester", "customer_id", "organization_id", "requester_id"),
    ):
        if row["ticket_id"] in ticket_ids:
            values |= {row["requester"]} - {None, ""}
            organizations |= {(batch.source, row["organization_id"])} if row["organization_id"] else set()
            customers_own |= {(batch.source, row["customer_id"])} if row["customer_id"] else set()
    for batch, row in _read_rows(workspace, batches, "people", ("person_id", "person", "organization_id")):
        if (batch.source, row["organization_id"]) in organizations and row["person"]:
            values.add(row["person"])
    for batch, row in _read_rows(
        workspace, batches, "organizations", ("organization_id", "external_id", "organization_name")
    ):
        if (batch.source, row["organization_id"]) in organizations or row["external_id"] == whom:
            values |= {row["organization_name"]} - {None, ""}
            organizations.add((batch.source, row["organization_id"] or ""))
    for _, row in _read_rows(
        workspace, batches, "ticket_messages", ("ticket_id", "author_kind", "author_address", "author_id")
    ):
        if row["ticket_id"] in ticket_ids and row["author_kind"] == "customer":
            values |= {one for one in (row["author_address"], row["author_id"]) if one and "@" in one}
    values -= {whom}
    hashes = {forgotten.hash("customer", source, one) for source, one in organizations | customers_own}
    found = replace(
        forgotten,
        people=forgotten.people | {forgotten.hash("person", value) for value in values},
        customers=forgotten.customers | hashes,
        _known={},
    )
    found = _find_tickets(workspace, found, batches, ticket_ids)
    return Scope(tuple(sorted(values)), (whom,), len(ticket_ids)), found


def list_tickets(published: Published, forgotten: Forgotten) -> list[tuple[str, str | None]]:
    """Ticket and customer of every forgotten ticket that the build has."""
    rows = published.fetch(dict, "select ticket_id, source, customer_id from core.dim_tickets")
    return [
        (row["ticket_id"], row["customer_id"])
        for row in rows
        if forgotten.has_ticket(row["source"], row["ticket_id"])
    ]


def _find_tickets(
    workspace: Workspace, forgotten: Forgotten, batches: Iterable[Batch], ticket_ids: Collection[str]
) -> Forgotten:
    for batch in batches:
        if "ticket_versions" in batch.tables:
            files = {"ticket_versions": batch.table_path(workspace, "ticket_versions")}
            forgotten = find_tickets(files, batch.source, forgotten, ticket_ids)
    return forgotten


def _read_people(workspace: Workspace, batches: Collection[Batch]) -> Iterator[dict[str, str | None]]:
    """Every row that names a person, by address and id."""
    for table, columns in (
        ("people", ("person_id", "person")),
        ("ticket_versions", ("requester", "requester_id", "opener")),
        ("ticket_messages", ("author_address", "author_id")),
    ):
        for _, row in _read_rows(workspace, batches, table, columns):
            yield row


def _read_rows(
    workspace: Workspace, batches: Iterable[Batch], table: str, columns: tuple[str, ...]
) -> Iterator[tuple[Batch, dict[str, str | None]]]:
    for batch in batches:
        if table in batch.tables:
            for rows in pq.ParquetFile(batch.table_path(workspace, table)).iter_batches(
                columns=list(columns)
            ):
                for row in rows.to_pylist():
                    yield batch, row


def _read_senders(workspace: Workspace, customer_id: str) -> set[str]:
    """Who sends to this customer and to no other one, as sla.yml says: nothing is sent to a customer without recipients."""
    config = load_sources(workspace.sla_yml)
    senders = [(look.customer_id, look.sender) for look in config.looks]
    if config.delivery is not None:
        senders.append((None, config.delivery.sender))
        senders += [(customer, own.sender) for customer, own in config.delivery.customers.items()]
    others = {sender for customer, sender in senders if customer != customer_id}
    return {sender for customer, sender in senders if customer == customer_id and sender} - others


def _read_recipients(workspace: Workspace, customer_id: str) -> list[str]:
    import csv

    path = workspace.reference / "customers.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [
            address.strip()
            for row in rows
            if row.get("customer_id") == customer_id
            for address in (row.get("report_recipients") or "").split(";")
            if address.strip()
        ]
