"""What a build need not judge again: tickets of which nothing changed keep their rows from the version that is served.

Rebuilt are the tickets that new batches name, those whose figures depend on how far the data reaches, and those that share a
person, an organization, an update or an event with what changed. Everything about more than one ticket is made from all rows, as
in a build of everything, and the result is the same to the byte. Where that cannot be shown, everything is built.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigurationError
from pipeline.ingest.landed_views import create_landed_view
from pipeline.ingest.tables import LANDED_TABLES
from pipeline.pointer import Pointer, read_pointer
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace
from pipeline.warehouse.connection import open_database, quote, quote_text
from pipeline.warehouse.try_plans import find_trial_tables
from pipeline.whole_files import seal, sync, unseal, write_whole

if TYPE_CHECKING:
    import duckdb

    from pipeline.ingest.landing.manifest import Batch
    from pipeline.rules.load_rules import Rules
    from pipeline.warehouse.run_dbt import Project

# The landed tables of which a build reads the rows of rebuilt tickets alone, and the instants in them.
BY_TICKET = {
    "ticket_versions": ("submitted_at", "latest_submitted_at", "updated_at", "latest_updated_at"),
    "ticket_changes": ("earliest_at", "changed_at", "version_at"),
    "ticket_messages": ("earliest_at", "said_at", "version_at"),
    "vendor_sla_figures": ("they_started_at", "they_stopped_at", "read_at"),
}
# Compared with the basis after a build: what they say of one ticket depends on others.
_SHARED = ("int_helpdesk__first_notes", "int_helpdesk__shown_sources", "int_entitlements__over_quota_tickets")
# With more tickets than this share to judge again, building everything is as fast.
_LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Basis:
    """The version that a build goes on from: its published file, and the files of what was kept beside it."""

    served: Path
    kept: Path
    trials: Path


@dataclass(frozen=True)
class Everything:
    """Why a build judges every ticket; no reason where there is nothing to go on from."""

    reason: str = ""


NO_BASIS = Everything()


class BuildEverything(Exception):  # noqa: N818 - no error: the build takes the other way.
    """The basis does not hold for a ticket that was not rebuilt. The argument says why."""


class TicketsMissed(Exception):  # noqa: N818 - no error: the build begins again with them.
    """These tickets depend on others, as the models have shown, and were not rebuilt."""

    def __init__(self, tickets: list[str]) -> None:
        self.tickets = tickets


def find_basis(
    workspace: Workspace, batches: Sequence[Batch], rules: Rules, as_of: datetime | None
) -> Basis | Everything:
    """The version that is served, if every input of it is still there and only batches came to it and time passed."""
    try:
        pointer = read_pointer(workspace)
    except ConfigurationError:
        pointer = None
    if pointer is None:
        return NO_BASIS
    trials = find_trial_tables(workspace, pointer.build_id)
    basis = Basis(workspace.published / pointer.file, _kept_path(workspace, pointer.build_id), trials)
    try:
        record = unseal(_record_path(basis.kept).read_bytes(), needs_seal=True)
        files = {basis.served: pointer.sha256, basis.kept: record["sha256"], trials: record["trials"]}
        are_whole = all(seen_files(workspace.warehouse).hash_file(path) == sha for path, sha in files.items())
    except (OSError, ValueError, KeyError):
        are_whole = False
    if not are_whole:
        return Everything("what the served version kept for this is missing or damaged")
    reason = _compare_inputs(record, _describe(workspace, batches, rules), pointer, as_of)
    return basis if reason is None else Everything(reason)


def _compare_inputs(
    before: dict[str, Any], now: dict[str, Any], pointer: Pointer, as_of: datetime | None
) -> str | None:
    if before["program"] != now["program"]:
        return "the program or one of its packages is another"
    if before["rules"] != now["rules"]:
        names = sorted(
            name
            for name in before["files"].keys() | now["files"].keys()
            if before["files"].get(name) != now["files"].get(name)
        )
        return f"the rules changed ({', '.join(names) or 'calendars'})"
    if not before["batches"].items() <= now["batches"].items():
        return "a landed file was read again, replaced or removed"
    if as_of is not None and as_of < datetime.fromisoformat(pointer.as_of):
        return "as_of lies before that of the served version"
    return None


def _describe(workspace: Workspace, batches: Sequence[Batch], rules: Rules) -> dict[str, Any]:
    from pipeline.rules.load_rules import hash_rules
    from pipeline.warehouse.fingerprint import describe_program

    return {
        "program": json.loads(json.dumps(describe_program())),
        "rules": rules.fingerprint,
        "files": hash_rules(workspace),
        "batches": {batch.file_stem: batch.landed_at for batch in batches},
    }


def choose_tickets(
    connection: duckdb.DuckDBPyConnection,
    basis: Basis | Everything,
    batches: Sequence[Batch],
    also: Sequence[str],
) -> str:
    """Fill `raw.rebuilt_tickets` and leave only their rows in the landed tables of `raw`, which `load_raw` has made. Says how
    many, or why all. `also`: further tickets.

    The process stands in the folder of the landed batches. Raises BuildEverything where there are too many.
    """
    if isinstance(basis, Everything):
        return f"Every ticket was judged again: {basis.reason}." if basis.reason else ""
    _attach_basis(connection, basis)
    if _count(connection, _GONE_BACK):
        raise BuildEverything("the data is read to an instant before that of the served version")
    connection.execute("create table raw.rebuilt_tickets (ticket_id varchar)")
    connection.execute("create temp table exported (source varchar, ticket_id varchar)")
    connection.execute("create temp table records (source varchar, record_id varchar)")
    connection.execute("create table raw.basis_files (alias varchar, file varchar)")
    connection.executemany(
        "insert into raw.basis_files values (?, ?)",
        [("served", os.path.relpath(basis.served)), ("kept", os.path.relpath(basis.kept))],
    )
    _create_views_of_new_batches(connection, batches)
    _add(connection, _TOUCHED)
    _add(connection, _future_rows())
    _add_changed(connection)
    # What was waived, and from when on, depends on as_of.
    rebuild(
        connection,
        "select ticket_id from kept.intermediate.unsettled_tickets union select ticket_id from raw.waivers",
    )
    rebuild(connection, "select unnest($also)", {"also": list(also)})
    while True:
        _stop_where_most_changed(connection)
        _load_rows(connection)
        before = _count(connection, "raw.rebuilt_tickets")
        _add(connection, _RELATED_BY_KEYS)
        if _count(connection, "raw.rebuilt_tickets") == before:
            break
    for table in BY_TICKET:
        connection.execute(f"drop view raw.{table}")
        connection.execute(f"alter table raw.rebuilt_{table} rename to {table}")
    for table in LANDED_TABLES:
        connection.execute(f"drop view raw.new_{table}")
    _detach_basis(connection)
    rebuilt = _count(connection, "raw.rebuilt_tickets")
    return f"{rebuilt:,} tickets were judged again; the rows of all others are those of the version before."


def _attach_basis(connection: duckdb.DuckDBPyConnection, basis: Basis) -> None:
    for alias, path in (("served", basis.served), ("kept", basis.kept)):
        connection.execute(f"attach {quote_text(str(path))} as {alias} (read_only)")


def attach_basis_of(connection: duckdb.DuckDBPyConnection) -> None:
    """Attach what the models of a finished build read beside its database; nothing for a build of everything."""
    [(is_incremental,)] = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'raw' and table_name = 'basis_files'"
    ).fetchall()
    if is_incremental:
        [(served,), (kept,)] = connection.execute(
            "select file from raw.basis_files order by alias desc"
        ).fetchall()
        _attach_basis(connection, Basis(Path(served), Path(kept), Path()))


def _detach_basis(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("detach served")
    connection.execute("detach kept")


def _create_views_of_new_batches(connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> None:
    known = {stem for (stem,) in connection.execute("select file_stem from kept.raw.batches").fetchall()}
    for table, columns in LANDED_TABLES.items():
        stems = [
            batch.file_stem for batch in batches if table in batch.tables and batch.file_stem not in known
        ]
        create_landed_view(connection, f"new_{table}", columns, [f"{table}/{stem}.parquet" for stem in stems])


# Where an as_of was stated and is not any more, sources are read to an earlier instant.
_GONE_BACK = """
(
  select 1
  from raw.source_horizons as now
  join kept.raw.source_horizons as known on known.source = now.source
  cross join raw.build_inputs as inputs
  cross join kept.raw.build_inputs as known_inputs
  where now.read_until < known.read_until or inputs.as_of < known_inputs.as_of
)
"""

# What new rows name: the ticket, or the record that another row says to be of a ticket.
_TOUCHED = " union ".join(
    f"select source, ticket_id, {'ticket_id' if table == 'vendor_sla_figures' else 'record_id'} as record_id from raw.new_{table}"
    for table in (*BY_TICKET, "gaps")
)


def _future_rows() -> str:
    """Rows that lie after what the basis knew: its as_of left them out, or cut them."""
    limits = (
        "select horizons.source, least(horizons.read_until, inputs.as_of) as known_until"
        " from kept.raw.source_horizons as horizons cross join kept.raw.build_inputs as inputs"
    )
    return " union ".join(
        f"select landed.source, landed.ticket_id, landed.{_record_column(table)}"
        f" from raw.{table} as landed join ({limits}) as limits on limits.source = landed.source"
        f" where greatest({', '.join('landed.' + instant for instant in instants)}) > limits.known_until"
        for table, instants in BY_TICKET.items()
    )


def _record_column(table: str) -> str:
    # A vendor's figure names its ticket by the id of the record or of the ticket.
    return "record_id" if "record_id" in LANDED_TABLES[table] else "ticket_id"


def _changed(table: str, key: str, columns: Sequence[str]) -> str:
    """A select of (source, key): who or what a new version says something new of.

    A later version that says what the last one said leaves everything as it was (stg_helpdesk__people).
    """
    content = "{" + ", ".join(f"'{column}': {column}" for column in columns) + "}"
    return f"""
        with
        known as (
          select source, {key}, updated_at, {content} as content
          from raw.{table} where batch_id in (select batch_id from kept.raw.batches)
        ),
        last_known as (
          select source, {key}, newest as updated_at, min(content) as content, count(distinct content) as contents
          from (select known.*, max(updated_at) over (partition by source, {key}) as newest from known) as known
          where updated_at = newest
          group by source, {key}, newest
        ),
        unseen as (
          select distinct source, {key}, updated_at, {content} as content from raw.new_{table} except select * from known
        )
        select distinct unseen.source, unseen.{key}
        from unseen
        left join last_known on last_known.source = unseen.source and last_known.{key} = unseen.{key}
        where not coalesce(
          unseen.updated_at >= last_known.updated_at and unseen.content = last_known.content and last_known.contents = 1, false
        )
    """


# A note says something of people alone whom an export calls a customer (int_helpdesk__acts).
_CUSTOMERS = """
select people.source, people.person_id
from raw.people as people join kept.staging.person_roles as roles on roles.role = people.role
where roles.actor_kind = 'customer'
"""
_FIRST_NOTES = f"""
select notes.source, notes.author_id
from (
  select source, author_id, min(said_at) as noted_at
  from raw.new_ticket_messages
  where message_kind = 'comment' and not is_public and author_id is not null
  group by source, author_id
) as notes
left join kept.intermediate.int_helpdesk__first_notes as known
  on known.source = notes.source and known.author_id = notes.author_id
