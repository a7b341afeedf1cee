"""One invented workspace that holds every scenario, landed and built by the real job.

Each scenario is a customer of its own, so that all of them share one build and none can reach another. A scenario that is told in
a vendor's own words (`source.yml`, `export.ndjson` or `export.csv` in its folder) has a source of its own as well.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from pipeline.ingest.landing.land import land_exports
from pipeline.ingest.landing.manifest import read_batches
from pipeline.rules.load_rules import load_rules
from pipeline.rules.load_sources import load_sources
from pipeline.settings import CHECKOUT, Workspace, parse_instant
from pipeline.warehouse.build import build_workspace, fill_database
from pipeline.warehouse.load_raw import RawInputs

SCENARIOS = Path(__file__).parent
# Every value is text. The loader in C reads four hundred files in a second less.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
AS_OF = "2026-07-01T00:00:00Z"
# What a scenario calls `earlier` is read from a second build of the same landed batches.
EARLIER = "2026-05-15T00:00:00Z"

_TICKET_COLUMNS = (
    "ticket_id", "customer_id", "requester", "channel", "severity", "submitted_at", "subject", "ticket_type", "tags",
    "updated_at",
)  # fmt: skip
_EVENT_COLUMNS = (
    "event_id",
    "ticket_id",
    "event_at",
    "event_type",
    "actor_kind",
    "actor",
    "is_public",
    "value",
)
# What a redemption may say that it covered; the optional columns of redemptions.csv.
_SCOPE_ITEMS = ("agents", "production_jobs", "sample_jobs", "profiles", "cloud_storage_targets")
_DURATION = re.compile(r"(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s)?")
_SPEAKERS = {
    "agent": ("agent", "anna"),
    "colleague": ("agent", "ben"),
    "customer": ("customer", "carla"),
    "bot": ("bot", "robot"),
    "ai": ("ai", "assistant"),
}


@dataclass(frozen=True)
class Scenario:
    """One folder: its story, what happened, and what the figures must be."""

    slug: str
    folder: Path
    told: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        return self.slug.replace("_", " ")

    @property
    def tickets(self) -> list[dict[str, Any]]:
        """All tickets; one that is told with `times: n` stands for n of them, alike but for their ids."""
        return [
            ticket | ({"id": f"{ticket['id']}{number}"} if "times" in ticket else {})
            for ticket in self.told.get("tickets", ())
            for number in range(int(ticket.get("times", 1)))
        ]

    @property
    def source_file(self) -> Path | None:
        """The entry of sla.yml for a scenario that is told by a vendor's export; its ticket ids get the slug in front."""
        file = self.folder / "source.yml"
        return file if file.is_file() else None

    @property
    def has_earlier(self) -> bool:
        """Whether it says what was known before the end of the data."""
        return "earlier_pools" in self.told or any("earlier" in ticket for ticket in self.tickets)

    def ticket_id(self, name: object) -> str:
        return f"{self.slug}.{name}"


def load_scenarios() -> list[Scenario]:
    """Every folder with a scenario.yml, by name. A slug stands once, whatever topic it is filed under."""
    found = [
        Scenario(path.parent.name, path.parent, yaml.load(path.read_text(encoding="utf-8"), LOADER))
        for path in sorted(SCENARIOS.glob("*/*/scenario.yml"))
    ]
    slugs = [scenario.slug for scenario in found]
    assert len(slugs) == len(set(slugs)), "two scenarios have the same name"
    return found


def seconds(text: str) -> int:
    """A sum worked out in the open, such as `9h + 15h + 1s`, as seconds."""
    total = 0
    for part in text.split("+"):
        match = _DURATION.fullmatch(part.strip())
        assert match and match.group(0), f"{part!r} is not a duration"
        hours, minutes, rest = (int(number or 0) for number in match.groups())
        total += hours * 3600 + minutes * 60 + rest
    return total


def build_vendor(root: Path, scenarios: Iterable[Scenario]) -> dict[str, Path]:
    """Write the workspace of these scenarios below `root`, land it and publish it with all checks; as_of -> the published file.

    What is known earlier is built only where a scenario says something of it.
    """
    workspace = Workspace(root)
    return {
        as_of: workspace.published / build_workspace(workspace, parse_instant(as_of, "as_of")).pointer.file
        for as_of in land_vendor(workspace, list(scenarios))
    }


def fill_vendor(root: Path, scenarios: Iterable[Scenario]) -> dict[str, Path]:
    """As `build_vendor`, in half the time: nothing is checked or published; as_of -> the database with all its tables.

    Each stands in a folder `building` beside a folder `landed`, as in a workspace: dbt parses the project again when the way to
    its database is another one.
    """
    workspace = Workspace(root / "vendor")
    instants = land_vendor(workspace, list(scenarios))
    databases = {}
    for as_of in instants:
        place = root / as_of.replace(":", "")
        shutil.copytree(workspace.landed, place / "landed")
        databases[as_of] = place / "building" / "build.duckdb"
        databases[as_of].parent.mkdir()
        inputs = RawInputs(read_batches(workspace), load_rules(workspace), parse_instant(as_of, "as_of"))
        with chdir(place / "landed"):
            fill_database(databases[as_of], inputs, root / "dbt", is_checked=False)
    return databases


