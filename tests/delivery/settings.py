"""The section `delivery` and the recipients of a copy of the demo, as a test needs them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.delivery.mail_server import MailServer

MONTH = "2026-05"


def set_recipients(root: Path, recipients: dict[str, str]) -> None:
    """These customers receive reports, and no others."""
    path = root / "reference" / "customers.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"report_recipients": recipients.get(row["customer_id"], "")})


def configure(root: Path, server: MailServer | None = None, *more: str, port: int | None = None) -> None:
    """Deliver from May 2026 on: through the server, or as files."""
    lines = [
        "delivery:",
        "  sender: reports@vendor.example",
        f"  first_month: {MONTH}",
        "  allowed_domains: [x.example]",
    ]
    if server is not None:
        smtp = {
            "host": "127.0.0.1",
            "port": port or server.ports["starttls"],
            "certificates_file": str(server.certificates.authority),
        }
        lines += ["  channel: smtp", f"  smtp: {json.dumps(smtp)}"]
    path = root / "sla.yml"
    text = path.read_text(encoding="utf-8").partition("delivery:")[0]
    path.write_text("\n".join([text, *lines, *more, ""]), encoding="utf-8")
