"""One line per customer: promises of a month, what runs, what is left and what an account team should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally, read_comparison, read_customers
from pipeline.reporting.entitlements import Balance, read_alerts, read_balances
from pipeline.reporting.findings import read_findings
from pipeline.reporting.published import Published, Scope, Selection
from pipeline.reporting.tickets import read_at_risk


@dataclass(frozen=True)
class CustomerLine:
    """What one customer's page begins with. `tally` and `previous` count the promises of a month and of the one before; `running`
    are open promises, `at_risk` those of them that reached the lowest step of `figures.AT_RISK_FROM`, both as of the data.
    `remaining_quantity` is of the regular pools of current terms, None where one of them has no number. `customer_id` None: the
    promises of tickets that map to no customer, and findings about none."""

    customer_id: str | None
    customer_name: str | None
    plans: tuple[str, ...]
    tally: Tally
    previous: Tally
    running: int
    at_risk: int
    remaining_quantity: int | None
    is_unlimited: bool
    overage_quantity: int
    term_ends_on: date | None
    days_left: int | None
    alerts: int
    findings: int


def read_customer_lines(
    published: Published, scope: Scope, selection: Selection, month: str
) -> tuple[CustomerLine, ...]:
    """Every customer in scope, by name; the counts add up to those of the same selection without a cut. Plans, severities and
    promises of the selection apply to promises, customers to all."""
    cells = {
        row.customer_id: row for row in read_comparison(published, scope, selection, month, ("customer",))
    }
    of_customers = Selection(customer_ids=selection.customer_ids)
    balances: dict[str, list[Balance]] = {}
    for balance in read_balances(published, scope, of_customers):
        if balance.term_status == "current":
            balances.setdefault(balance.customer_id, []).append(balance)
    names = {
        each.customer_id: each.customer_name
        for each in read_customers(published, scope)
        if selection.customer_ids is None or each.customer_id in selection.customer_ids
    }

    def count(customer_ids: Iterable[str | None]) -> Counter[str | None]:
        # A ticket may carry the name that its source gave for a customer that there is not.
        return Counter(each if each in names else None for each in customer_ids)

    running = read_at_risk(published, scope, replace(selection, months=None))
    run_count = count(each.customer_id for each in running)
    risk_count = count(each.customer_id for each in running if figures.risk_step(each.used) is not None)
    alert_count = count(each.customer_id for each in read_alerts(published, scope, of_customers))
    finding_count = count(each.customer_id for each in read_findings(published, scope, of_customers).rows)
    known = sorted(names, key=lambda each: (names[each].casefold(), each))
    listed: tuple[str | None, ...] = (
        *known,
        *([None] if None in {*cells, *run_count, *finding_count} else []),
    )
    lines = []
    for customer_id in listed:
        own = balances.get(customer_id, []) if customer_id is not None else []
        regular = [each for each in own if each.pool == "regular"]
        remaining = [each.remaining_quantity for each in regular]
        cell = cells.get(customer_id)
        last = max(own, key=lambda each: each.term_ends_on, default=None)
        lines.append(
            CustomerLine(
                customer_id=customer_id,
                customer_name=None if customer_id is None else names[customer_id],
                plans=tuple(sorted({each.plan for each in own})),
                tally=cell.tally if cell else Tally(),
                previous=cell.previous if cell else Tally(),
                running=run_count[customer_id],
                at_risk=risk_count[customer_id],
                remaining_quantity=sum(each for each in remaining if each is not None)
                if remaining and None not in remaining
                else None,
                is_unlimited=any(each.is_unlimited for each in regular),
                overage_quantity=sum(each.overage_quantity for each in own),
                term_ends_on=last.term_ends_on if last else None,
                days_left=last.days_left if last else None,
                alerts=alert_count[customer_id],
                findings=finding_count[customer_id],
            )
        )
    return tuple(lines)
