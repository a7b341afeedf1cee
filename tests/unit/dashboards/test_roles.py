"""Who may see what on the pages: each role sees its customers and its pages, and no page or file holds a word of another one."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copytree

import pytest

from dashboards import viewer
from dashboards.pages import PAGES, may_open
from pipeline.settings import Workspace
from tests.unit.dashboards.roles import (
    ACCESS,
    PEOPLE,
    ask_for_login,
    list_texts,
    log_in,
    record_downloads,
    run_page,
)
from tests.unit.dashboards.small_build import change, publish

# One in each text that a source or a contract gives, named for its customer.
CANARIES = """
    update core.dim_customers set customer_name = 'Name canary-' || customer_id || '.';
    update core.dim_tickets set subject = 'Subject canary-' || customer_id || '.',
        requester = 'Requester canary-' || customer_id || '.', group_name = 'Group canary-' || customer_id || '.';
    update core.fct_ticket_events set actor = 'Actor canary-' || customer_id || '.',
        value = 'Value canary-' || customer_id || '.';
    update core.fct_sla_breach_holdings as holdings
        set group_name = 'Group canary-' || breaches.customer_id || '.'
        from core.fct_sla_breaches as breaches where breaches.obligation_key = holdings.obligation_key;
    update core.dim_waivers set reason = 'Reason canary-beta.', requested_by = 'canary-beta.';
    update core.fct_entitlement_movements set reason = 'Movement canary-' || customer_id || '.';
    update qc.rpt_qc__findings set evidence = 'Evidence canary-' || customer_id || '.';
    update marts.mart_account__entitlement_balances set customer_name = 'Balance canary-' || customer_id || '.';
    update marts.mart_account__alerts set customer_name = 'Alert canary-' || customer_id || '.';
    update marts.mart_manager__monthly_compliance set customer_name = 'Mart canary-' || customer_id || '.',
        group_name = 'Cut canary-' || customer_id || '.';
