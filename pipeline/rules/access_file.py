"""`reference/access.yml`: which people and groups have which role in the dashboard, and whose rows they may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pipeline.declarations.declared import Declared, read_declared
from pipeline.declarations.problems import Place, refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.declarations.values import UNREPEATED, OneOf, Text
from pipeline.errors import ConfigurationError, Problem
from pipeline.settings import Workspace

Role = Literal["manager", "account", "customer"]
ROLES: tuple[Role, ...] = ("manager", "account", "customer")


class AccessEntry(Declared):
    """A role of some people and groups."""

    role: Annotated[str, OneOf(ROLES)]
    """manager sees every customer; account those listed, with what is the vendor's own; customer those listed, without it."""
    people: Annotated[tuple[Text, ...], *UNREPEATED] = ()
    """E-mail addresses, as the provider states and has verified them; capitals do not matter."""
    groups: Annotated[tuple[Text, ...], *UNREPEATED] = ()
    """Words of the claim that auth.groups_claim names."""
    customers: Annotated[tuple[Text, ...], *UNREPEATED] = ()
    """Ids of reference/customers.csv."""

    def check(self, place: Place) -> None:
        if not self.people and not self.groups:
            place.report([], "this entry names no person and no group.", "Add people: or groups:.")
        if self.role == "manager" and self.customers:
            place.report(
                ["customers"],
                "a manager sees every customer.",
                "Leave customers away, or take role: account.",
            )
        if self.role != "manager" and not self.customers:
            place.report(
                [],
                f"the role {self.role} sees the customers that are listed, and none is.",
                "Add customers: [ID].",
            )


class AccessFile(Declared):
    """Who may see what. What is not listed here sees nothing."""

    access: tuple[AccessEntry, ...] = ()


@dataclass(frozen=True)
class Grant:
    """What a person may see: `customer_ids` None is every customer. `role` says whether also what is the vendor's own."""

    role: Role
    customer_ids: tuple[str, ...] | None


def load_access(workspace: Workspace) -> AccessFile:
    """The file as typed values; without one, no person has a role. Raises ConfigurationError for what is wrong in it."""
    path = workspace.reference / "access.yml"
    try:
        stat = path.stat()
    except FileNotFoundError:
        return AccessFile()
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}.") from problem
    # Every page asks, and the file rarely changes.
    return _load(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(path: Path, mtime_ns: int, size: int) -> AccessFile:
    problems: list[Problem] = []
    file, _ = read_declared(AccessFile, read_yaml(path), problems)
    if problems:
        raise refuse(str(path), problems)
    return file


def find_grant(file: AccessFile, claims: Mapping[str, Any], groups_claim: str) -> Grant | None:
    """What the person of these claims may see; None: nothing. Of several roles, customer counts alone, so that a person on a
    customer's side never sees what is the vendor's own; then manager; the customers of entries of one role add up."""
    address, groups = _read_address(claims), _read_groups(claims.get(groups_claim))
    matching = [
        entry
        for entry in file.access
        if (address is not None and address in {each.casefold() for each in entry.people})
        or not groups.isdisjoint(entry.groups)
    ]
    for role in ("customer", "manager", "account"):
        own = [entry for entry in matching if entry.role == role]
        if own:
            listed = tuple(sorted({each for entry in own for each in entry.customers}))
            return Grant(role, None if role == "manager" else listed)  # type: ignore[arg-type]
    return None


def _read_address(claims: Mapping[str, Any]) -> str | None:
    address = claims.get("email")
    # Some providers let people write any address; these say that it is not verified.
    if not isinstance(address, str) or not address or claims.get("email_verified") in (False, "false"):
        return None
    return address.casefold()


def _read_groups(claim: object) -> set[str]:
    listed = [claim] if isinstance(claim, str) else claim if isinstance(claim, (list, tuple)) else []
    return {each for each in listed if isinstance(each, str) and each}
