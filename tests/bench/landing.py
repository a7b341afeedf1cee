"""How long Zendesk's full export takes to land, against the engine's own reader on the same bytes in the same run.

The lines have the keys of the vendor's answers, with the three renderings of every comment. `SLA_BENCH_TICKETS` sets how
many tickets; each has three audits.
"""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace

import duckdb

from pipeline.ingest.files.exports import Export, fingerprint
from pipeline.ingest.landing.land import land_exports
from pipeline.ingest.landing.write_content import ContentWriter
from pipeline.settings import Workspace

TICKETS = int(os.environ.get("SLA_BENCH_TICKETS", "200000"))
AUDITS_A_TICKET = 3
GOAL_RATIO = 1.5
GOAL_MEMORY_GB = 3.0

_BODY = (
    "repeat('The client stopped syncing after the last update and asks for a password. ', 3 + (range % 9))"
)
_INSTANT = "strftime(timestamp '2024-01-01' + to_seconds(range * {step}), '%Y-%m-%dT%H:%M:%SZ')"
_VIA = "{'channel': 'web', 'source': {'from': {}, 'to': {}, 'rel': null}}"
TICKETS_SQL = f"""
select to_json({{
  'url': 'https://acme.zendesk.example/api/v2/tickets/' || range || '.json', 'id': 1000000 + range, 'external_id': null,
  'via': {_VIA}, 'created_at': {_INSTANT.format(step=37)}, 'updated_at': {_INSTANT.format(step=38)},
  'type': 'incident', 'subject': 'Sync is slow ' || range, 'raw_subject': 'Sync is slow ' || range, 'description': {_BODY},
  'priority': case range % 3 when 0 then 'low' when 1 then 'normal' else 'urgent' end, 'status': 'solved',
  'requester_id': 2000000 + range % 5000, 'submitter_id': 2000000 + range % 5000, 'assignee_id': 3000000 + range % 40,
  'organization_id': 4000000 + range % 300, 'group_id': 5, 'collaborator_ids': [1, 2], 'tags': ['sync', 'desktop'],
  'custom_fields': [{{'id': 360001, 'value': 'a'}}, {{'id': 360002, 'value': 'b'}}],
  'fields': [{{'id': 360001, 'value': 'a'}}, {{'id': 360002, 'value': 'b'}}],
  'satisfaction_rating': {{'score': 'unoffered'}}, 'brand_id': 7, 'is_public': true}}) as line
from range($rows)
"""
AUDITS_SQL = f"""
select to_json({{
  'id': 9000000 + range, 'ticket_id': 1000000 + range // {AUDITS_A_TICKET}, 'created_at': {_INSTANT.format(step=12)},
  'author_id': 3000000 + range % 40, 'via': {_VIA},
  'metadata': {{'system': {{'client': 'Mozilla/5.0 (X11; Linux x86_64)', 'ip_address': '10.0.0.1', 'location': 'Berlin'}}}},
  'events': [
    {{'id': 7000000 + range * 3, 'type': 'Comment', 'author_id': 3000000 + range % 40, 'body': {_BODY},
      'html_body': '<div class="zd-comment"><p>' || {_BODY} || '</p></div>', 'plain_body': {_BODY}, 'public': true,
      'attachments': [], 'audit_id': 9000000 + range, 'field_name': null, 'value': null, 'previous_value': null}},
    {{'id': 7000001 + range * 3, 'type': 'Change', 'author_id': null, 'body': null, 'html_body': null, 'plain_body': null,
      'public': null, 'attachments': null, 'audit_id': null, 'field_name': 'status', 'value': 'pending',
      'previous_value': 'open'}},
    {{'id': 7000002 + range * 3, 'type': 'Notification', 'author_id': null, 'body': 'Your request has been updated.',
      'html_body': null, 'plain_body': null, 'public': null, 'attachments': null, 'audit_id': null, 'field_name': null,
      'value': null, 'previous_value': null}}]}}) as line
from range($rows)
"""


def main() -> bool:
    """Print the measurements; True when every goal was met."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = [
            write_lines(root / "inbox" / "desk" / "tickets.ndjson", TICKETS_SQL, TICKETS),
            write_lines(root / "inbox" / "desk" / "audits.ndjson", AUDITS_SQL, TICKETS * AUDITS_A_TICKET),
        ]
        print(f"{TICKETS:,} tickets with audits, {sum(file.stat().st_size for file in files) / 1e9:.2f} GB")
        # First, because a process begins with the peak of the one that starts it.
        memory = land_in_child(root)
        plain = [read_plainly(file) for file in files]
        ours = [land_here(root, file) for file in files]
        for name, (wall, work) in {"the engine's read_json": add(plain), "landing": add(ours)}.items():
            print(f"  {name:<24} {wall:7.2f} s, {work:7.2f} s of processors")
        ratios = [ours_one / plain_one for ours_one, plain_one in zip(add(ours), add(plain), strict=True)]
        print(
            f"  landing takes {ratios[0]:.2f} times as long, {ratios[1]:.2f} times the work (goal: {GOAL_RATIO})"
        )
        print(
            f"  in a run, the process that reads had {memory:.2f} GB at most (goal: under {GOAL_MEMORY_GB} in all)"
        )
        return ratios[0] <= GOAL_RATIO and memory < GOAL_MEMORY_GB


def write_lines(path: Path, sql: str, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection, path.open("w", encoding="utf-8") as stream:
        connection.execute("set enable_progress_bar = false")
        result = connection.execute(sql, {"rows": rows})
        while lines := result.fetchmany(20_000):
            stream.writelines(f"{line}\n" for (line,) in lines)
    return path


def read_plainly(file: Path) -> tuple[float, float]:
    with duckdb.connect(config={"threads": 2}) as connection:
        wall, work = perf_counter(), process_time()
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            "create table plain as select * from read_json($file, format = 'newline_delimited')",
            {"file": str(file)},
        )
        return perf_counter() - wall, process_time() - work


def land_here(root: Path, file: Path) -> tuple[float, float]:
    """What the child does with a file: hash, read, judge, write."""
    source = SimpleNamespace(source_type="zendesk", null_markers=("",), time_zone=None, date_formats=())
    export = Export(file, "desk", file.name, file.name)
    writer = ContentWriter(lambda rows: None)
    wall, work = perf_counter(), process_time()
    identity = fingerprint(export)
    written = writer.write(
        Workspace(root), source, export, identity, identity.batch_id, "2200-01-01T00:00:00Z"
    )
    assert written["rows_refused"] == 0
    return perf_counter() - wall, process_time() - work


def land_in_child(root: Path) -> float:
    """The whole landing as a run does it; GB that the child had at most."""
    source = SimpleNamespace(source_type="zendesk", null_markers=("",), time_zone=None, date_formats=())
    results = land_exports(
        Workspace(root),
        SimpleNamespace(sources={"desk": source}, keep_exports=False, memory=None),
        None,
        None,
    )
    assert [result.status for result in results] == ["landed", "landed"], results
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)


def add(times: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(wall for wall, _ in times), sum(work for _, work in times)
