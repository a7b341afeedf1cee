"""Deliver what is due: render, compose, put on record, hand over, put on record. One customer's trouble stops no other one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.delivery.channel import Channel, ChannelFailed, Outcome
from pipeline.delivery.compose_mail import Message, compose_mail, write_body, write_subject
from pipeline.delivery.due import Documents, Due
from pipeline.delivery.judge_report import hold_unsound
from pipeline.delivery.ledger import Entry, Ledger, write_instant
from pipeline.delivery.mail_words import find_language
from pipeline.delivery.sender import Sender, Senders
from pipeline.errors import ChecksFailed, ConfigurationError, PartlyDone, SlaError, StaleData
from pipeline.interruption import stop_if_asked
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.load_reference import Customer
from pipeline.settings import read_clock

# What became of one edition. `prepared` did not leave and is tried again by the next run; `held` must not go out as it is;
# `dropped` has no recipient any more, which is told once.
Status = Literal[
    "sent",
    "would_be_sent",
    "no_recipients",
    "already_sent",
    "held",
    "prepared",
    "refused",
    "unknown",
    "not_tried",
    "dropped",
]
_UNLISTED = "reference/customers.csv does not list the customer any more."
DONE: tuple[Status, ...] = ("sent", "would_be_sent", "no_recipients", "already_sent")
OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Delivered:
    """What became of one edition, and who got it. `exit_code` is that of the reason, 0 where nothing is wrong."""

    customer_id: str
    month: str
    edition: int
    report_number: str
    channel: str
    status: Status
    recipients: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    subject: str = ""
    body: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class Session:
    """What one run delivers with. `customers` are those of reference/customers.csv as it is now."""

    delivery: Delivery
    senders: Senders
    customers: Mapping[str, Customer]
    documents: Documents
    ledger: Ledger
    channel: Channel

    def deliver(
        self, dues: Sequence[Due], on_progress: OnProgress = lambda customer: None
    ) -> list[Delivered]:
        """Try each once, in this order. The caller holds the workspace's lock.

        Once the channel has failed, the rest is `not_tried`: nothing of it left.
        """
        results: list[Delivered] = []
        failure: ChannelFailed | None = None
        try:
            self.documents.prepare([due for due in dues if self._is_wanted(due)], True)
            for due in dues:
                stop_if_asked()
                on_progress(due.customer_id)
                if failure is not None:
                    results.append(self._result(due, "not_tried", reason="the channel had failed", code=8))
                    continue
                try:
                    results.append(self._deliver_one(due))
                except ChannelFailed as problem:
                    failure = problem
                    results.append(self._result(due, "prepared", reason=problem.message, code=8))
                except SlaError as problem:
                    results.append(self._hold(due, problem))
        finally:
            self.channel.close()
        return results

    def preview(self, dues: Sequence[Due]) -> list[Delivered]:
        """What `deliver` would try, and what it would hold back. Nothing is rendered, written or sent."""
        results = []
        self.documents.prepare([due for due in dues if self._is_wanted(due)], False)
        for due in dues:
            try:
                if due.customer_id not in self.customers:
                    results.append(self._result(due, "dropped", reason=_UNLISTED, code=5))
                    continue
                customer = self._find_recipients(due)
                if customer is None:
                    results.append(self._result(due, "no_recipients"))
                    continue
                sender = self.senders.find(due.customer_id)
                report = self.documents.read(due)
                hold_unsound(report, self.delivery.most_undecided_points)
                language = find_language(customer.locale)
                names = ("PDF", "XLSX")
                results.append(
                    self._result(
                        due,
                        "would_be_sent",
                        customer.recipients,
                        subject=write_subject(due, report, language),
                        body=write_body(due, report, names, sender, language),
                    )
                )
            except SlaError as problem:
                results.append(self._hold(due, problem))
        return results

    def describe_tried(self, dues: Sequence[Due]) -> list[Delivered]:
        """What earlier runs made of editions that had their attempt. A refusal, or an outcome that is not known, stays told until
        an operator settles it."""
        results = []
        for due in dues:
            entry = self.ledger.find(due.key(self.channel.name))
            assert entry is not None
            if entry.state == "sent":
                results.append(self._result(due, "already_sent", entry.recipients, entry.refused, entry.at))
            elif entry.state == "dropped":
                results.append(self._result(due, "dropped", reason=f"{entry.at}: {entry.detail}"))
            else:
                status: Status = "refused" if entry.state == "refused" else "unknown"
                reason = f"{entry.at}: {entry.detail}"
                results.append(self._result(due, status, entry.recipients, entry.refused, reason, code=5))
        return results

    def is_changed(self, due: Due) -> bool:
        """Whether what was refused is another delivery today: to other recipients, through another channel or from another
        sender; or whether the customer of what was dropped is there again."""
        entry = self.ledger.find(due.key(self.channel.name))
        customer = self.customers.get(due.customer_id)
        if entry is None or customer is None:
            return False
        if entry.state == "dropped":
            return True
        now = (customer.recipients, self._name_way(self.senders.find(due.customer_id)))
        return entry.state == "refused" and (entry.recipients, entry.to) != now

    def _deliver_one(self, due: Due) -> Delivered:
        if due.customer_id not in self.customers:
            return self._drop(due)
        customer = self._find_recipients(due)
        if customer is None:
            return self._result(due, "no_recipients")
        report = self.documents.read(due)
        hold_unsound(report, self.delivery.most_undecided_points)
        files = self.documents.render(due)
        self.channel.open()
        sender = self.senders.find(due.customer_id)
        message = compose_mail(due, due.key(self.channel.name), report, files, customer, sender, read_clock())
        outcome = self._hand_over(message, self._name_way(sender))
        code = 0 if outcome.state == "sent" and not outcome.refused else 5
        accepted = tuple(one for one in customer.recipients if one not in outcome.refused)
        return self._result(
            due,
            outcome.state,
            accepted if outcome.state == "sent" else customer.recipients,
            outcome.refused,
            outcome.detail,
            code=code,
        )

    def _name_way(self, sender: Sender) -> str:
        """The settings of the channel and of the sender that a delivery is made with."""
        return f"{self.channel.to} as {sender.address}"

    def _drop(self, due: Due) -> Delivered:
        """Put on record that the customer is not there any more, so that it is told once and not by every run."""
        key = due.key(self.channel.name)
        entry = Entry(key, "dropped", 1, write_instant(read_clock()), "", "", (), "", {}, {}, _UNLISTED)
        self.ledger.add([entry])
        return self._result(due, "dropped", reason=_UNLISTED, code=5)

    def _hand_over(self, message: Message, way: str) -> Outcome:
        before = self.ledger.find(message.key)
        left_before = before is not None and before.state not in ("prepared", "dropped")
        attempt = (before.attempt if before else 1) + left_before

        def record(state: str, refused: Mapping[str, str] | None = None, detail: str = "") -> None:
            self.ledger.add(
                [
                    Entry(
                        message.key,
                        state,  # type: ignore[arg-type]
                        attempt,
                        write_instant(read_clock()),
                        message.message_id,
                        message.sha256,
                        message.recipients,
                        way,
                        refused or {},
                        message.documents,
                        detail,
                    )
                ]
            )

        record("prepared")
        record("sending")
        try:
            outcome = self.channel.hand_over(message, attempt)
        except ChannelFailed as problem:
            record("prepared", detail=problem.message)
            raise
        record(outcome.state, outcome.refused, outcome.detail)
        return outcome

    def _find_recipients(self, due: Due) -> Customer | None:
        """The customer with its own recipients; None where it wants no reports. Raises ConfigurationError for a domain that
        is not allowed: then none of its recipients gets it."""
        customer = self.customers[due.customer_id]
        outside = self.delivery.list_outside(customer.recipients)
        if outside:
            raise ConfigurationError(
                f"the domain of {outside[0]} is not under allowed_domains of sla.yml. Add it there, or take the address out of "
                "reference/customers.csv."
            )
        return customer if customer.recipients else None

    def _is_wanted(self, due: Due) -> bool:
        """Whether its customer is still listed and has recipients."""
        try:
            return due.customer_id in self.customers and self._find_recipients(due) is not None
        except ConfigurationError:
            return False

    def _hold(self, due: Due, problem: SlaError) -> Delivered:
        return self._result(due, "held", reason=problem.message, code=problem.exit_code)

    def _result(
        self,
        due: Due,
        status: Status,
        recipients: tuple[str, ...] = (),
        refused: Mapping[str, str] | None = None,
        reason: str = "",
        subject: str = "",
        body: str = "",
        code: int = 0,
    ) -> Delivered:
        return Delivered(
            due.customer_id,
            due.month,
            due.edition.correction_number,
            due.edition.report_number,
            self.channel.name,
            status,
            recipients,
            refused or {},
            reason,
            subject,
            body,
            code,
        )


def explain_results(results: Sequence[Delivered]) -> SlaError | None:
    """The error that a run with these results ends with; None where all of them are done.

    8 where the channel failed; 7 or 4 where that alone holds back all that is not done; 5 otherwise.
    """
    wrong = [result for result in results if result.exit_code]
    if not wrong:
        return None
    codes = {result.exit_code for result in wrong}
    kinds: dict[int, type[SlaError]] = {7: StaleData, 4: ChecksFailed}
    kind = (
        ChannelFailed
        if 8 in codes
        else kinds.get(next(iter(codes)), PartlyDone)
        if len(codes) == 1
        else PartlyDone
    )
    lines = [
        f"{result.customer_id}, {result.month}"
        f"{f', correction {result.edition}' if result.edition else ''}: {explain(result)}"
        for result in wrong
    ]
    done = sum(result.status in DONE and not result.exit_code for result in results)
    return kind(
        f"{len(wrong)} of {len(results)} reports are not delivered; {done} are.\n  " + "\n  ".join(lines)
    )


def explain(result: Delivered) -> str:
    """One result in words, with what to do."""
    named = f"--customer {result.customer_id} --month {result.month}"
    refused = "; ".join(f"{recipient}: {why}" for recipient, why in result.refused.items())
    told = " ".join(part for part in (result.reason, f"({refused})" if refused else "") if part)
    advice = {
        "sent": f"sent, but not to all: {told}. Correct the recipients in reference/customers.csv, then: "
        f"sla send {named} --resend",
        "refused": f"refused: {told}. Correct what the server names; once the recipients or delivery.smtp differ, the next run "
        f"tries again. The same again: sla send {named} --resend",
        "unknown": f"it may have arrived ({told}). Ask the customer, then: sla send {named} --arrived, or --resend",
        "prepared": f"not sent: {told}. The next run tries again.",
        "not_tried": f"not tried: {told}. The next run tries again.",
        "held": f"held back: {told}",
        "dropped": f"not sent, and not told again: {told} Once it is listed, the next run sends it.",
    }
    return advice.get(result.status, told)