where (known.author_id is null or notes.noted_at < known.first_noted_at)
  and (notes.source, notes.author_id) in ({_CUSTOMERS})
"""


def _add_changed(connection: duckdb.DuckDBPyConnection) -> None:
    """Rebuild the tickets of persons whose side may be another one now, and of organizations that changed."""
    people = _changed("people", "person_id", ("person", "role", "organization_id"))
    connection.execute(
        f"create table raw.changed_authors as select source, person_id as author_id from ({people}) union {_FIRST_NOTES}"
    )
    organizations = _changed("organizations", "organization_id", ("external_id", "organization_name"))
    connection.execute(f"create temp table changed_organizations as {organizations}")
    if _count(connection, "raw.changed_authors"):
        _add(connection, _OF_AUTHORS)
    if _count(connection, "changed_organizations"):
        _add(connection, _OF_ORGANIZATIONS)


_IS_OF_AUTHORS = (
    "where (source, {}) in (select source, author_id from raw.changed_authors)"
    " or (source, {}) in (select source, author_id from raw.changed_authors)"
)
_OF_AUTHORS = " union ".join(
    f"select source, ticket_id, record_id from raw.{table} {_IS_OF_AUTHORS.format(*columns)}"
    for table, columns in {
        "ticket_messages": ("author_id", "updater_id"),
        "ticket_changes": ("author_id", "updater_id"),
        "ticket_versions": ("requester_id", "requester"),
    }.items()
)
_OF_ORGANIZATIONS = """
select source, ticket_id, record_id from raw.ticket_versions
where (source, organization_id) in (select source, organization_id from changed_organizations)
"""

# Tickets that share an update or an event with one that is rebuilt: a merge is one update of both, a message may move.
_RELATED_BY_KEYS = """
with
updates as (
  select source, update_id from raw.rebuilt_ticket_messages where update_id is not null
  union select source, update_id from raw.rebuilt_ticket_changes where update_id is not null
),
events as (
  select source, message_id as event_id from raw.rebuilt_ticket_messages
  union select source, change_id from raw.rebuilt_ticket_changes
)
select source, ticket_id, record_id from raw.ticket_messages
where (source, update_id) in (select source, update_id from updates)
  or (source, message_id) in (select source, event_id from events)