def land_vendor(workspace: Workspace, scenarios: list[Scenario]) -> tuple[str, ...]:
    """Write and land the inputs of these scenarios; the instants as of which they say something."""
    write_vendor(workspace, scenarios)
    refused = {scenario.slug: int(scenario.told.get("refused", 0)) for scenario in scenarios}
    for result in land_exports(workspace, load_sources(workspace.sla_yml), None, None):
        assert result.rows_rejected == refused.get(result.source, 0), result.problems
    return (EARLIER, AS_OF) if any(scenario.has_earlier for scenario in scenarios) else (AS_OF,)


def write_vendor(workspace: Workspace, scenarios: list[Scenario]) -> None:
    """The inputs of all scenarios: rules, reference tables and exports; nothing is landed."""
    _write_rules(workspace, scenarios)
    _write_reference(workspace, scenarios)
    _write_exports(workspace, scenarios)


def _write_rules(workspace: Workspace, scenarios: list[Scenario]) -> None:
    shutil.copytree(CHECKOUT / "data" / "reference" / "plans", workspace.plans)
    for example in (workspace.plans / "examples").glob("*.yml"):
        shutil.move(example, workspace.plans)
    shutil.copytree(CHECKOUT / "data" / "reference" / "calendars", workspace.calendars)
    for example in (workspace.calendars / "examples").glob("*.yml"):
        shutil.move(example, workspace.calendars)
    # A plan may be told in the folder of another scenario.
    for scenario in load_scenarios():
        for folder, file in ((workspace.plans, "plan.yml"), (workspace.calendars, "calendar.yml")):
            if (scenario.folder / file).is_file():
                shutil.copy(scenario.folder / file, folder / f"{scenario.slug}.yml")
    shutil.copytree(
        CHECKOUT / "data" / "reference" / "mappings" / "examples", workspace.reference / "mappings"
    )
    for scenario in scenarios:
        if (scenario.folder / "mapping.yml").is_file():
            shutil.copy(
                scenario.folder / "mapping.yml", workspace.reference / "mappings" / f"{scenario.slug}.yml"
            )
    sources: dict[str, Any] = {
        "desk": {
            "type": "canonical",
            "bots": {"actors": ["night_robot"]},
            "assistants": {"actors": ["answer_ai"]},
        }
    }
    for scenario in scenarios:
        if scenario.source_file:
            source = yaml.safe_load(scenario.source_file.read_text(encoding="utf-8"))
            # A mapping names the customer itself, and so does the canonical form.
            customer = (
                {} if source["type"] in ("mapped", "canonical") else {"customer": {"constant": scenario.slug}}
            )
            sources[scenario.slug] = {"ticket_prefix": f"{scenario.slug}.", **customer, **source}
    workspace.sla_yml.write_text(yaml.safe_dump({"sources": sources, "compare_plans": []}), encoding="utf-8")


def _write_reference(workspace: Workspace, scenarios: list[Scenario]) -> None:
    def rows(kind: str) -> Iterator[tuple[Scenario, int, dict[str, str]]]:
        for scenario in scenarios:
            for number, row in enumerate(scenario.told.get(kind, ()), 1):
                yield scenario, number, row

    def write(name: str, header: str, lines: Iterable[tuple[object, ...]]) -> None:
        _write_csv(workspace.reference / f"{name}.csv", header.split(","), lines)

    write(
        "customers",
        "customer_id,name,time_zone,locale,report_recipients",
        (
            (scenario.slug, scenario.sentence, "UTC", "en", "")
            for scenario in scenarios
            if "no_customer" not in scenario.told
        ),
    )
    write(
        "customer_words",
        "customer_id,word,source",
        ((s.slug, row["word"], row.get("source", "")) for s, _, row in rows("customer_words")),
    )
    terms = []
    for scenario in scenarios:
        default = [{"plan": scenario.told.get("plan", "standard")}]
        for number, term in enumerate(
            scenario.told.get("terms", [] if "no_customer" in scenario.told else default), 1
        ):
            terms.append((
                f"{scenario.slug}-{number}", scenario.slug, term.get("plan", scenario.told.get("plan", "standard")),
                term.get("starts_on", "2026-01-01"), term.get("ends_on", "2027-01-01"),
                term.get("license_type", "paid"), term.get("license_status", "active"),
                f"{scenario.slug}-{term['stacks_on']}" if "stacks_on" in term else "",
            ))  # fmt: skip
    write(
        "subscriptions",
        "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status,stacks_on",
        terms,
    )
    write(
        "licenses",
        "subscription_id,license_status,valid_from,valid_to",
        (
            (
                f"{s.slug}-{row.get('term', '1')}",
                row["license_status"],
                row["valid_from"],
                row.get("valid_to", ""),
            )
            for s, _, row in rows("licenses")
        ),
    )
    write(
        "contacts",
        "customer_id,contact,valid_from,valid_to",
        (
            (s.slug, row["contact"], row.get("valid_from", "2026-01-01"), row.get("valid_to", ""))
            for s, _, row in rows("contacts")
        ),
    )
    write(
        "purchases",
        "purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on,returned_on",
        (
            (
                f"{s.slug}-{n}",
                s.slug,
                f"{s.slug}-1",
                row["pool"],
                row["quantity"],
                row["purchased_on"],
                row.get("expires_on", ""),
                row.get("returned_on", ""),
            )
            for s, n, row in rows("purchases")
        ),
    )
    write(
        "redemptions",
        f"redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id,{','.join(_SCOPE_ITEMS)}",
        (
            (
                f"{s.slug}-{n}", s.slug, f"{s.slug}-{row.get('term', '1')}", row["entitlement"], row["redeemed_on"],
                s.ticket_id(row["ticket"]) if "ticket" in row else row.get("ticket_id", ""),
                *(row.get(item, "") for item in _SCOPE_ITEMS),
            )
            for s, n, row in rows("redemptions")
        ),
    )  # fmt: skip
    write(
        "waivers",
        "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on,cycle_number,valid_from",
        (
            (
                f"{s.slug}-{n}", s.ticket_id(row["ticket"]), row["obligation"], "agreed by phone", "dora", "emil",
                row.get("approved_at", "2026-06-01T00:00:00Z"), row.get("expires_on", ""),
                row.get("cycle_number", ""), row.get("valid_from", ""),
            )
            for s, n, row in rows("waivers")
        ),
    )  # fmt: skip


