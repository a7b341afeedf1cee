"""The channel `smtp`: one encrypted connection, one message at a time, and the one moment at which an outcome can be unknown.

Until the last line of a message is written the server has taken nothing. From there to its answer it may have: a connection that
ends in between leaves the outcome unknown.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from pathlib import Path

from pipeline.delivery.channel import ChannelFailed, Outcome
from pipeline.delivery.compose_mail import Message
from pipeline.delivery.ledger import Entry
from pipeline.errors import ConfigurationError
from pipeline.rules.delivery_file import SmtpServer
from pipeline.secrets_file import Secret

# "Service not available, closing": no later message will be taken on this connection.
_CLOSING = 421
_LONGEST_ANSWER = 200
_ERRORS = (OSError, smtplib.SMTPException)


class SmtpChannel:
    """A connection that is opened for the first message, and again after it broke."""

    name = "smtp"

    def __init__(self, server: SmtpServer, root: Path, login: tuple[Secret, Secret] | None) -> None:
        self._server = server
        self._login = login
        self._smtp: smtplib.SMTP | None = None
        self._tls = _trust(root, server.certificates_file)
        self.to = f"{server.security} {server.host}:{server.port_used}"

    def open(self) -> None:
        if self._smtp is not None:
            return
        server = self._server
        where = f"The mail server {server.host}, port {server.port_used},"
        smtp: smtplib.SMTP | None = None
        try:
            if server.security == "tls":
                smtp = smtplib.SMTP_SSL(
                    server.host, server.port_used, timeout=server.timeout_seconds, context=self._tls
                )
                smtp.ehlo_or_helo_if_needed()
            else:
                smtp = smtplib.SMTP(server.host, server.port_used, timeout=server.timeout_seconds)
                smtp.starttls(context=self._tls)
                smtp.ehlo()
        except smtplib.SMTPNotSupportedError as problem:
            _drop(smtp)
            raise ChannelFailed(
                f"{where} offers no encryption (STARTTLS), and nothing is sent without. Correct port and security under "
                "delivery.smtp."
            ) from problem
        except ssl.SSLCertVerificationError as problem:
            _drop(smtp)
            raise ChannelFailed(
                f"{where} shows a certificate that is not trusted: {problem.verify_message}. Where your own authority "
                "signed it, name it under delivery.smtp.certificates_file."
            ) from problem
        except _ERRORS as problem:
            _drop(smtp)
            raise ChannelFailed(
                f"{where} cannot be used: {_answer_of(problem)}. Correct host, port and security under delivery.smtp, or wait "
                "until it answers; `sla doctor --smtp` tries it."
            ) from problem
        if self._login is not None:
            user, password = self._login
            try:
                smtp.login(user.reveal(), password.reveal())
            except _ERRORS as problem:
                _drop(smtp)
                # The answer of some servers repeats what was sent, so only its number is told.
                code = (
                    problem.smtp_code if isinstance(problem, smtplib.SMTPResponseException) else "no answer"
                )
                raise ChannelFailed(
                    f"{where} does not accept the login ({code}). Correct SLA_SMTP_USER and SLA_SMTP_PASSWORD."
                ) from None
        self._smtp = smtp

    def hand_over(self, message: Message, attempt: int) -> Outcome:
        refused: dict[str, str] = {}
        try:
            code, answer = self._begin(message.sender)
            smtp = self._smtp
            assert smtp is not None
            if code // 100 != 2:
                return self._refuse(code, f"the sender was not taken: {_say(code, answer)}")
            codes = []
            for recipient in message.recipients:
                code, answer = smtp.rcpt(recipient)
                if code == _CLOSING:
                    return self._refuse(code, _say(code, answer))
                if code // 100 != 2:
                    refused[recipient] = _say(code, answer)
                    codes.append(code)
            if len(refused) == len(message.recipients):
                # One that may be taken later is a reason to try again.
                outcome = self._refuse(min(codes), "no recipient was taken")
                return Outcome(outcome.state, outcome.detail, refused)
            if any(code // 100 == 4 for code in codes):
                # Sent now, the others would have it and this one never would.
                return Outcome("prepared", "a recipient cannot be taken now", refused)
            code, answer = smtp.docmd("DATA")
            if code != 354:
                return self._refuse(code, _say(code, answer))
        except _ERRORS as problem:
            self._break_off()
            return Outcome(
                "prepared",
                f"the connection ended before the message was sent: {_answer_of(problem)}",
                refused,
            )
        try:
            smtp.send(_stuff_dots(message.content) + b".\r\n")
            code, answer = smtp.getreply()
        except _ERRORS as problem:
            self._break_off()
            return Outcome(
                "unknown", f"the connection ended before the server's answer: {_answer_of(problem)}", refused
            )
        if code // 100 == 2:
            return Outcome("sent", _say(code, answer), refused)
        if code // 100 in (4, 5):
            return self._refuse(code, _say(code, answer))
        self._break_off()
        return Outcome("unknown", f"the server's answer has no meaning here: {_say(code, answer)}", refused)

    def is_proven(self, entry: Entry) -> bool:
        return False

    def judge_sender(self, sender: str) -> str | None:
        """Why the server does not take a sender; None where it does. Nothing is sent. Raises ChannelFailed."""
        try:
            code, answer = self._begin(sender)
        except _ERRORS as problem:
            self._break_off()
            return _answer_of(problem)
        return None if code // 100 == 2 else _say(code, answer)

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(*_ERRORS):
                smtp.quit()
            smtp.close()

    def _begin(self, sender: str) -> tuple[int, bytes]:
        """The server's answer to the sender. A connection that it closed since the message before is opened once more: servers
        limit what one connection may hand over."""
        if self._smtp is not None:
            with suppress(*_ERRORS):
                self._smtp.rset()
                code, answer = self._smtp.mail(sender)
                if code != _CLOSING:
                    return code, answer
            self._break_off()
        self.open()
        assert self._smtp is not None
        return self._smtp.mail(sender)

    def _break_off(self) -> None:
        smtp, self._smtp = self._smtp, None
        _drop(smtp)

    def _refuse(self, code: int, detail: str) -> Outcome:
        """What a refusal means: 4xx may be taken later, 5xx will not be."""
        if code == _CLOSING:
            self._break_off()
            raise ChannelFailed(f"The mail server {self._server.host} takes no more messages now: {detail}.")
        return Outcome("refused" if code // 100 == 5 else "prepared", detail)


def _trust(root: Path, certificates_file: str | None) -> ssl.SSLContext:
    """Encryption that checks the other side. Raises ConfigurationError for certificates that cannot be read."""
    path = None if certificates_file is None else root / Path(certificates_file).expanduser()
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigurationError(
            f"certificates_file: {path} holds no certificates in PEM: {problem}."
        ) from problem


def _stuff_dots(content: bytes) -> bytes:
    """A line that begins with a dot gets a second one: alone it would end the message."""
    return re.sub(rb"(?m)^\.", b"..", content)


def _drop(smtp: smtplib.SMTP | None) -> None:
    """Close a connection without a word: one that does not answer would be waited for once more."""
    if smtp is not None:
        smtp.close()


def _say(code: int, answer: bytes) -> str:
    text = " ".join(answer.decode("utf-8", "replace").split())
    return f"{code} {text}"[:_LONGEST_ANSWER]


def _answer_of(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        error = problem.smtp_error
        return _say(problem.smtp_code, error if isinstance(error, bytes) else str(error).encode())
    return str(problem)[:_LONGEST_ANSWER] or type(problem).__name__
