"""What an incremental build has of a model: all rows, or only those of rebuilt tickets. No published table has only those."""

from __future__ import annotations

import re

from pipeline.settings import DBT_PROJECT
from pipeline.warehouse.incremental import BY_TICKET
from tests.house.checkout import PUBLISHED_LAYERS, described_models, model_files

MODELS = {
    name: path.read_text(encoding="utf-8")
    for name, path in model_files("staging", "intermediate", *PUBLISHED_LAYERS).items()
}


def has_rows_of_basis(model: str) -> bool:
    """Rows of tickets that are not rebuilt come from the basis: by ticket, or as a part of its union."""
    meta = described_models()[model].get("config", {}).get("meta", {})
    return meta.get("rows_of") == "ticket" or "and_rows_of_basis(" in MODELS[model]


def list_partial_models() -> set[str]:
    """Models that are made from the rows of rebuilt tickets alone, directly or through others."""
    partial: set[str] = set()
    while True:
        found = {
            name
            for name, sql in MODELS.items()
            if not has_rows_of_basis(name)
            and (
                set(re.findall(r"source\('raw', '(\w+)'\)", sql)) & set(BY_TICKET)
                or set(re.findall(r"ref\('(\w+)'\)", sql)) & partial
            )
        }
        if found == partial:
            return partial
        partial = found


def test_no_published_table_is_made_from_rows_of_rebuilt_tickets_alone() -> None:
    partial = list_partial_models()
    # Most of staging and intermediate, or the search would find nothing.
    assert len(partial) > 20
    assert sorted(name for name in model_files(*PUBLISHED_LAYERS) if name in partial) == []


def test_a_test_that_reads_rows_of_rebuilt_tickets_looks_at_rebuilt_tickets_alone() -> None:
    partial = list_partial_models()
    mixed = [
        path.name
        for path in sorted((DBT_PROJECT / "tests").glob("*.sql"))
        if set(re.findall(r"ref\('(\w+)'\)", sql := path.read_text(encoding="utf-8"))) & partial
        and "and_is_rebuilt()" not in sql
    ]
    assert mixed == []


def test_a_model_with_rows_by_ticket_has_the_tickets_id() -> None:
    for name, entry in described_models().items():
        if entry.get("config", {}).get("meta", {}).get("rows_of") == "ticket":
            assert "ticket_id" in {column["name"] for column in entry["columns"]}, name
