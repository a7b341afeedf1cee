"""One signed digest per run to the address that sla.yml names: https only, to allowed hosts and public addresses only.

The receiver computes HMAC-SHA256 over `<X-SLA-Timestamp>.<body>` with the shared secret, compares it with X-SLA-Signature (`v1=`
and hexadecimal digits), and refuses an old timestamp. Idempotency-Key is the same whenever the same alerts are sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.delivery.channel import ChannelFailed, Outcome
from pipeline.delivery.find_alerts import Told
from pipeline.delivery.ledger import Entry, Ledger, State, write_instant
from pipeline.errors import ConfigurationError, DeliveryFailed
from pipeline.reporting.status import BuildStatus
from pipeline.rules.delivery_file import QuietHours, Webhook
from pipeline.secrets_file import Secret
from pipeline.zones import find_zone

_DAY_SECONDS = 86_400
# An IPv6 address of this network stands for the IPv4 address in its last 32 bits.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# What the receiver says that it did not take; after any other error it may have.
_SURELY_NOT_TAKEN = (501, 503, 505)
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Digest:
    """What became of the alerts of one run. `status` is also quiet (they wait) or none (there are none)."""

    status: str
    alerts: tuple[Told, ...]
    digest_id: str = ""
    reason: str = ""


class WebhookSender:
    """Sends the digests of one workspace. Raises ConfigurationError for certificates that cannot be read."""

    def __init__(self, webhook: Webhook, root: Path, secret: Secret) -> None:
        self._webhook = webhook
        self._secret = secret
        path = (
            None if webhook.certificates_file is None else root / Path(webhook.certificates_file).expanduser()
        )
        try:
            self._tls = ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as problem:
            raise ConfigurationError(
                f"certificates_file: {path} holds no certificates in PEM: {problem}."
            ) from problem

    def send(
        self,
        alerts: Sequence[Told],
        status: BuildStatus,
        ledger: Ledger,
        at: datetime,
        *,
        is_again: bool = False,
    ) -> Digest:
        """Tell alerts in one request. The caller holds the workspace's lock. `is_again`: an operator asks for those of an earlier
        run, also in quiet hours."""
        quiet = self._webhook.quiet_hours
        if not alerts:
            return Digest("none", ())
        if quiet is not None and not is_again and is_quiet(quiet, at):
            return Digest("quiet", tuple(alerts), reason=f"quiet hours in {quiet.time_zone}")
        body, digest_id = write_digest(alerts, status)
        before = {alert.key: ledger.find(alert.key) for alert in alerts}
        attempts = {key: 1 if entry is None else entry.attempt + is_again for key, entry in before.items()}

        def record(state: State, detail: str = "") -> None:
            ledger.add(
                [
                    Entry(
                        alert.key,
                        state,
                        attempts[alert.key],
                        write_instant(at),
                        digest_id,
                        hashlib.sha256(body).hexdigest(),
                        (),
                        urlsplit(self._webhook.url).netloc,
                        {},
                        {},
                        detail,
                    )
                    for alert in alerts
                ]
            )

        request = _Request(self._webhook, self._tls)
        try:
            request.connect()
        except ChannelFailed as problem:
            if is_again:
                record("prepared", problem.message)
            return Digest("prepared", tuple(alerts), digest_id, problem.message)
        record("prepared")
        record("sending")
        outcome = request.post(body, digest_id, self._secret, at)
        record(outcome.state, outcome.detail)
        return Digest(outcome.state, tuple(alerts), digest_id, outcome.detail)


def explain_digest(digest: Digest) -> DeliveryFailed | None:
    """The error that a run ends with whose alerts did not surely arrive."""
    if digest.status == "prepared":
        return DeliveryFailed(
            f"{len(digest.alerts)} alerts were not sent: {digest.reason} The next run tries again."
        )
    if digest.status == "unknown":
        return DeliveryFailed(
            f"{len(digest.alerts)} alerts may have arrived, and are not repeated: {digest.reason}. Ask the receiver for digest "
            f"{digest.digest_id}, then: sla send --digest {digest.digest_id} --arrived, or --resend"
        )
    return None


def write_digest(alerts: Sequence[Told], status: BuildStatus) -> tuple[bytes, str]:
    """The body, and the id that the same alerts always have."""
    digest_id = hashlib.sha256(
        "\n".join(sorted(alert.key.digest() for alert in alerts)).encode()
    ).hexdigest()[:32]
    content = {
        "digest": digest_id,
        "as_of": f"{status.as_of:%Y-%m-%dT%H:%M:%SZ}",
        "build": status.build_id,
        "lagging_sources": [source.source for source in status.sources if source.is_lagging],
        "alerts": [
            {
                "alert": alert.key.digest(),
                "kind": alert.kind,
                "customer_id": alert.customer_id,
                "customer_name": alert.customer_name,
                "what": alert.what,
                **alert.facts,
            }
            for alert in alerts
        ],
    }
    return json.dumps(content, ensure_ascii=True).encode(), digest_id


def sign(secret: Secret, timestamp: int, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of timestamp, a dot, and body."""
    signed = hmac.new(secret.reveal().encode(), b"%d." % timestamp + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def is_quiet(quiet: QuietHours, at: datetime) -> bool:
    """Whether an instant lies in quiet hours, by the wall clock of their zone: on a day of 23 or 25 hours as well."""
    local = at.astimezone(find_zone(quiet.time_zone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(start <= second < end or start <= second + _DAY_SECONDS < end for start, end in quiet.hours)


class _Request:
    """One request on one connection; a redirect is an answer like any other, and is not followed."""

    def __init__(self, webhook: Webhook, tls: ssl.SSLContext) -> None:
        self._webhook = webhook
        self._tls = tls
        self._url = urlsplit(webhook.url)
        self._host = (self._url.hostname or "").lower()
        self._port = self._url.port or 443
        self._connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=webhook.timeout_seconds, context=tls
        )

    def connect(self) -> None:
        """Raises ChannelFailed; nothing was sent then."""
        if self._host not in self._webhook.allowed_hosts:
            raise ChannelFailed(f"{self._host} is not under allowed_hosts of sla.yml.")
        address = self._resolve()
        try:
            # To the address that was judged: a second look-up of the name could give another one.
            plain = socket.create_connection((str(address), self._port), self._webhook.timeout_seconds)
            try:
                self._connection.sock = self._tls.wrap_socket(plain, server_hostname=self._host)
            except BaseException:
                plain.close()
                raise
        except OSError as problem:
            raise ChannelFailed(
                f"{self._host}, port {self._port}, cannot be reached: {problem}."
            ) from problem

    def post(self, body: bytes, digest_id: str, secret: Secret, at: datetime) -> Outcome:
        timestamp = int(at.timestamp())
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": digest_id,
            "X-SLA-Timestamp": str(timestamp),
            "X-SLA-Signature": sign(secret, timestamp, body),
            "Connection": "close",
        }
        try:
            self._connection.request("POST", path, body, headers)
            code = self._connection.getresponse().status
        except (OSError, http.client.HTTPException) as problem:
            return Outcome("unknown", f"no answer: {str(problem) or type(problem).__name__}")
        finally:
            self._connection.close()
        if code // 100 == 2:
            return Outcome("sent", str(code))
        if code // 100 in (3, 4) or code in _SURELY_NOT_TAKEN:
            redirect = ", a redirect, which is not followed" if code // 100 == 3 else ""
            return Outcome("prepared", f"{self._host} answered {code}{redirect}.")
        return Outcome("unknown", f"{self._host} answered {code}")

    def _resolve(self) -> _Address:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as problem:
            raise ChannelFailed(f"{self._host} has no address: {problem}.") from problem
        addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        own = [ipaddress.ip_network(one) for one in self._webhook.private_addresses]
        for address in addresses:
            if not is_public(address) and not any(address in network for network in own):
                raise ChannelFailed(
                    f"{self._host} resolves to {address}, which is not public. If it is yours, name it under "
                    "private_addresses of delivery.webhook."
                )
        return addresses[0]


def is_public(address: _Address) -> bool:
    """Whether an address is one of the Internet, also where it is an IPv4 address written as IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