union
select source, ticket_id, record_id from raw.ticket_changes
where (source, update_id) in (select source, update_id from updates)
  or (source, change_id) in (select source, event_id from events)
"""


def _add(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Rebuild the tickets that rows (source, ticket_id, record_id) name, themselves or by the record."""
    connection.execute(f"create or replace temp table named as select distinct * from ({rows})")
    connection.execute(
        """
        create or replace temp table named_records as
        select source, record_id from named where record_id is not null
        except select source, record_id from records
        """
    )
    connection.execute("insert into records select * from named_records")
    rebuild(
        connection,
        """
        select sources.ticket_prefix || named.ticket_id
        from named join raw.sources as sources on sources.source = named.source
        where named.ticket_id is not null
        union
        select sources.ticket_prefix || versions.ticket_id
        from raw.ticket_versions as versions join raw.sources as sources on sources.source = versions.source
        where (versions.source, versions.record_id) in (select source, record_id from named_records)
        """,
    )


def rebuild(
    connection: duckdb.DuckDBPyConnection, tickets: str, values: dict[str, list[str]] | None = None
) -> None:
    """Add the tickets that a select gives, by their full ids, with all records of them in any source."""
    connection.execute(
        f"""
        create or replace temp table added as
        select distinct ticket_id from ({tickets}) as chosen(ticket_id)
        where ticket_id is not null and ticket_id not in (select ticket_id from raw.rebuilt_tickets)
        """,
        values or {},
    )
    connection.execute("insert into raw.rebuilt_tickets select * from added")
    connection.execute(
        """
        insert into exported
        select sources.source, substr(added.ticket_id, length(sources.ticket_prefix) + 1)
        from added join raw.sources as sources on starts_with(added.ticket_id, sources.ticket_prefix)
        """
    )
    [(more,)] = connection.execute(
        """
        select count(*) from (
          select source, record_id from raw.ticket_versions
          where record_id is not null
            and (source, ticket_id) in (
              select sources.source, substr(added.ticket_id, length(sources.ticket_prefix) + 1)
              from added join raw.sources as sources on starts_with(added.ticket_id, sources.ticket_prefix)
            )
          except select source, record_id from records
        )
        """
    ).fetchall()
    if more:
        _add(
            connection,
            "select source, null::varchar as ticket_id, record_id from raw.ticket_versions"
            " where record_id is not null and (source, ticket_id) in (select source, ticket_id from exported)",
        )


