"""Who may see what: the section `auth` of sla.yml and reference/access.yml."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.access_file import AccessFile, Grant, find_grant, load_access
from pipeline.rules.load_sources import load_sources
from pipeline.settings import Workspace

ACCESS = """
access:
  - {role: manager, people: [Rita@Vendor.example], groups: [support-managers]}
  - {role: account, people: [axel@vendor.example], customers: [acme, beta]}
  - {role: account, groups: [europe], customers: [gamma]}
  - {role: customer, people: [it@acme.example], groups: [acme-people], customers: [acme]}
"""
AUTH = """
auth:
  metadata_url: https://login.vendor.example/.well-known/openid-configuration
  client_id: sla
  redirect_uri: https://sla.vendor.example/oauth2callback
"""


def write_access(root: Path, text: str) -> Workspace:
    (root / "reference").mkdir(exist_ok=True)
    (root / "reference" / "access.yml").write_text(text, encoding="utf-8")
    return Workspace(root)


@pytest.fixture
def access(tmp_path: Path) -> AccessFile:
    return load_access(write_access(tmp_path, ACCESS))


@pytest.mark.parametrize(
    ("claims", "grant"),
    [
        ({"email": "rita@vendor.example"}, Grant("manager", None)),
        ({"email": "new@vendor.example", "groups": ["x", "support-managers"]}, Grant("manager", None)),
        ({"email": "AXEL@vendor.example"}, Grant("account", ("acme", "beta"))),
        ({"email": "axel@vendor.example", "groups": "europe"}, Grant("account", ("acme", "beta", "gamma"))),
        ({"email": "it@acme.example"}, Grant("customer", ("acme",))),
        # On a customer's side, whatever else is said of the person.
        ({"email": "rita@vendor.example", "groups": ["acme-people"]}, Grant("customer", ("acme",))),
        ({"email": "axel@vendor.example", "groups": ["support-managers"]}, Grant("manager", None)),
        ({"email": "rita@vendor.example", "email_verified": False}, None),
        ({"email": "rita@vendor.example.evil"}, None),
        ({"email": "", "groups": ""}, None),
        ({"email": None, "groups": [None, 7, ["europe"]]}, None),
        ({"sub": "rita@vendor.example", "name": "rita@vendor.example"}, None),
        ({}, None),
    ],
)
def test_a_person_has_what_the_entries_of_the_address_and_the_groups_grant(
    access: AccessFile, claims: dict[str, object], grant: Grant | None
) -> None:
    assert find_grant(access, claims, "groups") == grant


def test_no_person_has_a_role_without_the_file(tmp_path: Path) -> None:
    assert find_grant(load_access(Workspace(tmp_path)), {"email": "rita@vendor.example"}, "groups") is None


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    workspace = write_access(tmp_path, ACCESS)
    assert find_grant(load_access(workspace), {"email": "it@acme.example"}, "groups") is not None
    write_access(tmp_path, "access: []")
    assert find_grant(load_access(workspace), {"email": "it@acme.example"}, "groups") is None


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{role: manager}", "names no person and no group"),
        ("{role: manager, people: [a@b.example], customers: [acme]}", "a manager sees every customer"),
        ("{role: account, people: [a@b.example]}", "sees the customers that are listed, and none is"),
        ("{role: customer, groups: [x]}", "sees the customers that are listed, and none is"),
        ("{role: owner, people: [a@b.example]}", "owner"),
        ("{role: manager, persons: [a@b.example]}", "this key is not known here"),
    ],
)
def test_an_entry_that_grants_nothing_clear_is_refused_with_its_line(
    tmp_path: Path, entry: str, told: str
) -> None:
    workspace = write_access(tmp_path, f"access:\n  - {entry}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_access(workspace)
    assert told in str(refused.value)
    assert "access.yml" in str(refused.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("metadata_url: http://login.vendor.example/x", "is no https address"),
        ("metadata_url: https://user@login.vendor.example/x", "is no https address"),
        ("redirect_uri: https://sla.vendor.example/callback", "does not end with /oauth2callback"),
        ("redirect_uri: http://sla.vendor.example/oauth2callback", "is no https address"),
    ],
)
def test_login_goes_through_encrypted_addresses_only(tmp_path: Path, line: str, told: str) -> None:
    key = line.partition(":")[0]
    text = "\n".join(f"  {line}" if each.strip().startswith(key) else each for each in AUTH.splitlines())
    (tmp_path / "sla.yml").write_text(
        f"sources: {{helpdesk: {{type: canonical}}}}\n{text}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match=told):
        load_sources(tmp_path / "sla.yml")


def test_login_is_read_with_the_host_that_browsers_see(tmp_path: Path) -> None:
    (tmp_path / "sla.yml").write_text(f"sources: {{helpdesk: {{type: canonical}}}}\n{AUTH}", encoding="utf-8")
    auth = load_sources(tmp_path / "sla.yml").auth
    assert auth is not None
    assert (auth.host, auth.origin) == ("sla.vendor.example", "https://sla.vendor.example")
    assert auth.groups_claim == "groups"
