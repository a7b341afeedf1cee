"""The login of the dashboard in a real browser, against a real OpenID provider process on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.serve import start
from pipeline.errors import ConfigurationError
from pipeline.settings import CHECKOUT, Workspace
from tests.delivery.certificates import make_certificates
from tests.end_to_end.test_dashboard_browser import (  # noqa: F401
    browser,
    find_chromium,
    find_free_port,
    wait_until_healthy,
)
from tests.unit.dashboards.roles import ACCESS
from tests.unit.dashboards.small_build import publish

SECRETS = "SLA_OIDC_CLIENT_SECRET=a secret of the client\nSLA_COOKIE_SECRET=" + "0123456789abcdef" * 4 + "\n"
PEOPLE = (
    {"sub": "rita", "email": "rita@vendor.example", "email_verified": True},
    {"sub": "it", "email": "it@acme.example", "email_verified": True},
    {"sub": "stranger", "email": "stranger@elsewhere.example", "email_verified": True},
)


def write_settings(workspace: Workspace, provider: str, address: str, secrets: str) -> None:
    workspace.sla_yml.write_text(
        f"""
sources: {{helpdesk: {{type: canonical}}}}
auth:
  metadata_url: {provider}/.well-known/openid-configuration
  client_id: sla
  redirect_uri: {address}/oauth2callback
  secrets_file: secrets