def _load_rows(connection: duckdb.DuckDBPyConnection) -> None:
    for table in BY_TICKET:
        connection.execute(
            f"create or replace table raw.rebuilt_{table} as select * from raw.{table}"
            " where (source, ticket_id) in (select source, ticket_id from exported)"
            f" or (source, {_record_column(table)}) in (select source, record_id from records)"
        )


def _stop_where_most_changed(connection: duckdb.DuckDBPyConnection) -> None:
    rebuilt, known = _count(connection, "raw.rebuilt_tickets"), _count(connection, "served.core.dim_tickets")
    if rebuilt > _LARGEST_SHARE * known:
        raise BuildEverything(f"{rebuilt:,} tickets changed or can change, of {known:,} known ones")


# What a model about more than one ticket says otherwise than the basis, and the tickets that it decides.
_MISSED = """
with
sources as (select source from kept.raw.source_horizons),
shown as (
  select * from intermediate.int_helpdesk__shown_sources where source in (select source from sources)
  except select * from kept.intermediate.int_helpdesk__shown_sources
),
unmarked as (
  select distinct source, batch_id from intermediate.int_helpdesk__unmarked_tickets
  where batch_id in (select batch_id from kept.raw.batches)
),
known_unmarked as (select distinct source, batch_id from kept.intermediate.int_helpdesk__unmarked_tickets),
changed_sources as (
  select source from shown
  union select source from (select * from unmarked except select * from known_unmarked)
  union select source from (select * from known_unmarked except select * from unmarked)
),
-- Where the plan covers what is over quota, no verdict depends on it.
not_covered as (
  select tickets.ticket_id
  from served.core.dim_tickets as tickets
  join raw.plan_versions as versions on versions.plan_version = tickets.plan_version and not versions.is_over_quota_covered
),
over_quota as (
  select ticket_id from intermediate.int_entitlements__over_quota_tickets
  where ticket_id in (select ticket_id from not_covered)
),
known_over_quota as (
  select ticket_id from kept.intermediate.int_entitlements__over_quota_tickets
  where ticket_id in (select ticket_id from not_covered)
),
missed as (
  select ticket_id from over_quota where ticket_id not in (select ticket_id from known_over_quota)
  union select ticket_id from known_over_quota where ticket_id not in (select ticket_id from over_quota)
  union select ticket_id from served.core.dim_tickets where source in (select source from changed_sources)
)
select ticket_id from missed where ticket_id not in (select ticket_id from raw.rebuilt_tickets)
"""
_SIDES_CHANGED = f"""
(select source, author_id, first_noted_at from intermediate.int_helpdesk__first_notes
 except select source, author_id, first_noted_at from kept.intermediate.int_helpdesk__first_notes) as changed
where (source, author_id) not in (select source, author_id from raw.changed_authors)
  and (source, author_id) in ({_CUSTOMERS})
"""