"""
ADDRESSES: dict[str, tuple[dict[str, str | list[str]], ...]] = {
    "tickets": ({"month": ""}, {"month": "", "customer": "beta"}),
    "ticket": ({"ticket": "T-4"}, {"ticket": "T-8"}, {"ticket": "T-11"}),
    "customer": ({"customer": "acme"}, {"customer": "beta"}),
    "compliance": ({"by": "customer"}, {"customer": "beta"}, {"by": "group"}),
    "entitlements": ({"term": "", "pool": "standard-term/regular"}, {"pool": "enhanced-term/regular"}),
    "findings": tuple({"part": part} for part in ("contract", "data", "settings", "quarantine", "checks")),
    "backlog": ({"day": "2026-06-10", "span": ""}, {"customer": "beta"}),
    "distribution": ({"month": "", "event": "breached"},),
    "why": ({"month": ""},),
}
NAMES = [page.file.removeprefix("views/").removesuffix(".py") for page in PAGES]


@pytest.fixture(scope="module")
def published_once(tmp_path_factory) -> Path:
    workspace = publish(tmp_path_factory.mktemp("roles"))
    change(workspace, CANARIES)
    ask_for_login(workspace.root)
    return workspace.root


@pytest.fixture
def workspace(published_once, tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    copytree(published_once, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path)


def find_canaries(texts) -> set[str]:
    return {name for text in texts for name in re.findall(r"canary-([a-z]+)", text)}


# The account team opens every page with the same scope as the customer's own people.
@pytest.mark.parametrize(
    "role",
    [
        "account",
        pytest.param("manager", marks=pytest.mark.long),
        pytest.param("customer", marks=pytest.mark.long),
    ],
)
def test_no_page_and_no_file_holds_a_word_of_a_customer_out_of_scope(workspace, monkeypatch, role):
    log_in(monkeypatch, email=PEOPLE[role])
    offered = record_downloads(monkeypatch)
    seen: set[str] = set()
    # The manager's pages show that there is something to leak; a few of them are enough for that.
    for name in NAMES if role != "manager" else ("customers", "tickets", "findings"):
        # Where an address says what to show, the page without one shows less.
        for address in ADDRESSES.get(name, ({},)):
            app = run_page(name, address, is_alone=False)
            assert not app.exception, (name, address)
            seen |= find_canaries(list_texts(app))
    seen |= find_canaries(map(str, offered))
    assert seen == ({"acme", "beta"} if role == "manager" else {"acme"})


# The customer is the role that is kept from pages; that the others open each is looked at in the long suite.
@pytest.mark.parametrize(
    "role",
    [
        "customer",
        pytest.param("account", marks=pytest.mark.long),
        pytest.param("manager", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_opened_by_the_roles_that_it_is_for_and_no_others(workspace, monkeypatch, name, role):
    log_in(monkeypatch, email=PEOPLE[role])
    # Its file alone, as by an address that the navigation does not know.
    app = run_page(name, is_alone=True) if not may_open(role, f"views/{name}.py") else run_page(name)
    denied = ["Not allowed: this page is not for your role."]
    assert [error.value for error in app.error] == ([] if may_open(role, f"views/{name}.py") else denied)
    assert not app.exception
    if not may_open(role, f"views/{name}.py"):
        assert not app.dataframe


def test_groups_of_the_vendor_are_no_cut_and_no_filter_of_a_customer(workspace, monkeypatch):
    for role, is_shown in (("account", True), ("customer", False)):
        log_in(monkeypatch, email=PEOPLE[role])
        page, listed = (
            run_page("compliance", {"by": "group"}),
            run_page("tickets", {"month": "", "group": "Desk"}),
        )
        assert ("group" in page.selectbox(key="by").options) == is_shown
        assert ("group" in [each.key for each in listed.multiselect]) == is_shown


def test_a_page_that_is_not_listed_is_opened_by_no_role():
    assert not any(may_open(role, "views/new.py") for role in PEOPLE)


def test_a_forbidden_customer_in_the_address_looks_like_one_that_does_not_exist(workspace, monkeypatch):
    log_in(monkeypatch, email=PEOPLE["customer"])

    def told(customer: str) -> list[str]:
        app = run_page("customer", {"customer": customer})
        texts = [text.value for text in (*app.text, *app.info, *app.warning, *app.error)]
        return [text.replace(customer, "ID") for text in texts]

    assert told("beta") == told("gamma")
    assert any("ID" in text for text in told("beta"))
    log_in(monkeypatch, email=PEOPLE["account"])
    forbidden, unknown = (run_page("ticket", {"ticket": ticket}) for ticket in ("T-8", "T-99"))
    assert [info.value for info in forbidden.info] == [info.value for info in unknown.info]
    (nearest,) = [text.value for text in forbidden.text if "Nearest: 'T-" in text.value]
    offered = nearest.partition("Nearest")[2]
    assert not any(f"'{ticket}'" in offered for ticket in ("T-7", "T-8", "T-11", "T-12"))


def test_nothing_is_shown_before_a_login(workspace, monkeypatch):
    monkeypatch.setattr(viewer, "read_claims", lambda: {"is_logged_in": False, "email": PEOPLE["manager"]})
    for name in NAMES:
        # The first also as the navigation opens it, which ends before any page.
        for is_alone in (False, True) if name == NAMES[0] else (True,):
            app = run_page(name, is_alone=is_alone)
            assert [info.value for info in app.info] == ["Log in to see the figures."]
            assert not app.dataframe and not app.text
            assert find_canaries(list_texts(app)) == set()


@pytest.mark.parametrize(
    "claims",
    [{"email": "someone@vendor.example"}, {"email": PEOPLE["manager"], "email_verified": False}, {}],
)
def test_an_account_without_a_role_sees_that_it_is_not_allowed(workspace, monkeypatch, claims):
    log_in(monkeypatch, **claims)
    app = run_page("overview")
    assert app.error[0].value.startswith("Not allowed: this account may see no customer.")
    assert not app.dataframe
    assert find_canaries(list_texts(app)) == set()


def test_a_role_that_is_taken_away_ends_with_the_next_page(workspace, monkeypatch):
    log_in(monkeypatch, email=PEOPLE["account"])
    assert not run_page("overview").error
    ask_for_login(workspace.root, ACCESS.replace("axel@vendor.example", "other@vendor.example"))
    assert run_page("overview").error[0].value.startswith("Not allowed")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sla.yml", "sources: {helpdesk: {type: canonical}}\nauth: {client_id: x}\n"),
        ("sla.yml", "sources: [broken"),
        ("reference/access.yml", "access: [{role: manager}]"),
        # A login that was taken out of sla.yml while the server with the login runs on.
        ("sla.yml", "sources: {helpdesk: {type: canonical}}\n"),
    ],
)
def test_nothing_is_shown_where_it_cannot_be_read_who_may_see_it(workspace, monkeypatch, file, text):
    log_in(monkeypatch, email=PEOPLE["manager"])
    (workspace.root / file).write_text(text, encoding="utf-8")
    app = run_page("overview")
    assert len(app.error) == 1
    assert not app.dataframe and not app.header
    words = " ".join(list_texts(app))
    # No word of the files of the machine.
    for internal in (str(workspace.root), "access.yml", "line "):
        assert internal not in words


def test_an_error_says_nothing_of_the_machine_to_a_person_from_elsewhere(workspace, monkeypatch):
    log_in(monkeypatch, email=PEOPLE["manager"])
    (workspace.published / "5ma11b01d000.duckdb").unlink()
    app = run_page("overview")
    assert [error.value for error in app.error] == ["The figures cannot be shown."]
    assert str(workspace.root) not in " ".join(list_texts(app))
    assert any("server's log" in text.value for text in app.text)


def test_a_customer_gets_the_list_as_shown_and_no_code_of_ours(workspace, monkeypatch):
    offered = record_downloads(monkeypatch)
    log_in(monkeypatch, email=PEOPLE["customer"])
    run_page("tickets", {"month": ""})
    ((_, columns, rows, _),) = [each for each in offered if each[0] == "Download this list"]
    assert "Ticket" in columns and "plan_version" not in columns
    # Why a promise was breached is the vendor's own.
    assert "T-4" in str(rows) and "Between teams" not in str(rows)
