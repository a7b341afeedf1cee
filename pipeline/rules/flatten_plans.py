"""Plans as rows: the `plan_...` tables that the models read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline.rules.plan import Plan, PlanVersion, Reference
from pipeline.rules.tables import RuleTable, build_table


def flatten_plans(plans: Sequence[Plan]) -> dict[str, RuleTable]:
    """Plans as the `plan_...` tables of `pipeline.rules.tables`, ordered by content."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        name: []
        for name in (
            "plan_versions",
            "plan_channels",
            "plan_licenses_not_counted",
            "plan_severities",
            "plan_obligations",
            "plan_promises",
            "plan_moments",
            "plan_pauses",
            "plan_entitlements",
            "plan_pool_severities",
            "plan_scopes",
            "plan_statements",
        )
    }
    for plan in plans:
        for version in plan.versions:
            _flatten_version(plan, version, rows)
    return {name: build_table(name, table_rows) for name, table_rows in rows.items()}


def _flatten_version(plan: Plan, version: PlanVersion, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    key = plan.version_key(version)

    def cite(reference: Reference) -> tuple[str | None, str | None, str | None]:
        return reference.clause, plan.clauses.get(reference.clause or ""), reference.note

    rows["plan_versions"].append(
        (
            plan.plan,
            plan.title,
            key,
            version.valid_from,
            version.valid_to,
            version.time_zone,
            version.availability_clock,
            version.is_default_channel_supported,
            version.maximum_contacts,
            version.required_license_status,
            version.severity_raised,
            version.severity_lowered,
            version.is_over_quota_covered,
            plan.source_title,
            plan.source_file,
        )
    )
    rows["plan_channels"] += [
        (key, channel, is_supported) for channel, is_supported in version.channels.items()
    ]
    rows["plan_licenses_not_counted"] += [
        (key, license_type) for license_type in version.licenses_not_counted
    ]
    rows["plan_severities"] += [
        (key, item.severity, item.label, item.is_covered, *cite(item.reference))
        for item in version.severities
    ]
    for obligation in version.obligations:
        name = obligation.obligation
        rows["plan_obligations"].append((plan.plan, key, name, obligation.kind, obligation.cycles))
        rows["plan_promises"] += [
            (key, name, severity, promise.target_seconds, promise.clock_name, *cite(promise.reference))
            for promise in obligation.promises
            for severity in promise.severities
        ]
        starts = dict.fromkeys([*obligation.starts_on, *obligation.resumes_on])
        rows["plan_moments"] += [(key, name, "start", moment) for moment in starts]
        rows["plan_moments"] += [(key, name, "stop", moment) for moment in obligation.stops_on]
        rows["plan_pauses"] += [
            (key, name, pause.name, pause.status, pause.from_moment, pause.until_moment)
            for pause in obligation.pauses_on
        ]
    for entitlement in version.entitlements:
        rows["plan_entitlements"].append(
            (
                key,
                entitlement.pool,
                entitlement.quantity,
                entitlement.is_unlimited,
                entitlement.is_stated,
                entitlement.is_redeemed,
                entitlement.overflows_to,
                entitlement.drawn_by,
                json.dumps(entitlement.scope, sort_keys=True, ensure_ascii=False)
                if entitlement.scope
                else None,
                *cite(entitlement.reference),
            )
        )
        rows["plan_pool_severities"] += [
            (key, entitlement.pool, severity) for severity in entitlement.severities
        ]
        rows["plan_scopes"] += [
            (key, entitlement.pool, item, maximum) for item, maximum in entitlement.scope_maxima.items()
        ]
    rows["plan_statements"] += [
        (key, item.statement, item.value, item.is_reading, *cite(item.reference))
        for item in version.statements
    ]