""",
        encoding="utf-8",
    )
    workspace.reference.mkdir(exist_ok=True)
    (workspace.reference / "access.yml").write_text(ACCESS, encoding="utf-8")
    file = workspace.root / "secrets"
    file.touch(mode=0o600)
    file.write_text(secrets, encoding="utf-8")


@pytest.fixture
def provider() -> Iterator[str]:
    port = find_free_port()
    people = [word for each in PEOPLE for word in ("--user-claims", json.dumps(each))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *people]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/.well-known/openid-configuration")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def log_in(browser, address: str, sub: str):  # noqa: F811 - the fixture
    page = browser.new_context().new_page()
    page.goto(f"{address}/customers")
    page.get_by_text("Log in to see the figures.").wait_for(timeout=30_000)
    assert page.get_by_text("Data known until").count() == 0
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/oauth2/authorize?**", timeout=30_000)
    page.locator(f"button[value={sub}]").click()
    page.wait_for_url(f"{address}/**", timeout=30_000)
    return page


@pytest.mark.browser
def test_each_person_sees_after_the_login_what_the_access_file_grants(browser, provider, tmp_path):  # noqa: F811
    port = find_free_port()
    workspace = publish(tmp_path)
    write_settings(workspace, provider, f"http://127.0.0.1:{port}", SECRETS)
    folder = tmp_path / "server"
    folder.mkdir(mode=0o700)
    server = start(workspace, port, folder)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(f"{address}/_stcore/health")
        page = log_in(browser, address, "rita")
        page.get_by_text("Logged in as rita@vendor.example (manager).").wait_for(timeout=30_000)
        page.goto(f"{address}/customers?month=2026-06")
        page.get_by_text("2 customers, promises of June 2026").wait_for(timeout=30_000)
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/oauth2/end_session?**", timeout=30_000)
        page.goto(address)
        page.get_by_text("Log in to see the figures.").wait_for(timeout=30_000)

        page = log_in(browser, address, "it")
        page.get_by_text("Logged in as it@acme.example (customer).").wait_for(timeout=30_000)
        page.goto(f"{address}/tickets?month=&customer=beta")
        page.get_by_text("Customer: beta").wait_for(timeout=30_000)
        page.get_by_text("8 promises of 8 tickets, worst first.").wait_for(timeout=30_000)
        for page_name in ("Findings", "Why we breach", "Ticket"):
            assert page.get_by_role("link", name=page_name, exact=True).count() == 0
        # A page of the vendor's own people, by its address.
        page.goto(f"{address}/findings")
        page.get_by_text("Promises in June 2026").wait_for(timeout=30_000)

        page = log_in(browser, address, "stranger")
        page.get_by_text("Not allowed: this account may see no customer.").wait_for(timeout=30_000)
        assert page.get_by_text("Data known until").count() == 0
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.mark.parametrize(
    "secrets",
    ["", "SLA_OIDC_CLIENT_SECRET=x\n", "SLA_OIDC_CLIENT_SECRET=x\nSLA_COOKIE_SECRET=too short\n"],
)
def test_server_with_a_login_does_not_start_without_its_secrets(tmp_path: Path, secrets: str) -> None:
    workspace = publish(tmp_path)
    write_settings(workspace, "http://127.0.0.1:9", "http://127.0.0.1:8501", secrets)
    with pytest.raises(ConfigurationError, match="SLA_COOKIE_SECRET"):
        start(workspace, 8501, tmp_path)


EXAMPLE = CHECKOUT / "data" / "deploy" / "nginx-dashboard.conf"
HOST = "sla.vendor.example"


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of a real nginx with the example of data/deploy, and the port of the dashboard behind it. Only addresses, paths
    and the certificate are others."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        if os.environ.get("REQUIRE_OPTIONAL_PARTS") == "1":
            pytest.fail("REQUIRE_OPTIONAL_PARTS=1, but there is no nginx.", pytrace=False)
        pytest.skip("There is no nginx; install it from the operating system.")
    port, behind = find_free_port(), find_free_port()
    folder = tmp_path / "nginx"
    folder.mkdir()
    made = make_certificates(folder, HOST)
    text = EXAMPLE.read_text(encoding="utf-8")
    for written, used in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/sla.vendor.example.pem", str(made.chain)),
        ("/etc/ssl/private/sla.vendor.example.key", str(made.key)),
        ("http://127.0.0.1:8501", f"http://127.0.0.1:{behind}"),
    ):
        assert text.count(written) == 1, written
        text = text.replace(written, used)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Workers of root's nginx give its rights up, and could not write a long answer into this folder while the reader is slow.
    user = "user root; " if os.geteuid() == 0 else ""
    whole = f"{user}daemon off; pid {folder}/pid; events {{}} http {{ access_log off; {temporary}\n{text}\n}}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    command = [nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield f"https://{HOST}:{port}", behind
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.long
@pytest.mark.browser
def test_example_of_a_proxy_serves_the_pages_with_login_and_headers(provider, proxy, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="Run `make extras`.")
    address, behind = proxy
    workspace = publish(tmp_path)
    write_settings(workspace, provider, address, SECRETS)
    folder = tmp_path / "server"
    folder.mkdir(mode=0o700)
    server = start(workspace, behind, folder)
    refused: list[str] = []
    try:
        wait_until_healthy(f"http://127.0.0.1:{behind}/_stcore/health")
        with playwright.sync_playwright() as driver:
            flags = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
            ]
            browser = driver.chromium.launch(executable_path=find_chromium(), args=flags)
            page = browser.new_context(ignore_https_errors=True).new_page()
            page.on(
                "console",
                lambda message: (
                    refused.append(message.text) if "Content Security Policy" in message.text else None
                ),
            )
            headers = page.goto(f"{address}/customers").headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "max-age" in headers["strict-transport-security"]
            page.get_by_role("button", name="Log in").click()
            page.locator("button[value=rita]").click()
            page.get_by_text("Logged in as rita@vendor.example (manager).").wait_for(timeout=30_000)
            for name in ("", "distribution?month=", "tickets?month="):
                page.goto(f"{address}/{name}")
                page.get_by_text("Data known until").first.wait_for(timeout=30_000)
            page.goto(f"{address}/why?month=2026-06")
            page.locator(".js-plotly-plot .trace.bars").first.wait_for(timeout=30_000)
            with page.expect_download() as download:
                page.get_by_role("button", name="CSV").first.click()
            assert download.value.path().stat().st_size > 0
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert refused == []
