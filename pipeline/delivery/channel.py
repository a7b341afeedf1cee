"""What every channel does: hand one message over, and say for certain or not what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pipeline.delivery.compose_mail import Message
from pipeline.delivery.ledger import Entry
from pipeline.errors import DeliveryFailed


@dataclass(frozen=True)
class Outcome:
    """`prepared`: it surely did not leave, and the next run tries again. `refused`: it was not taken and will not be as it is.
    `unknown`: it may have arrived. `refused` maps single recipients of a message that was sent to why they were not taken.
    """

    state: Literal["prepared", "sent", "refused", "unknown"]
    detail: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)


class ChannelFailed(DeliveryFailed):
    """The channel does not work at all. The message at hand surely did not leave, and no other one was tried."""


class Channel(Protocol):
    """`name` is a part of the ledger's key; `to` names the settings that, with the sender, make a refusal another one."""

    name: str
    to: str

    def open(self) -> None:
        """Make ready. Raises ChannelFailed; nothing is handed over before it returned."""

    def hand_over(self, message: Message, attempt: int) -> Outcome:
        """Try once. Raises ChannelFailed where no message can be handed over any more."""

    def is_proven(self, entry: Entry) -> bool:
        """Whether a message whose run was killed was certainly handed over."""

    def close(self) -> None:
        """Let go of what is open; raises nothing."""
