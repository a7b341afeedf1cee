"""Where the time of a build went, as tables: steps, models and tests, and the plans of the slowest models."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.warehouse.profile_build import Operator, Profile

_SHOWN_NODES = 20
# An operator that took less than this share of its query is left out, and so is what only leads to such operators.
_LEAST_SHARE = 0.03
_LONGEST_DETAIL = 70


def profile_tables(profile: Profile) -> list[TextTable]:
    """The steps in turn, the slowest models and tests, and one table for each plan."""
    steps = TextTable(
        "Steps of this build",
        (("step", LEFT), ("wall s", RIGHT), ("processor s", RIGHT)),
        tuple((one.step, _say(one.wall_seconds), _say(one.processor_seconds)) for one in profile.steps),
    )
    slowest = TextTable(
        "Slowest models and tests",
        (("name", LEFT), ("kind", LEFT), ("wall s", RIGHT)),
        tuple((node.name, node.kind, _say(node.seconds)) for node in profile.nodes[:_SHOWN_NODES]),
        (
            f"{len(profile.nodes)} in all, {_say(sum(node.seconds for node in profile.nodes))} s. Two run at a time and share "
            "the processors.",
        ),
    )
    return [steps, slowest, *(_plan_table(name, plan) for name, plan in profile.plans.items())]


def _plan_table(name: str, plan: Operator) -> TextTable:
    whole = plan.total_seconds
    return TextTable(
        f"Plan of {name}",
        (("operator", LEFT), ("own s", RIGHT), ("rows", RIGHT), ("what", LEFT)),
        tuple(_walk(plan, 0, whole * _LEAST_SHARE)),
        (
            f"{_say(whole)} s of all threads. Operators under {_LEAST_SHARE:.0%} of it are left out; --json has all of them.",
        ),
    )


def _walk(operator: Operator, depth: int, least: float) -> Iterator[tuple[str, ...]]:
    if operator.total_seconds < least:
        return
    if operator.seconds >= least:
        yield (
            "  " * depth + operator.kind,
            _say(operator.seconds),
            f"{operator.rows:,}",
            _describe(operator),
        )
    for child in operator.children:
        yield from _walk(child, depth + (operator.seconds >= least), least)


def _describe(operator: Operator) -> str:
    """The table, or the condition: what tells one operator from another of its kind."""
    for key in ("Table", "Conditions", "Groups", "Order By", "Filters", "Expression", "Projections"):
        if key in operator.details:
            found = operator.details[key]
            text = " ".join((found if isinstance(found, str) else ", ".join(map(str, found))).split())
            return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"
    return ""


def _say(seconds: float) -> str:
    return f"{seconds:.2f}"