def _write_exports(workspace: Workspace, scenarios: list[Scenario]) -> None:
    """An event marked `later:` is in the second export only, one marked `both:` in both; `again:` is a second row of a ticket."""
    tickets: list[tuple[str, ...]] = []
    tickets_again: list[tuple[str, ...]] = []
    events: list[tuple[str, ...]] = []
    events_late: list[tuple[str, ...]] = []
    for scenario in scenarios:
        if scenario.source_file:
            for export in sorted(scenario.folder.glob("export*")):
                (workspace.inbox / scenario.slug).mkdir(parents=True, exist_ok=True)
                shutil.copy(export, workspace.inbox / scenario.slug)
            continue
        for ticket in scenario.tickets:
            tickets.append(_ticket_row(scenario, ticket))
            if "again" in ticket:
                tickets_again.append(_ticket_row(scenario, ticket | ticket["again"]))
            for number, line in enumerate(ticket.get("events", ()), 1):
                mark, _, told = line.rpartition(": ")
                ticket_id = scenario.ticket_id(ticket["id"])
                row = (f"{ticket_id}.{number:02}", ticket_id, *_read_event(scenario, told))
                if mark != "later":
                    events.append(row)
                if mark:
                    events_late.append(row)
    inbox = workspace.inbox / "desk"
    # The order of a file says nothing: events are landed last first.
    _write_csv(inbox / "1-tickets.csv", _TICKET_COLUMNS, tickets)
    _write_csv(inbox / "2-events.csv", _EVENT_COLUMNS, reversed(events))
    _write_csv(inbox / "3-events-late.csv", _EVENT_COLUMNS, reversed(events_late))
    _write_csv(inbox / "4-tickets-again.csv", _TICKET_COLUMNS, tickets_again)


def _ticket_row(scenario: Scenario, ticket: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        scenario.ticket_id(ticket["id"]), ticket.get("customer", scenario.slug), ticket.get("opener", "carla"),
        ticket.get("channel", "web_form"), ticket.get("severity", "3"), ticket["submitted"], ticket["id"], "", "",
        ticket.get("updated", ticket["submitted"]),
    )  # fmt: skip


def _read_event(scenario: Scenario, line: str) -> tuple[str, ...]:
    """`2026-03-02T07:00:00Z agent message`, `... customer status pending`, `... system severity 5`, `... system merged other`."""
    instant, who, what, *value = line.split()
    kind, actor = _SPEAKERS.get(who, ("agent", who))
    if what in ("message", "note"):
        return instant, "message", kind, actor, "false" if what == "note" else "true", ""
    if what == "status":
        return instant, "status_changed", kind, actor, "true", value[0]
    if what == "severity":
        return instant, "severity_changed", kind, actor, "true", value[0]
    if what == "merged":
        return instant, "merged", kind, actor, "true", scenario.ticket_id(value[0])
    return instant, what, kind, actor, "true", value[0] if value else ""


def _write_csv(path: Path, header: Iterable[str], rows: Iterable[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def instant(text: str) -> datetime:
    """An instant of a scenario as the naive UTC timestamp of the published tables."""
    return parse_instant(text, "the scenario").replace(tzinfo=None)
