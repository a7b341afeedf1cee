"""Which pages there are, and which role may open which. What is not listed for a role cannot be opened by it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.rules.access_file import ROLES, Role

# Pages of the vendor's own people: they show who had a ticket, internal notes, findings, and how tables are made.
_STAFF: tuple[Role, ...] = ("manager", "account")


@dataclass(frozen=True)
class PageFile:
    """A page: its file, which is its address, and who may open it."""

    file: str
    title: str
    roles: tuple[Role, ...] = ROLES


PAGES = (
    PageFile("views/overview.py", "Overview"),
    PageFile("views/compliance.py", "Compliance"),
    PageFile("views/at_risk.py", "At risk"),
    PageFile("views/why.py", "Why we breach", _STAFF),
    PageFile("views/backlog.py", "Backlog", _STAFF),
    PageFile("views/distribution.py", "Distribution"),
    PageFile("views/customers.py", "Customers", _STAFF),
    PageFile("views/customer.py", "Customer"),
    PageFile("views/entitlements.py", "Entitlements"),
    PageFile("views/what_if.py", "What if", _STAFF),
    PageFile("views/tickets.py", "Tickets"),
    PageFile("views/ticket.py", "Ticket", _STAFF),
    PageFile("views/findings.py", "Findings", _STAFF),
    PageFile("views/about.py", "About these figures", _STAFF),
)


def may_open(role: Role, file_or_title: str) -> bool:
    """Whether a role may open the page of this file or title; a page that is not listed is opened by none."""
    return any(role in page.roles for page in PAGES if file_or_title in (page.file, page.title))
