"""The channel `smtp` against a real server: what is sent, what is refused, and the one moment at which that is not known."""

from __future__ import annotations

import pytest

from pipeline.delivery.channel import ChannelFailed
from pipeline.delivery.send_smtp import SmtpChannel
from pipeline.rules.delivery_file import SmtpServer
from tests.delivery.mail_server import PASSWORD, USER, MailServer
from tests.delivery.messages import connect, make_message


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_message_arrives_encrypted_and_byte_for_byte(mail_server: MailServer, kind: str) -> None:
    # A line that is a dot alone would end the message early.
    message = make_message("ann@acme.example", body="first\n.\n..\n.x\nlast\n")
    channel = connect(mail_server, kind)
    assert channel.hand_over(message, 1).state == "sent"
    channel.close()
    [received] = mail_server.received()
    assert (received.sender, received.recipients) == ("reports@vendor.example", ("ann@acme.example",))
    assert received.is_encrypted
    assert received.content == message.content


def test_login_is_given_where_the_server_wants_one(mail_server: MailServer) -> None:
    channel = connect(mail_server, "login", (USER, PASSWORD))
    assert channel.hand_over(make_message("ann@acme.example"), 1).state == "sent"
    channel.close()
    assert len(mail_server.received()) == 1


def test_wrong_login_fails_the_channel_and_shows_no_secret(mail_server: MailServer) -> None:
    channel = connect(mail_server, "login", (USER, "another password"))
    with pytest.raises(ChannelFailed) as failed:
        channel.open()
    assert "does not accept the login (535)" in str(failed.value)
    assert "another password" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_server_without_encryption_gets_nothing(mail_server: MailServer) -> None:
    with pytest.raises(ChannelFailed, match="offers no encryption"):
        connect(mail_server, "plain").open()
    assert mail_server.received() == []


def test_certificate_of_an_unknown_authority_is_not_trusted(mail_server: MailServer) -> None:
    for kind in ("starttls", "tls"):
        with pytest.raises(ChannelFailed, match="certificate that is not trusted"):
            connect(mail_server, kind, is_trusted=False).open()
    assert mail_server.received() == []


def test_server_that_is_not_there_fails_the_channel() -> None:
    settings = SmtpServer(host="127.0.0.1", port=1, timeout_seconds=2)
    from pathlib import Path

    with pytest.raises(ChannelFailed, match=r"127\.0\.0\.1, port 1, cannot be used"):
        SmtpChannel(settings, Path("/"), None).open()


@pytest.mark.parametrize(
    ("recipient", "state", "words"),
    [
        ("r550", "refused", "550 5.1.1 no such person here"),
        ("r450", "prepared", "450 4.2.0 the mailbox is busy"),
        ("d554", "refused", "554 5.7.1 refused by content"),
        ("d451", "prepared", "451 4.3.0 try again later"),
        ("drop", "unknown", "the connection ended before the server's answer"),
        ("kept", "unknown", "the connection ended before the server's answer"),
    ],
)
def test_every_answer_of_the_server_has_its_own_outcome(
    mail_server: MailServer, recipient: str, state: str, words: str
) -> None:
    address = f"{recipient}@acme.example"
    channel = connect(mail_server)
    outcome = channel.hand_over(make_message(address), 1)
    assert outcome.state == state
    assert words in f"{outcome.detail} {outcome.refused}"
    # The next customer is not affected.
    assert channel.hand_over(make_message("ann@acme.example"), 1).state == "sent"
    channel.close()
    assert len(mail_server.received()) == (2 if recipient == "kept" else 1)


def test_one_bad_recipient_is_named_and_the_other_gets_it(mail_server: MailServer) -> None:
    channel = connect(mail_server)
    outcome = channel.hand_over(make_message("ann@acme.example", "r550@acme.example"), 1)
    channel.close()
    assert outcome.state == "sent"
    assert outcome.refused == {"r550@acme.example": "550 5.1.1 no such person here"}
    assert [received.recipients for received in mail_server.received()] == [("ann@acme.example",)]


def test_recipient_that_can_be_taken_later_keeps_the_message_for_all(mail_server: MailServer) -> None:
    channel = connect(mail_server)
    outcome = channel.hand_over(make_message("ann@acme.example", "r450@acme.example"), 1)
    channel.close()
    assert outcome.state == "prepared"
    assert mail_server.received() == []


def test_server_that_closes_fails_the_channel(mail_server: MailServer) -> None:
    channel = connect(mail_server)
    with pytest.raises(ChannelFailed, match="takes no more messages now: 421"):
        channel.hand_over(make_message("d421@acme.example"), 1)
    channel.close()
    assert mail_server.received() == []


def test_connection_that_was_lost_between_two_messages_is_opened_again(mail_server: MailServer) -> None:
    channel = connect(mail_server)
    assert channel.hand_over(make_message("ann@acme.example"), 1).state == "sent"
    assert channel._smtp is not None and channel._smtp.sock is not None
    channel._smtp.sock.close()
    assert channel.hand_over(make_message("ann@acme.example"), 1).state == "sent"
    channel.close()
    assert len(mail_server.received()) == 2
