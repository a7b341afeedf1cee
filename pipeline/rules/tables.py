"""The tables that rule files become in the schema `raw`: names, columns, DuckDB types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

# The one end of a validity that has none. Half-open everywhere: valid_from <= t < valid_to.
OPEN_END = datetime(9999, 12, 31)

_LINEAGE = {"source_file": "VARCHAR", "line_number": "BIGINT"}

# Table -> column -> type, in column order. TIMESTAMP is UTC to the second.
RULE_TABLES: dict[str, dict[str, str]] = {
    "plan_versions": {
        "plan": "VARCHAR",
        "plan_title": "VARCHAR",
        "plan_version": "VARCHAR",
        "valid_from": "TIMESTAMP",
        "valid_to": "TIMESTAMP",
        "time_zone": "VARCHAR",
        "availability_clock": "VARCHAR",
        "is_default_channel_supported": "BOOLEAN",
        "maximum_contacts": "INTEGER",
        "required_license_status": "VARCHAR",
        "severity_raised": "VARCHAR",
        "severity_lowered": "VARCHAR",
        "is_over_quota_covered": "BOOLEAN",
        "source_title": "VARCHAR",
        "source_file": "VARCHAR",
    },
    "plan_channels": {"plan_version": "VARCHAR", "channel": "VARCHAR", "is_supported": "BOOLEAN"},
    "plan_licenses_not_counted": {"plan_version": "VARCHAR", "license_type": "VARCHAR"},
    "plan_severities": {
        "plan_version": "VARCHAR",
        "severity": "INTEGER",
        "severity_label": "VARCHAR",
        "is_covered": "BOOLEAN",
        "clause": "VARCHAR",
        "clause_text": "VARCHAR",
        "note": "VARCHAR",
    },
    "plan_obligations": {
        "plan": "VARCHAR",
        "plan_version": "VARCHAR",
        "obligation": "VARCHAR",
        "kind": "VARCHAR",
        "cycles": "VARCHAR",
    },
    "plan_promises": {
        "plan_version": "VARCHAR",
        "obligation": "VARCHAR",
        "severity": "INTEGER",
        "target_seconds": "BIGINT",
        "clock_name": "VARCHAR",
        "clause": "VARCHAR",
        "clause_text": "VARCHAR",
        "note": "VARCHAR",
    },
    "plan_moments": {
        "plan_version": "VARCHAR",
        "obligation": "VARCHAR",
        "role": "VARCHAR",
        "moment": "VARCHAR",
    },
    "plan_pauses": {
        "plan_version": "VARCHAR",
        "obligation": "VARCHAR",
        "pause_name": "VARCHAR",
        "status": "VARCHAR",
        "from_moment": "VARCHAR",
        "until_moment": "VARCHAR",
    },
    "plan_entitlements": {
        "plan_version": "VARCHAR",
        "pool": "VARCHAR",
        "quantity": "BIGINT",
        "is_unlimited": "BOOLEAN",
        "is_stated": "BOOLEAN",
        "is_redeemed": "BOOLEAN",
        "overflows_to": "VARCHAR",
        "drawn_by": "VARCHAR",
        "scope": "VARCHAR",
        "clause": "VARCHAR",
        "clause_text": "VARCHAR",
        "note": "VARCHAR",
    },
    "plan_pool_severities": {"plan_version": "VARCHAR", "pool": "VARCHAR", "severity": "INTEGER"},
    # What one redemption may cover: item by item, without a number where the plan names the item alone.
    "plan_scopes": {
        "plan_version": "VARCHAR",
        "pool": "VARCHAR",
        "scope_item": "VARCHAR",
        "maximum_quantity": "BIGINT",
    },
    # What no formula uses but a reader of a report must see: rules in words, and the readings that we chose.
    "plan_statements": {
        "plan_version": "VARCHAR",
        "statement": "VARCHAR",
        "value": "VARCHAR",
        "is_reading": "BOOLEAN",
        "clause": "VARCHAR",
        "clause_text": "VARCHAR",
        "note": "VARCHAR",
    },
    "sources": {
        "source": "VARCHAR",
        "source_type": "VARCHAR",
        "ticket_prefix": "VARCHAR",
        "customer_field": "VARCHAR",
        "customer_constant": "VARCHAR",
        "channel_constant": "VARCHAR",
        "severity_field": "VARCHAR",
        "severity_name": "VARCHAR",
        "unmarked_comments": "VARCHAR",
        "is_journal_whole": "BOOLEAN",
        "is_audit_whole": "BOOLEAN",
        "time_zone": "VARCHAR",
        "instant_format": "VARCHAR",
    },
    # Of how many percent of a source's tickets something may be true before nothing is published, or a warning is.
    "source_limits": {"source": "VARCHAR", "cause": "VARCHAR", "limit_pct": "INTEGER"},
    "source_values": {
        "source": "VARCHAR",
        "mapping": "VARCHAR",
        "source_value": "VARCHAR",
        "mapped_value": "VARCHAR",
    },
    "source_events": {
        "source": "VARCHAR",
        "event_type": "VARCHAR",
        "field_name": "VARCHAR",
        "field_value": "VARCHAR",
    },
    "source_names": {"source": "VARCHAR", "setting": "VARCHAR", "name_kind": "VARCHAR", "name": "VARCHAR"},
    "source_agents": {"source": "VARCHAR", "agent_kind": "VARCHAR", "agent_value": "VARCHAR"},
    "source_bots": {"source": "VARCHAR", "bot_kind": "VARCHAR", "bot_value": "VARCHAR"},
    "period_rules": {"grace_business_days": "INTEGER"},
    # When people are told: a kind of alert, and the limit that sla.yml sets for it.
    "alert_rules": {"alert_kind": "VARCHAR", "limit_quantity": "BIGINT"},
    # How reports look: the vendor's row has no customer.
    "brands": {
        "customer_id": "VARCHAR",
        "vendor_name": "VARCHAR",
        "sender": "VARCHAR",
        "footer": "VARCHAR",
        "logo_kind": "VARCHAR",
        "logo_base64": "VARCHAR",
        "logo_place": "VARCHAR",
        "primary_colour": "VARCHAR",
        "accent_colour": "VARCHAR",
    },
    "words": {"word": "VARCHAR", "language": "VARCHAR", "label": "VARCHAR"},
    "customers": {
        "customer_id": "VARCHAR",
        "customer_name": "VARCHAR",
        "time_zone": "VARCHAR",
        "locale": "VARCHAR",
        "report_recipients": "VARCHAR",
        **_LINEAGE,
    },
    "subscriptions": {
        "subscription_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "plan": "VARCHAR",
        "term_starts_at": "TIMESTAMP",
        "term_ends_at": "TIMESTAMP",
        "term_starts_on": "DATE",
        "term_ends_on": "DATE",
        "license_type": "VARCHAR",
        "license_status": "VARCHAR",
        "account_id": "VARCHAR",
        "covers_from_at": "TIMESTAMP",
        "contradiction": "VARCHAR",
        **_LINEAGE,
    },
    "customer_words": {
        "customer_id": "VARCHAR",
        "word": "VARCHAR",
        "source": "VARCHAR",
        **_LINEAGE,
    },
    "licenses": {
        "subscription_id": "VARCHAR",
        "license_status": "VARCHAR",
        "valid_from": "TIMESTAMP",
        "valid_to": "TIMESTAMP",
        **_LINEAGE,
    },
    "contacts": {
        "customer_id": "VARCHAR",
        "contact": "VARCHAR",
        "valid_from": "TIMESTAMP",
        "valid_to": "TIMESTAMP",
        **_LINEAGE,
    },
    "purchases": {
        "purchase_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "subscription_id": "VARCHAR",
        "pool": "VARCHAR",
        "quantity": "BIGINT",
        "purchased_at": "TIMESTAMP",
        "expires_at": "TIMESTAMP",
        "returned_at": "TIMESTAMP",
        **_LINEAGE,
    },
    "redemptions": {
        "redemption_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "subscription_id": "VARCHAR",
        "entitlement": "VARCHAR",
        "redeemed_at": "TIMESTAMP",
        "ticket_id": "VARCHAR",
        **_LINEAGE,
    },
    "redemption_scopes": {
        "redemption_id": "VARCHAR",
        "scope_item": "VARCHAR",
        "quantity": "BIGINT",
    },
    "waivers": {
        "waiver_id": "VARCHAR",
        "ticket_id": "VARCHAR",
        "obligation": "VARCHAR",
        "reason": "VARCHAR",
        "requested_by": "VARCHAR",
        "approved_by": "VARCHAR",
        "approved_at": "TIMESTAMP",
        "expires_at": "TIMESTAMP",
        "cycle_number": "BIGINT",
        "valid_from": "TIMESTAMP",
        **_LINEAGE,
    },
    "annotations": {
        "noted_on": "DATE",
        "note": "VARCHAR",
        "customer_id": "VARCHAR",
        **_LINEAGE,
    },
}


@dataclass(frozen=True)
class RuleTable:
    """Rows of one of the tables above, values in the order of its columns, in one fixed order."""

    name: str
    rows: tuple[tuple[Any, ...], ...]

    def to_pylist(self) -> list[dict[str, Any]]:
        return [dict(zip(RULE_TABLES[self.name], row, strict=True)) for row in self.rows]

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table of exactly the types above."""
        # Arrow imports pandas when it is given a list: a fifth of the time of a run in which nothing is new, and no table made.
        import pyarrow

        types = {
            "VARCHAR": pyarrow.string(),
            "BIGINT": pyarrow.int64(),
            "INTEGER": pyarrow.int32(),
            "BOOLEAN": pyarrow.bool_(),
            "TIMESTAMP": pyarrow.timestamp("us"),
            "DATE": pyarrow.date32(),
        }
        return pyarrow.table(
            {
                column: pyarrow.array([row[index] for row in self.rows], types[sql_type])
                for index, (column, sql_type) in enumerate(RULE_TABLES[self.name].items())
            }
        )


def build_table(name: str, rows: Iterable[Sequence[Any]]) -> RuleTable:
    """The table of these rows (values in column order)."""
    ordered = sorted(rows, key=lambda row: [(value is not None, value) for value in row])
    return RuleTable(name, tuple(map(tuple, ordered)))
