"""The pictures of the README, made from the demo by Chromium: `make pictures`.

After a change of a page, tests/house/test_pictures.py fails until they are made again.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboards.serve import start
from pipeline.settings import CHECKOUT, Workspace
from tests.end_to_end.test_dashboard_browser import find_chromium, find_free_port, wait_until_healthy
from tests.picture_inputs import record

# File -> colour scheme, page of the demo, height, and what is on it once it is drawn.
PICTURES = {
    "dashboard-overview": ("light", "?month=2026-06", 1080, "Compliance and volume by month"),
    "dashboard-backlog": ("light", "backlog?by=age&span=90", 900, "the oldest first"),
    "dashboard-entitlements": ("dark", "entitlements?pool=SUB-024-2/regular", 1080, "of the term has passed"),
    "dashboard-ticket": ("light", "ticket?ticket=12381", 1000, "Stopped by"),
}
WIDTH = 1366


def make_pictures(workspace: Workspace, folder: Path) -> list[Path]:
    """Each picture as a PNG file in `folder`; needs the extra `browser` and a Chromium."""
    from playwright.sync_api import sync_playwright

    written = []
    port = find_free_port()
    with TemporaryDirectory() as secrets:
        server = start(workspace, port, Path(secrets))
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health")
            with sync_playwright() as driver:
                flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
                browser = driver.chromium.launch(executable_path=find_chromium(), args=flags)
                for name, (scheme, address, height, awaited) in PICTURES.items():
                    context = browser.new_context(
                        color_scheme=scheme, viewport={"width": WIDTH, "height": height}
                    )
                    page = context.new_page()
                    page.goto(f"http://127.0.0.1:{port}/{address}")
                    page.get_by_text(awaited).first.wait_for(timeout=180_000)
                    page.wait_for_function(
                        "!document.querySelector('[data-testid=stSkeleton]')", timeout=180_000
                    )
                    page.wait_for_timeout(1500)
                    path = folder / f"{name}.png"
                    page.screenshot(path=path)
                    written.append(path)
                    context.close()
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)
    return written


if __name__ == "__main__":
    demo = Workspace(CHECKOUT / "data" / "demo")
    if not (demo.published / "current.json").is_file() or not shutil.which("chromium"):
        sys.exit(
            "Make the demo first (`make demo`), and install a Chromium: the pictures are taken of its pages."
        )
    for picture in make_pictures(demo, CHECKOUT / "data" / "pictures"):
        print(picture.relative_to(CHECKOUT))
    record()
