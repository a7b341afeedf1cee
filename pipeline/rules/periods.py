"""The section `periods` of `sla.yml`: when a month may be closed, and from which month on `sla run` closes by itself."""

from __future__ import annotations

from typing import Annotated

from pipeline.declarations.declared import Declared
from pipeline.declarations.values import matching, whole_number
from pipeline.rules.tables import RuleTable, build_table


class PeriodRules(Declared):
    """When months are closed; each line may be left out."""

    grace_business_days: Annotated[int, *whole_number(0, 60)] = 5
    """Business days after the end of a month, in the plan's own calendar, in which late data still changes it."""
    first_month: (
        Annotated[
            str,
            *matching(
                r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$",
                "is no month.",
                'Write it like "2026-07", in quotation marks.',
            ),
        ]
        | None
    ) = None
    """The first month that `sla run` closes by itself, such as 2026-07. Without it, it closes from the month after one that was
    closed with `sla close`."""


DEFAULT_PERIODS = PeriodRules()


def flatten_periods(rules: PeriodRules) -> dict[str, RuleTable]:
    """The table `period_rules`: one row."""
    return {"period_rules": build_table("period_rules", [(rules.grace_business_days,)])}
