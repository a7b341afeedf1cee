"""Alerts through a webhook, against a real https server: signed, to allowed and public hosts only, each once."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.delivery.find_alerts import Told, is_new, list_alerts
from pipeline.delivery.ledger import STATES, Key, Ledger, list_open_outcomes
from pipeline.delivery.post_webhook import Digest, WebhookSender, explain_digest, is_public, is_quiet
from pipeline.delivery.run import Asked, settle_digest
from pipeline.errors import ConfigurationError
from pipeline.reporting.published import EVERY_CUSTOMER, Published
from pipeline.reporting.status import read_status
from pipeline.rules.delivery_file import Delivery, QuietHours, Webhook
from pipeline.secrets_file import Secret
from pipeline.settings import Workspace
from tests.delivery.hook_server import HookServer, start_hook_server

SECRET = "a secret of the tests"
AT = datetime(2026, 8, 3, 12, tzinfo=UTC)


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[HookServer]:
    with start_hook_server(tmp_path / "hook") as server:
        yield server


def settings(hook: HookServer, **changes: Any) -> Webhook:
    given = {
        "url": hook.url,
        "allowed_hosts": ("localhost",),
        "private_addresses": ("127.0.0.0/8", "::1"),
        "certificates_file": str(hook.certificates.authority),
        "timeout_seconds": 2,
    }
    return Webhook(**{**given, **changes})


def tell(
    root: Path, published: Published, webhook: Webhook, at: datetime = AT, first_month: str = "2026-07"
) -> tuple[Digest, Ledger]:
    """One run of the alerts."""
    ledger = Ledger(Workspace(root))
    alerts = [
        alert for alert in list_alerts(published, webhook, first_month) if is_new(ledger.find(alert.key))
    ]
    status = read_status(published, EVERY_CUSTOMER)
    sender = WebhookSender(webhook, root, Secret(SECRET))
    return sender.send(alerts, status, ledger, at), ledger


def test_digest_tells_each_kind_of_alert_and_is_signed(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    digest, _ = tell(tmp_path, published, settings(hook))
    assert digest.status == "sent"
    [(path, headers, body)] = hook.requests
    assert path == "/alerts?team=1"
    signed = hmac.new(SECRET.encode(), f"{int(AT.timestamp())}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-SLA-Signature"] == f"v1={signed}"
    assert headers["X-SLA-Timestamp"] == str(int(AT.timestamp()))
    content = json.loads(body)
    assert headers["Idempotency-Key"] == content["digest"] == digest.digest_id
    # T-6 has used 20 h of 24 h; T-4 and SECRET-2 are breached in July, T-10 in June.
    told = [(alert["kind"], alert["customer_id"], alert["what"]) for alert in content["alerts"]]
    assert told == [
        ("at_risk", "acme", "first response of T-6: 75 % of the target is used"),
        ("breached", "other", "first response of SECRET-2: breached, over by 16 h"),
        ("breached", "acme", "first response of T-4: breached, over by 1 s"),
        ("threshold_reached", "other", "level 5 of SECRET-S: used beyond the pool"),
        ("likely_to_run_out", "acme", "regular of S-acme: likely to run out by 2026-09-30"),
        ("threshold_reached", "acme", "regular of S-acme: 80 % reached"),
        ("term_ends_soon", "acme", "S-acme: term ends in 28 days"),
    ]
    # No text that a customer wrote.
    assert b"SECRET subject" not in body and b"HYPERLINK" not in body


def test_alert_is_told_once_and_a_new_one_alone(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    webhook = settings(hook, kinds=("breached",))
    assert len(tell(tmp_path, published, webhook)[0].alerts) == 2
    again, _ = tell(tmp_path, published, webhook)
    assert (again.status, again.alerts) == ("none", ())
    # The breach of June is new once June counts.
    more, _ = tell(tmp_path, published, webhook, first_month="2026-06")
    assert [alert.facts["ticket_id"] for alert in more.alerts] == ["T-10"]
    assert len(hook.requests) == 2


@pytest.mark.parametrize("answer", [400, 404, 429, 503])
def test_answer_that_surely_took_nothing_is_told_and_tried_again(
    hook: HookServer, published: Published, tmp_path: Path, answer: int
) -> None:
    hook.answer = answer
    digest, _ = tell(tmp_path, published, settings(hook))
    assert digest.status == "prepared"
    assert f"localhost answered {answer}" in str(explain_digest(digest))
    hook.answer = 204
    assert tell(tmp_path, published, settings(hook))[0].status == "sent"
    first, second = (headers["Idempotency-Key"] for _, headers, _ in hook.requests)
    assert first == second


@pytest.mark.parametrize("answer", [500, 502, 504, "drop", "hang"])
def test_answer_that_proves_nothing_leaves_the_outcome_unknown_and_is_not_repeated(
    hook: HookServer, published: Published, tmp_path: Path, answer: int | str
) -> None:
    hook.answer = answer
    digest, ledger = tell(tmp_path, published, settings(hook, timeout_seconds=1))
    assert digest.status == "unknown"
    assert "may have arrived, and are not repeated" in str(explain_digest(digest))
    assert len(ledger.list_newest("unknown")) == len(digest.alerts) > 0
    hook.answer = 200
    assert tell(tmp_path, published, settings(hook))[0].status == "none"
    assert len(hook.requests) == 1


def settle(root: Path, published: Published, webhook: Webhook, digest_id: str, **how: bool) -> Digest:
    """What `sla send --digest` does."""
    ledger = Ledger(Workspace(root))
    sender = None if how.get("is_dry_run") else WebhookSender(webhook, root, Secret(SECRET))
    delivery = Delivery(
        sender="a@v.example", first_month="2026-07", allowed_domains=("a.example",), webhook=webhook
    )
    return settle_digest(delivery, published, ledger, Asked(digest=digest_id, **how), sender)


def test_alerts_of_unknown_outcome_are_settled_as_arrived_and_never_told_again(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    hook.answer = "drop"
    webhook = settings(hook)
    lost, _ = tell(tmp_path, published, webhook)
    command = f"sla send --digest {lost.digest_id} --arrived, or --resend"
    assert command in str(explain_digest(lost))
    assert len(list_open_outcomes(Workspace(tmp_path))) == len(lost.alerts)
    settled = settle(tmp_path, published, webhook, lost.digest_id, is_arrived=True)
    assert (settled.status, len(settled.alerts)) == ("sent", len(lost.alerts))
    assert list_open_outcomes(Workspace(tmp_path)) == []
    assert tell(tmp_path, published, webhook)[0].status == "none"
    assert len(hook.requests) == 1
    # A second time, nothing is left to settle.
    assert settle(tmp_path, published, webhook, lost.digest_id, is_arrived=True).alerts == ()


def test_alerts_of_unknown_outcome_are_sent_again_on_request_and_recognized_as_the_same(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    hook.answer = "drop"
    quiet = QuietHours(time_zone="UTC", hours=("00:00-23:59",))  # type: ignore[arg-type]
    lost, _ = tell(tmp_path, published, settings(hook))
    webhook = settings(hook, quiet_hours=quiet)
    shown = settle(tmp_path, published, webhook, lost.digest_id, is_resend=True, is_dry_run=True)
    assert (shown.status, len(hook.requests)) == ("would_be_sent", 1)
    hook.answer = 200
    again = settle(tmp_path, published, webhook, lost.digest_id, is_resend=True)
    assert (again.status, again.alerts) == ("sent", lost.alerts)
    keys = [headers["Idempotency-Key"] for _, headers, _ in hook.requests]
    assert len(keys) == 2 and len(set(keys)) == 1
    ledger = Ledger(Workspace(tmp_path))
    assert {(entry.state, entry.attempt) for entry in ledger.list_newest(*STATES)} == {("sent", 2)}


def test_alert_that_holds_no_more_is_not_sent_again_and_settled(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    hook.answer = "drop"
    lost, _ = tell(tmp_path, published, settings(hook))
    hook.answer = 200
    # As if only the breaches still held.
    again = settle(tmp_path, published, settings(hook, kinds=("breached",)), lost.digest_id, is_resend=True)
    assert {alert.kind for alert in again.alerts} == {"breached"} and again.status == "sent"
    assert list_open_outcomes(Workspace(tmp_path)) == []
    # Where one holds again, it is a new one.
    more, _ = tell(tmp_path, published, settings(hook))
    assert {alert.kind for alert in more.alerts} == {alert.kind for alert in lost.alerts} - {"breached"}


def test_resend_that_does_not_leave_is_tried_by_the_next_run(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    hook.answer = "drop"
    lost, _ = tell(tmp_path, published, settings(hook))
    blocked = settings(hook, private_addresses=())
    assert settle(tmp_path, published, blocked, lost.digest_id, is_resend=True).status == "prepared"
    hook.answer = 200
    assert tell(tmp_path, published, settings(hook))[0].alerts == lost.alerts


def test_digest_that_the_ledger_does_not_have_is_refused(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="no digest of alerts 'abc' in the ledger"):
        settle(tmp_path, published, settings(hook), "abc", is_arrived=True)


def test_redirect_is_not_followed(hook: HookServer, published: Published, tmp_path: Path) -> None:
    hook.answer, hook.location = 302, f"https://localhost:{hook.port}/elsewhere"
    digest, _ = tell(tmp_path, published, settings(hook))
    assert digest.status == "prepared"
    assert "302, a redirect, which is not followed" in digest.reason
    assert [path for path, _, _ in hook.requests] == ["/alerts?team=1"]


def test_private_address_is_refused_unless_it_is_named(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    digest, ledger = tell(tmp_path, published, settings(hook, private_addresses=()))
    assert digest.status == "prepared"
    assert "which is not public" in digest.reason
    assert hook.requests == []
    assert not ledger.path.exists()


def test_certificate_of_an_unknown_authority_gets_no_alert(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    digest, _ = tell(tmp_path, published, settings(hook, certificates_file=None))
    assert digest.status == "prepared"
    assert "CERTIFICATE_VERIFY_FAILED" in digest.reason
    assert hook.requests == []


def test_host_that_is_not_allowed_gets_no_alert(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    digest, _ = tell(tmp_path, published, settings(hook, allowed_hosts=("hooks.vendor.example",)))
    assert (digest.status, hook.requests) == ("prepared", [])


def test_alerts_wait_in_quiet_hours_and_go_out_after(
    hook: HookServer, published: Published, tmp_path: Path
) -> None:
    quiet = QuietHours(time_zone="Europe/Berlin", hours=("20:00-07:00",))  # type: ignore[arg-type]
    webhook = settings(hook, quiet_hours=quiet)
    # 04:59:59 UTC is 06:59:59 in Berlin in summer.
    waiting, _ = tell(tmp_path, published, webhook, datetime(2026, 8, 3, 4, 59, 59, tzinfo=UTC))
    assert waiting.status == "quiet"
    assert explain_digest(waiting) is None
    assert tell(tmp_path, published, webhook, datetime(2026, 8, 3, 5, tzinfo=UTC))[0].status == "sent"
    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("at", "is_in"),
    [
        # 29 March 2026: 02:00 becomes 03:00, so 01:59:59 is followed by 03:00:00.
        ("2026-03-29T00:29:59Z", False),
        ("2026-03-29T00:30:00Z", True),
        ("2026-03-29T00:59:59Z", True),
        ("2026-03-29T01:00:00Z", False),
        # 25 October 2026: 02:30 comes twice, and is quiet twice.
        ("2026-10-25T00:29:59Z", True),
        ("2026-10-25T00:30:00Z", False),
        ("2026-10-25T01:00:00Z", True),
        ("2026-10-25T01:29:59Z", True),
        ("2026-10-25T01:30:00Z", False),
    ],
)
def test_quiet_hours_follow_the_wall_clock_on_both_days_of_the_clock_change(at: str, is_in: bool) -> None:
    quiet = QuietHours(time_zone="Europe/Berlin", hours=("01:30-02:30",))  # type: ignore[arg-type]
    assert is_quiet(quiet, datetime.fromisoformat(at)) == is_in


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_address_is_public_only_where_it_is_so_in_every_spelling(address: str, is_so: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) == is_so


def test_alert_of_another_threshold_or_after_a_pack_is_another_alert(published: Published) -> None:
    from dataclasses import replace

    from pipeline.delivery.find_alerts import _identify
    from pipeline.reporting.entitlements import read_alerts

    alert = next(one for one in read_alerts(published, EVERY_CUSTOMER) if one.threshold_pct == 80)
    same = replace(alert, consumed_quantity=10, days_left=3, raised_at=None)
    assert _identify(same) == _identify(alert)
    for other in (replace(alert, threshold_pct=100), replace(alert, available_quantity=21)):
        assert _identify(other) != _identify(alert)


def test_key_of_an_alert_is_its_own_whatever_its_parts_hold() -> None:
    keys = [Key("a", "b:c", "breached", "", "webhook"), Key("a:b", "c", "breached", "", "webhook")]
    assert len({key.digest() for key in keys}) == 2
    assert isinstance(Told(keys[0], "breached", "a", None, "", {}), Told)