def stop_on_missed_tickets(connection: duckdb.DuckDBPyConnection, basis: Basis | Everything) -> None:
    """Look, once the models are there, for tickets that depend on others and were not rebuilt. Raises TicketsMissed, or
    BuildEverything where it is not known which tickets they are.
    """
    if isinstance(basis, Everything):
        return
    _attach_basis(connection, basis)
    try:
        if _count(connection, _SIDES_CHANGED):
            raise BuildEverything("the side of an author changed")
        missed = connection.execute(_MISSED).fetchall()
    finally:
        _detach_basis(connection)
    if missed:
        raise TicketsMissed([ticket_id for (ticket_id,) in missed])


def list_models_by_ticket(project: Project) -> tuple[str, ...]:
    """The models with rows by ticket that are not published, so that a build keeps them for the next one."""
    return tuple(
        node.name
        for node in project.manifest.nodes.values()
        if node.resource_type == "model"
        and node.config.meta.get("rows_of") == "ticket"
        and node.schema == "intermediate"
    )


def keep(
    workspace: Workspace,
    build: Path,
    build_id: str,
    models: Sequence[str],
    batches: Sequence[Batch],
    rules: Rules,
) -> None:
    """Keep what the next build needs of this one, under the name of the build. Raises OSError.

    `models`: those of `intermediate` with rows by ticket.
    """
    path, arriving = _kept_path(workspace, build_id), build.with_name("kept.duckdb")
    connection = open_database(arriving)
    try:
        connection.execute(f"attach {quote_text(str(build))} as build (read_only)")
        for schema in ("raw", "staging", "intermediate"):
            connection.execute(f"create schema {schema}")
        for table in ("raw.source_horizons", "raw.build_inputs", "staging.person_roles"):
            connection.execute(f"create table {table} as select * from build.{table}")
        connection.execute("create table raw.batches (batch_id varchar, file_stem varchar)")
        connection.executemany(
            "insert into raw.batches values (?, ?)", [(batch.batch_id, batch.file_stem) for batch in batches]
        )
        for model in (*models, *_SHARED):
            connection.execute(
                f"create table intermediate.{quote(model)} as select * from build.intermediate.{quote(model)}"
            )
        connection.execute(
            "create table intermediate.unsettled_tickets as"
            " select ticket_id from build.intermediate.int_promises__obligation_cycles"
            " where starts_epoch is not null and stopped_epoch is null and ended_epoch is null"
            # A ticket that is open grows older.
            " union select ticket_id from build.core.fct_ticket_open_spans where end_kind = 'open'"
        )
        connection.execute("detach build")
        connection.execute("checkpoint")
    finally:
        connection.close()
    sync(arriving)
    _record_path(path).unlink(missing_ok=True)
    arriving.replace(path)
    sha256, trials = (
        seen_files(workspace.warehouse).hash_file(file, never_changes=True)
        for file in (path, find_trial_tables(workspace, build_id))
    )
    record = {"sha256": sha256, "trials": trials} | _describe(workspace, batches, rules)
    write_whole(_record_path(path), seal(record))


def remove_older(workspace: Workspace, build_id: str) -> None:
    """Remove what was kept beside other builds: only the served version is gone on from."""
    kept = _kept_path(workspace, build_id)
    for path in kept.parent.glob("*"):
        if not path.name.startswith(f"{build_id}."):
            with suppress(OSError):
                path.unlink()


def _kept_path(workspace: Workspace, build_id: str) -> Path:
    return workspace.warehouse / "kept" / f"{build_id}.duckdb"


def _record_path(kept: Path) -> Path:
    return kept.with_suffix(".json")


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(count)
