"""Which mail addresses are taken: plain ASCII ones that can be written into a header and resolved by every mail server.

Nothing outside of ASCII is taken, neither before nor behind the @: letters that look alike would let one domain pass for another,
and the two standards for them disagree (ß). A domain with such letters has an ASCII form, `xn--…`, which must decode.
"""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# What the mail standard allows before the @, and in all.
_LONGEST_LOCAL = 64
_LONGEST_ADDRESS = 254


def judge_address(text: str, hint: str = "Write one, like ann@acme.example.") -> tuple[str, str] | None:
    """What is wrong with an address, and a hint; None for one that mail may be sent to. `hint`: for text of another shape."""
    local, at, domain = text.rpartition("@")
    shape = (f"{text!r} is not a mail address.", hint)
    if not at or not local or not domain or any(mark in text for mark in ' \t,;<>"'):
        return shape
    if not text.isascii():
        return (
            f"{text!r} holds letters outside of ASCII.",
            "Write a domain in its ASCII form, such as xn--mller-kva.example; before the @ only ASCII can be used.",
        )
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL or len(text) > _LONGEST_ADDRESS:
        return shape
    return judge_domain(domain)


def judge_domain(text: str) -> tuple[str, str] | None:
    """What is wrong with the name of a domain, and a hint; None for one that mail may be sent to."""
    if not text.isascii():
        return (
            f"{text!r} holds letters outside of ASCII.",
            "Write the domain in its ASCII form, such as xn--mller-kva.example.",
        )
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return f"{text!r} is not a domain.", "Write it like acme.example."
    for label in labels:
        if label.lower().startswith("xn--") and not _is_encoded(label):
            return f"{label!r} in {text!r} encodes no name.", "Copy the ASCII form of the domain again."
    return None


def _is_encoded(label: str) -> bool:
    """Whether an `xn--` label is the encoding of something, and the only one of it."""
    try:
        decoded = label.encode("ascii").decode("idna")
        return not decoded.isascii() and decoded.encode("idna").decode("ascii") == label.lower()
    except UnicodeError:
        return False
