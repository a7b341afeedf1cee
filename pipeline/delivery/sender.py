"""Who writes to a customer: what sla.yml says of this customer, else what it says of the vendor; of each, `delivery` before
`branding`. So a report with another company's name does not arrive under the vendor's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.declarations.problems import name_nearest, refuse
from pipeline.errors import Problem
from pipeline.rules.branding import Look
from pipeline.rules.delivery_file import CustomerSender, Delivery
from pipeline.rules.mail_addresses import judge_address


@dataclass(frozen=True)
class Sender:
    """`address` is that of the envelope and of From; `name` stands beside it. Texts are as sla.yml has them."""

    address: str
    name: str | None = None
    reply_to: str | None = None
    footer: str | None = None


@dataclass(frozen=True)
class Senders:
    """The senders of one workspace. `looks`: the vendor's look, and those of single customers."""

    delivery: Delivery
    looks: Sequence[Look] = ()

    def find_vendor(self) -> Sender:
        """Who writes to a customer of which sla.yml says nothing."""
        return self._choose(CustomerSender(), None)

    def find(self, customer_id: str) -> Sender:
        """Who writes to this customer."""
        return self._choose(self.delivery.customers.get(customer_id, CustomerSender()), customer_id)

    def _choose(self, own: CustomerSender, customer_id: str | None) -> Sender:
        vendor = next((look for look in self.looks if look.customer_id is None), None)
        look = next((look for look in self.looks if look.customer_id == customer_id), vendor)

        def choose(named: str, in_look: str) -> str | None:
            of_vendor: str | None = getattr(vendor, in_look, None)
            of_look: str | None = getattr(look, in_look, None)
            # A look holds what it has of the vendor's too; that is no word of this customer.
            of_customer = of_look if of_look != of_vendor else None
            if named == "reply_to":
                of_customer, of_vendor = (
                    text if text and not judge_address(text) else None for text in (of_customer, of_vendor)
                )
            return getattr(own, named) or of_customer or getattr(self.delivery, named) or of_vendor

        return Sender(
            own.sender or self.delivery.sender,
            choose("sender_name", "vendor_name"),
            choose("reply_to", "sender"),
            choose("footer", "footer"),
        )

    def check(self, sla_yml: Path, customer_ids: Collection[str]) -> None:
        """Raises ConfigurationError for a sender of a customer that there is not: its mails would come from the vendor."""
        problems = [
            Problem(
                str(sla_yml),
                None,
                f"delivery.customers.{customer_id}",
                f"{customer_id!r} is not in customers.csv.",
                name_nearest(customer_id, sorted(customer_ids)),
            )
            for customer_id in self.delivery.customers
            if customer_id not in customer_ids
        ]
        if problems:
            raise refuse(str(sla_yml), problems)
