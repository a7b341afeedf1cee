"""The real server in a real browser: the figures are on the page, and nothing is asked of any other machine.

Needs the extra `browser` and a Chromium on the path; without them the test is skipped and says so.
"""

from __future__ import annotations

import io
import shutil
import socket
import urllib.error
import urllib.request
from time import monotonic, sleep
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook

from dashboards.serve import start
from tests.unit.dashboards.small_build import change, publish

pytestmark = pytest.mark.browser

SECONDS_TO_START = 60


def find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="The extra `browser` is not installed: run `make extras`."
    )
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("There is no Chromium on the path; install it from the operating system.")
    with playwright.sync_playwright() as driver:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def address(tmp_path):
    """The address of a running server on the build made by hand."""
    port = find_free_port()
    server = start(publish(tmp_path), port, tmp_path)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_healthy(url: str) -> None:
    end = monotonic() + SECONDS_TO_START
    while monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    pytest.fail(f"The dashboard did not answer within {SECONDS_TO_START} s.")


def tick_first_row(page):
    """Tables are drawn on a canvas: the box of the first row has no element of its own."""
    table = page.locator("[data-testid=stDataFrame]:visible").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 16, "y": 52})


def click_bar(page, number):
    """Plotly takes clicks in a layer above its bars."""
    bar = page.locator(".js-plotly-plot .trace.bars .point path").nth(number)
    bar.wait_for()
    bar.hover(force=True)
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dashboard_shows_figures_and_asks_no_other_machine(browser, address, scheme):
    page = browser.new_context(color_scheme=scheme).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda websocket: asked.append(websocket.url))

    page.goto(f"{address}/?plan=standard&month=2026-06")
    page.get_by_text("3 met of 4 counted").first.wait_for(timeout=30_000)
    page.get_by_text("Data known until 30 Jun 2026, 12:00:00 UTC").wait_for()
    page.locator(".js-plotly-plot .trace.bars").first.wait_for()

    # From the figure to its tickets, and to one ticket: two clicks. The filter goes along.
    page.get_by_role("link", name="Breached: 1").click()
    page.get_by_text("1 promise of 1 ticket, worst first.").wait_for(timeout=30_000)
    # June is the last complete month, which the list shows without a word in its address.
    assert parse_qs(urlsplit(page.url).query) == {
        "plan": ["standard"],
        "status": ["breached"],
        "obligation": ["first_response"],
    }
    for kind in ("CSV", "XLSX"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download this list (1 row, {kind})").click()
        assert download.value.suggested_filename == (
            f"tickets-2026-06-breached-standard-first-response-as-of-20260715T000000Z.{kind.lower()}"
        )
    assert [row[1].value for row in load_workbook(io.BytesIO(download.value.path().read_bytes())).active] == [
        "ticket_id",
        "T-4",
    ]
    tick_first_row(page)
    page.get_by_text("over by 1 s").wait_for(timeout=30_000)
    assert parse_qs(urlsplit(page.url).query) == {"ticket": ["T-4"]}

    page.get_by_role("link", name="Why we breach").click()
    page.get_by_text("1 breach in June 2026").wait_for(timeout=30_000)
    click_bar(page, 3)
    page.wait_for_url("**/tickets?**")
    page.get_by_text("1 promise of 1 ticket, worst first.").wait_for(timeout=30_000)
    assert parse_qs(urlsplit(page.url).query)["class"] == ["between_teams"]

    page.get_by_role("link", name="Entitlements").click()
    page.get_by_text("2 left").wait_for(timeout=30_000)
    tick_first_row(page)
    page.get_by_text("Ledger of").wait_for()
    page.get_by_text("Nothing was booked on this pool.").wait_for(timeout=30_000)

    elsewhere = [
        url
        for url in asked
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1"
    ]
    assert asked
    assert elsewhere == []


# What a subject, a name or an address of a ticket may hold. Each would load something, run, or change the page, if it
# were read as HTML, Markdown, or a formula of either.
ELSEWHERE = "https://example.invalid/x"
PAYLOADS = (
    f"<img src={ELSEWHERE}>",
    f'<img src="{ELSEWHERE}" onerror="window.ran=1">',
    "<img src=x onerror=window.ran=1>",
    "<script>window.ran=1</script>",
    f"<script src={ELSEWHERE}></script>",
    "<svg onload=window.ran=1>",
    f"<svg><image href={ELSEWHERE} /></svg>",
    f"<iframe src={ELSEWHERE}></iframe>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    f"<object data={ELSEWHERE}></object>",
    f"<embed src={ELSEWHERE}>",
    f"<link rel=stylesheet href={ELSEWHERE}>",
    f"<style>@import '{ELSEWHERE}'</style>",
    f"<div style='background:url({ELSEWHERE})'>x</div>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    f"<base href={ELSEWHERE}>",
    f"<form action={ELSEWHERE}><button>x</button></form>",
    f"<video poster={ELSEWHERE} autoplay></video>",
    f"<audio src={ELSEWHERE} autoplay></audio>",
    "<details open ontoggle=window.ran=1>x</details>",
    "<body onload=window.ran=1>",
    "<input autofocus onfocus=window.ran=1>",
    "<a href='javascript:window.ran=1'>x</a>",
    f"<a href={ELSEWHERE} ping={ELSEWHERE}>x</a>",
    "</text><script>window.ran=1</script>",
    "<b>bold</b><br><sub>low</sub>",
    "<math><mtext><img src=x onerror=window.ran=1></mtext></math>",
    "<!--<img src=x onerror=window.ran=1>-->",
    f"![beacon]({ELSEWHERE})",
    f"[link]({ELSEWHERE})",
    "[link](javascript:window.ran=1)",
    '![x](x "onerror=window.ran=1")',
    f"<{ELSEWHERE}>",
    f"[x]: {ELSEWHERE}",
    "# heading **bold** `code` ~~gone~~",
    ":red[colour] :material/home: :smile: $x^2$",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "&lt;img src=x onerror=window.ran=1&gt; &#60;b&#62;",
    "{{7*7}} ${7*7} #{7*7} %{customdata[0]}",
    f'=HYPERLINK("{ELSEWHERE}") <extra>%{{x}}</extra>',
)
# The pages that show texts of tickets, contracts and sources.
SHOWN_ON = (
    *(
        "tickets?month=",
        "ticket?ticket=T-4",
        "customers",
        "customer?customer=acme",
        "why?month=",
        "backlog?span=&by=severity",
    ),
    *(
        "findings",
        "findings?part=settings",
        "entitlements",
        "compliance?by=customer",
        "distribution?month=",
        "at_risk",
        "",
    ),
)


def poison(workspace) -> None:
    """Each payload stands in some text of each kind, all of them together in the texts of T-4 and of one customer."""
    everything = " ".join(PAYLOADS)
    change(
        workspace,
        """
        create temp table payloads as
            select row_number() over () as number, text from (select unnest(getvariable('texts')) as text);
        update core.dim_tickets set subject = (select text from payloads where number = 1 + hash(ticket_id) % 40),
            requester = getvariable('everything');
        update core.dim_tickets set subject = getvariable('everything') where ticket_id = 'T-4';
        update core.fct_ticket_events set actor = getvariable('everything'), value = getvariable('everything');
        update core.dim_customers set customer_name = getvariable('everything');
        update core.fct_sla_breach_holdings set group_name = getvariable('everything'), assignee = getvariable('everything');
        update core.fct_sla_obligations set clause_text = getvariable('everything');
        update core.fct_sla_segments set segment_reason = getvariable('everything');
        update qc.rpt_qc__findings set evidence = getvariable('everything'), effect = getvariable('everything');
        update core.dim_declared_names set name = getvariable('everything');
        update marts.mart_account__entitlement_balances set customer_name = getvariable('everything');
        update marts.mart_account__alerts set customer_name = getvariable('everything');
        update marts.mart_manager__monthly_compliance set customer_name = getvariable('everything');
    """,
        texts=list(PAYLOADS),
        everything=everything,
    )


@pytest.mark.long
def test_texts_of_data_are_shown_as_they_are_and_load_or_run_nothing(browser, tmp_path):
    assert len(set(PAYLOADS)) == 40
    workspace = publish(tmp_path)
    poison(workspace)
    port = find_free_port()
    server = start(workspace, port, tmp_path)
    asked: list[str] = []
    dialogs: list[str] = []
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health")
        context = browser.new_context(viewport={"width": 1366, "height": 4000})
        context.on("request", lambda request: asked.append(request.url))
        for name in SHOWN_ON:
            page = context.new_page()
            page.on("dialog", lambda dialog: dialogs.append(dialog.message))
            page.goto(f"http://127.0.0.1:{port}/{name}")
            page.get_by_text("Data known until").first.wait_for(timeout=30_000)
            page.wait_for_function(
                "() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=30_000
            )
            page.wait_for_timeout(300)
            assert page.evaluate("window.ran") is None, name
            marks = "[src*='example.invalid'], [href*='example.invalid'], [data*='example.invalid'], [style*='example.invalid']"
            assert page.evaluate(f"document.querySelectorAll(`{marks}`).length") == 0, name
            assert (
                page.evaluate(
                    "document.querySelectorAll('[onerror], [onload], [ontoggle], iframe, object, embed').length"
                )
                == 0
            )
            page.close()
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert dialogs == []
    assert [url for url in asked if "example.invalid" in url] == []
    assert {urlsplit(url).hostname for url in asked if urlsplit(url).scheme.startswith("http")} == {
        "127.0.0.1"
    }


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_serious_rule_of_accessibility(browser, address, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="Run `make extras`.").Axe()
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1366, "height": 1800})
    found = []
    for name in SHOWN_ON:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        page.get_by_text("Data known until").first.wait_for(timeout=30_000)
        page.wait_for_timeout(1500)
        answer = axe.run(page).response
        # That the page was there to be judged.
        assert len(answer["passes"]) > 20, name
        found += [
            (name, each["id"], [node["target"] for node in each["nodes"]])
            for each in answer["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        page.close()
    assert found == []
