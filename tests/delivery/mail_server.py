"""A real mail server in a process of its own, on the loopback address: `python -m tests.delivery.mail_server FOLDER`.

What it takes it writes into FOLDER, one file per message. The local part of an address says how it behaves, that of a sender:

- `s550`: the sender is refused

And that of a recipient:

- `r550`, `r450`: the recipient is refused, permanently or for now
- `d554`, `d451`: the message is refused after its last line
- `d421`: the server closes after the last line, saying so
- `drop`: the connection ends after the last line, and the message is lost
- `kept`: the same, but the message was taken
- `hold`: the message is taken, and the answer does not come
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.delivery.certificates import Certificates, make_certificates

USER, PASSWORD = "reports", "a password of the tests"


@dataclass(frozen=True)
class Received:
    """One message as the server took it: the envelope, and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    is_encrypted: bool
    content: bytes


@dataclass(frozen=True)
class MailServer:
    """Its ports: `starttls`, `tls`, `login` (starttls, and a login is needed), `plain` (no encryption at all)."""

    folder: Path
    certificates: Certificates
    ports: dict[str, int]
    process: subprocess.Popen[str]

    def received(self) -> list[Received]:
        """The messages in the order in which they were taken."""
        return [
            Received(
                record["sender"],
                tuple(record["recipients"]),
                record["is_encrypted"],
                record["content"].encode("latin-1"),
            )
            for path in sorted(self.folder.glob("*.json"))
            for record in [json.loads(path.read_text(encoding="utf-8"))]
        ]

    def clear(self) -> None:
        for path in self.folder.glob("*.json"):
            path.unlink()


@contextmanager
def start_mail_server(folder: Path) -> Iterator[MailServer]:
    """The server while the block runs."""
    folder.mkdir(parents=True)
    certificates = make_certificates(folder / "certificates")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.mail_server", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        yield MailServer(folder, certificates, json.loads(process.stdout.readline()), process)
    finally:
        process.kill()
        process.wait()


class _Handler:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.partition("@")[0] == "s550":
            return "550 5.7.1 not a sender of this server"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        way = address.partition("@")[0]
        if way == "r550":
            return "550 5.1.1 no such person here"
        if way == "r450":
            return "450 4.2.0 the mailbox is busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        ways = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if "d554" in ways:
            return "554 5.7.1 refused by content"
        if "d451" in ways:
            return "451 4.3.0 try again later"
        if "d421" in ways:
            return "421 4.3.2 closing"
        if "drop" not in ways:
            self._write(server, envelope)
        if ways & {"drop", "kept"}:
            server.transport.abort()
        if "hold" in ways:
            await asyncio.sleep(600)
        return "250 OK taken"

    def _write(self, server: Any, envelope: Any) -> None:
        self._count += 1
        record = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "is_encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "content": envelope.original_content.decode("latin-1"),
        }
        # Under its name only once it is whole: a test waits for it.
        temporary = self._folder / f"{self._count:06d}.tmp"
        temporary.write_text(json.dumps(record), encoding="utf-8")
        temporary.rename(temporary.with_suffix(".json"))


def _check_login(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=is_right, handled=False)


async def _serve(folder: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "certificates" / "server.pem", folder / "certificates" / "server.key")
    handler = _Handler(folder)
    starttls = {"tls_context": tls, "require_starttls": True, "hostname": "mail.test"}
    kinds: dict[str, tuple[dict[str, Any], ssl.SSLContext | None]] = {
        "starttls": (starttls, None),
        "tls": ({"hostname": "mail.test"}, tls),
        "login": ({**starttls, "auth_required": True, "authenticator": _check_login}, None),
        "plain": ({"hostname": "mail.test"}, None),
    }
    loop = asyncio.get_running_loop()
    ports = {}
    servers = []
    for kind, (settings, encryption) in kinds.items():

        def make(settings: dict[str, Any] = settings) -> SMTP:
            return SMTP(handler, loop=loop, **settings)

        server = await loop.create_server(make, "127.0.0.1", 0, ssl=encryption)
        servers.append(server)
        ports[kind] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
