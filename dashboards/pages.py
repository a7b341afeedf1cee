"""Which pages there are, and which role may open which. What is not listed for a role cannot be opened by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.rules.access_file import ROLES, Role

# Pages of the vendor's own people: they show who had a ticket, internal notes, findings, and how tables are made.
_STAFF: tuple[Role, ...] = ("manager", "account")


@dataclass(frozen=True)
class PageFile:
    """A page: its file, which is its address, and who may open it."""

    file: str
    roles: tuple[Role, ...] = ROLES

    @property
    def name(self) -> str:
        """'at_risk': its key among the titles of each language."""
        return PurePosixPath(self.file).stem


PAGES = (
    PageFile("views/overview.py"),
    PageFile("views/compliance.py"),
    PageFile("views/at_risk.py"),
    PageFile("views/why.py", _STAFF),
    PageFile("views/backlog.py", _STAFF),
    PageFile("views/distribution.py"),
    PageFile("views/customers.py", _STAFF),
    PageFile("views/customer.py"),
    PageFile("views/entitlements.py"),
    PageFile("views/what_if.py", _STAFF),
    PageFile("views/tickets.py"),
    PageFile("views/ticket.py", _STAFF),
    PageFile("views/findings.py", _STAFF),
    PageFile("views/about.py", _STAFF),
)


def may_open(role: Role, file_or_name: str) -> bool:
    """Whether a role may open the page of this file or name; a page that is not listed is opened by none."""
    return any(role in page.roles for page in PAGES if file_or_name in (page.file, page.name))
