"""Computes the figures of an evidence archive again from its rows: no workspace, no build, no query of ours.

The arithmetic is a second one on purpose: interval by interval over whole seconds, where the models sum in closed form.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import Problem
from pipeline.evidence.archive import Row, parse_rows, unpack
from pipeline.vocabulary import SLA_STATUSES

_COUNTS = (*SLA_STATUSES, "met_only_by_ai", "raw_met", "raw_breached", *(
    f"{prefix}{name}" for prefix in ("", "raw_") for name in ("lower_met", "upper_met", "bounded")
))  # fmt: skip


@dataclass(frozen=True)
class Recomputed:
    """What an archive says of itself, how much was computed again, and what came out differently."""

    customer_id: str
    customer_name: str
    month: str
    build_id: str
    as_of: str
    obligations: int
    seconds: int
    movements: int
    met: int
    counted: int
    differences: tuple[Problem, ...]


def recompute_evidence(path: Path) -> Recomputed:
    """Every elapsed time, verdict, count and balance of the archive, computed again.

    Raises InputRejected, naming the member, when a byte of the archive was changed, and OSError when it cannot be read.
    """
    manifest, members = unpack(path)
    rows = {
        name: parse_rows(members, name)
        for name in (
            "obligations", "segments", "pauses", "events", "intervals", "plan_terms", "statements", "movements",
        )
    }  # fmt: skip
    figures = json.loads(members["figures.json"])
    month = manifest["month"]
    differences = [
        *_compare_elapsed(rows),
        *_compare_verdicts(rows),
        *_compare_counts(rows, figures, month),
        *_compare_balances(rows),
    ]
    total = _count(row for row in rows["obligations"] if row["compliance_month"] == month)
    return Recomputed(
        customer_id=manifest["customer_id"],
        customer_name=manifest["customer_name"],
        month=month,
        build_id=manifest["build_id"],
        as_of=manifest["as_of"],
        obligations=len(rows["obligations"]),
        seconds=sum(row["elapsed_seconds"] or 0 for row in rows["obligations"]),
        movements=len(rows["movements"]),
        met=total["met"],
        counted=total["met"] + total["breached"],
        differences=tuple(differences),
    )


def _compare_elapsed(rows: Mapping[str, list[Row]]) -> Iterator[Problem]:
    open_hours = _by(rows["intervals"], "clock_name")
    pauses, segments = _by(rows["pauses"], "obligation_key"), _by(rows["segments"], "obligation_key")
    for line, row in enumerate(rows["obligations"], start=1):
        if row["elapsed_seconds"] is None:
            continue
        key = row["obligation_key"]
        start, end = _instant(row["counts_from_at"]), _instant(row["read_until_at"])
        paused = _merge(
            (_instant(each["pauses_at"]), _instant(each["resumes_at"]) or end) for each in pauses[key]
        )
        counted = 0
        for hours in open_hours[row["clock_name"]]:
            opens, closes = (
                max(start, _instant(hours["opens_at"])),
                min(end, _instant(hours["closes_at"]) or end),
            )
            if opens < closes:
                skipped = sum(max(0, min(closes, until) - max(opens, since)) for since, until in paused)
                counted += closes - opens - skipped
        if counted != row["elapsed_seconds"]:
            yield _differs("obligations", line, "elapsed_seconds", row["elapsed_seconds"], counted)
        listed = sum(segment["counted_seconds"] for segment in segments[key])
        if listed != row["elapsed_seconds"]:
            yield _differs("segments", None, f"the segments of {key}", row["elapsed_seconds"], listed)


def _compare_verdicts(rows: Mapping[str, list[Row]]) -> Iterator[Problem]:
    stops = {(event["ticket_id"], event["event_id"]): event for event in rows["events"]}
    for line, row in enumerate(rows["obligations"], start=1):
        verdict = row["status_before_waiver"] or row["status"]
        if row["elapsed_seconds"] is None or verdict not in ("met", "breached", "pending"):
            continue
        is_over = row["elapsed_seconds"] > row["target_seconds"]
        # A target that was missed while its level was in force stays missed, whatever the level becomes.
        missed_before = row["breached_at"] is not None
        computed = "breached" if is_over or missed_before else "met" if row["stopped_at"] else "pending"
        if computed != verdict:
            yield _differs("obligations", line, "status", verdict, computed)
        if row["stopping_event_id"] is not None and (row["ticket_id"], row["stopping_event_id"]) not in stops:
            yield _differs(
                "events",
                None,
                f"the event that stopped {row['obligation_key']}",
                row["stopping_event_id"],
                "none",
            )


def _compare_counts(
    rows: Mapping[str, list[Row]], figures: Mapping[str, Any], month: str
) -> Iterator[Problem]:
    promised = {
        (term["plan_version"], term["obligation"], term["severity"]): _promise(term)
        for term in rows["plan_terms"]
    }
    counted: dict[Any, list[Row]] = defaultdict(list)
    for row in rows["obligations"]:
        if row["compliance_month"] == month:
            counted[promised.get((row["plan_version"], row["obligation"], row["severity_in_force"]))].append(
                row
            )
    stated: dict[Any, Any] = {_promise(promise): promise["tally"] for promise in figures["promises"]}
    stated[None] = figures["outside_promises"]
    for promise, tally in stated.items():
        yield from _compare_tally(f"the promise {promise}", tally, _count(counted.pop(promise, ())))
    for promise in counted:
        yield _differs("figures", None, f"the promise {promise}", "not listed", "counted")
    everything = (row for row in rows["obligations"] if row["compliance_month"] == month)
    yield from _compare_tally("the total", figures["total"], _count(everything))


def _compare_tally(what: str, stated: Mapping[str, int], computed: Mapping[str, int]) -> Iterator[Problem]:
    for name, count in stated.items():
        if computed[name] != count:
            yield _differs("figures", None, f"{name} of {what}", count, computed[name])


def _compare_balances(rows: Mapping[str, list[Row]]) -> Iterator[Problem]:
    pools = defaultdict(list)
    for movement in rows["movements"]:
        pools[movement["subscription_id"], movement["pool"]].append(movement)
    for line, row in enumerate(rows["statements"], start=1):
        if row["opening_quantity"] is None or row["closing_quantity"] is None:
            continue
        balance = row["opening_quantity"]
        for movement in sorted(
            pools[row["subscription_id"], row["pool"]], key=lambda each: each["statement_line"]
        ):
            balance += movement["quantity"] or 0
            if movement["balance_after"] is not None and balance != movement["balance_after"]:
                yield _differs("movements", None, movement["movement_id"], movement["balance_after"], balance)
        if balance != row["closing_quantity"]:
            yield _differs("statements", line, "closing_quantity", row["closing_quantity"], balance)


def _count(rows: Iterable[Row]) -> dict[str, int]:
    counts = dict.fromkeys(_COUNTS, 0)
    for row in rows:
        counts[row["status"]] += 1
        counts["met_only_by_ai"] += bool(row["is_met_only_by_ai"])
        before = row["status_before_waiver"] or row["status"]
        if before in ("met", "breached"):
            counts[f"raw_{before}"] += 1
        for prefix, verdict in (("", row["status"]), ("raw_", before)):
            counts[f"{prefix}lower_met"] += "met" in (verdict, row["could_be"])
            counts[f"{prefix}upper_met"] += verdict == "met" or row["could_be"] in ("met", "either")
            counts[f"{prefix}bounded"] += verdict in ("met", "breached", "not_measurable")
    return counts


def _promise(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        row[name]
        for name in ("plan", "obligation", "obligation_kind", "target_seconds", "clock_name", "clause")
    )


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def _by(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return grouped


def _instant(text: str | None) -> int:
    return 0 if text is None else int(datetime.fromisoformat(text).timestamp())


def _differs(table: str, line: int | None, what: str, stated: object, computed: object) -> Problem:
    member = "figures.json" if table == "figures" else f"{table}.jsonl"
    return Problem(member, line, None, f"{what}: the archive says {stated}, its rows give {computed}.")
