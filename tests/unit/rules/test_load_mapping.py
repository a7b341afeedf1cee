"""What a mapping file may say, what it must say, and the exact message for what it may not."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError, SlaError
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.load_sources import load_sources
from pipeline.rules.mapping import Cell, ElapsedTime, Mapping, Values, fingerprint_mapping
from pipeline.rules.mapping_file import MappingFile
from pipeline.settings import CHECKOUT

EXAMPLES = sorted((CHECKOUT / "data" / "reference" / "mappings" / "examples").glob("*.yml"))

MAPPING = """\
time_zone: Europe/Berlin
dates: ["%d/%m/%Y %H:%M", iso]
null_markers: ["-"]
evidence: [messages, resolution]
allow: [new_columns]
values:
  level: {words: {high: 4, low: 2}, unknown: pass}
files:
  issues:
    format: csv
    columns:
      key: [Issue key, Clave de incidencia]
      comment: {names: [Comment], repeated: true}
    tickets:
      ticket_id: key
      submitted_at: Created
      severity: {column: Priority, values: level}
    events:
      - event_type: {constant: message}
        each: comment
        event_at: {column: comment, split_by: ";", part: 1}
        actor: {column: comment, split_by: ";", part: 2}
        is_public: {constant: true}
      - event_type: {constant: status_changed}
        event_at: Resolved
        value: {constant: solved}
        when: {column: Resolved, filled: true}
  people:
    format: csv
    people:
      person_id: Account
      actor_kind: {column: Role, values: {words: {staff: agent}, otherwise: customer}}
"""


def read(folder: Path, text: str = MAPPING) -> Mapping:
    path = folder / "desk.yml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path, "desk.yml")


def test_mapping_is_read_as_it_is_written(tmp_path: Path) -> None:
    mapping = read(tmp_path)
    assert (mapping.time_zone, mapping.dates) == ("Europe/Berlin", ("%d/%m/%Y %H:%M", "iso"))
    assert mapping.null_markers == ("", "-"), "an empty cell is always no value"
    issues, people = mapping.files
    assert dict(issues.tickets or ())["severity"] == Cell(
        ("Priority",), values=Values((("high", "4"), ("low", "2")), "pass")
    )
    assert [column.name for column in issues.columns] == ["key", "comment", "Created", "Priority", "Resolved"]
    assert issues.columns[0].written == ("Issue key", "Clave de incidencia")
    message, solved = issues.events
    assert (message.each, dict(message.cells)["ticket_id"]) == ("comment", Cell(("key",)))
    assert dict(message.cells)["actor"] == Cell(("comment",), split_by=";", part=2)
    assert solved.conditions[0].is_filled is True
    assert people.people is not None
    assert dict(people.people.cells)["actor_kind"].values == Values(
        (("staff", "agent"),), otherwise="customer"
    )


def test_mapping_can_be_handed_to_another_process(tmp_path: Path) -> None:
    mapping = read(tmp_path)
    assert pickle.loads(pickle.dumps(mapping)) == mapping


def test_fingerprint_hangs_on_what_is_said_and_not_on_comments(tmp_path: Path) -> None:
    plain = fingerprint_mapping(read(tmp_path))
    assert fingerprint_mapping(read(tmp_path, f"# reviewed\n{MAPPING}")) == plain
    assert fingerprint_mapping(read(tmp_path, MAPPING.replace("high: 4", "high: 5"))) != plain


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_shipped_example_is_a_mapping(path: Path) -> None:
    assert load_mapping(path, path.name).files


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "null_markers:",
            "null_marker:",
            "desk.yml:3: null_marker: this key is not known here. Did you mean 'null_markers'? Known: allow, century, "
            "dates, encoding, evidence, files, months, null_markers, time_zone, values.",
        ),
        (
            "Europe/Berlin",
            "Europe/Berlim",
            "desk.yml:1: time_zone: 'Europe/Berlim' is not a time zone. Did you mean 'Europe/Berlin'?",
        ),
        (
            "time_zone: Europe/Berlin\n",
            "",
            "desk.yml:1: dates: these dates have no zone, and no time_zone is declared. "
            "Add time_zone: the zone of the user who exported the file.",
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%m/%Y %M",
            "desk.yml:2: dates.0: '%d/%m/%Y %M' does not say year, month and day, and the hour where it says minutes. "
            'Write it like "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M" or "%d/%b/%y %I:%M %p"; '
            "or iso, epoch_seconds, epoch_milliseconds.",
        ),
        (
            ", iso]",
            ', "%d/%b/%m/%Y"]',
            "desk.yml:2: dates.1: '%d/%b/%m/%Y' does not say year, month and day, and the hour where it says minutes. "
            'Write it like "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M" or "%d/%b/%y %I:%M %p"; '
            "or iso, epoch_seconds, epoch_milliseconds.",
        ),
        (
            ", iso]",
            ', "%m/%d/%Y %H:%M"]',
            "desk.yml:2: dates.1: '%m/%d/%Y %H:%M' and '%d/%m/%Y %H:%M' read the same text as different days. "
            "Keep the one that the exporter used; a file with both cannot be read.",
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%m/%y %H:%M",
            "desk.yml:2: dates: a year of two digits needs its century. Add century: 2000, so that 26 is the year 2026.",
        ),
        (
            "[messages, resolution]",
            "[messages, statuses]",
            "desk.yml:4: evidence.1: nothing in this mapping shows statuses. "
            "Add the events that prove it, or leave it out: it is then not measurable.",
        ),
        (
            "evidence: [messages, resolution]\n",
            "",
            "desk.yml:1: it is not said what these exports show of a ticket. "
            "Add evidence: [messages, statuses, ...], or evidence: [] where they show none of it.",
        ),
        (
            "values: level}",
            "values: levels}",
            "desk.yml:17: files.issues.tickets.severity.values: 'levels' is not known here. "
            "Did you mean 'level'? Known: level.",
        ),
        (
            "high: 4",
            "high: 7",
            "desk.yml:17: files.issues.tickets.severity.values: 'high' stands for '7', which is not a severity. "
            "Known: 0, 1, 2, 3, 4, 5.",
        ),
        (
            "{words: {high: 4, low: 2}, unknown: pass}",
            "{words: {high: 4, low: 2}, otherwise: 3}",
            "desk.yml:17: files.issues.tickets.severity.values: otherwise would call every unknown word '3'. "
            "A status or severity without a mapping is unknown; write unknown: refuse or unknown: pass.",
        ),
        (
            "value: {constant: solved}",
            "value: {constant: done}",
            "desk.yml:26: files.issues.events.1.value.constant: 'done' is not a value. "
            "Known: cancelled, closed, new, on_hold, open, pending, solved.",
        ),
        (
            "constant: status_changed",
            "constant: status_change",
            "desk.yml:24: files.issues.events.1.event_type.constant: 'status_change' is not a event_type. "
            "Did you mean 'status_changed'? Known: assignee_changed, assistance_redeemed, bug_confirmed, bug_rejected, "
            "debug_delivered, debug_logs_received, debug_requested, deleted, group_changed, merged, message, restored, "
            "severity_changed, status_changed.",
        ),
        (
            "        is_public: {constant: true}\n",
            "",
            "desk.yml:19: files.issues.events.0: it is not said whether this message is public. "
            "Add is_public: {constant: true}, or the column that says it.",
        ),
        (
            "        is_public: {constant: true}\n",
            "        is_public: {constant: true}\n        value_before: status\n",
            "desk.yml:24: files.issues.events.0.value_before: a message changes nothing that had a value before. "
            "Only status_changed and severity_changed have one.",
        ),
        (
            "ticket_id: key",
            "ticket_id: comment",
            "desk.yml:15: files.issues.tickets.ticket_id: 'comment' is a repeated column. "
            "Only an event with each: may use it, one cell at a time.",
        ),
        (
            "submitted_at: Created",
            "submitted_at: REVIEW",
            "desk.yml:16: files.issues.tickets.submitted_at: REVIEW stands where a suggestion proved nothing. "
            "Write what is meant, or remove the line.",
        ),
        (
            "{column: Priority, values: level}",
            "{column: Priority, constant: 3}",
            "desk.yml:17: files.issues.tickets.severity: it is not clear where this value comes from. "
            "Give exactly one of column, columns, constant, count, first, header, join, latest and setting.",
        ),
        (
            "      key: [Issue key, Clave de incidencia]",
            "      key: [Issue key, Comment]",
            "desk.yml:13: files.issues.columns.comment: 'Comment' is a name of 'key' already. "
            "A name of the header can mean one column only.",
        ),
        (
            "      submitted_at: Created\n",
            "",
            "desk.yml:14: files.issues.tickets: the key 'submitted_at' is missing. Add it.",
        ),
    ],
)  # fmt: skip
def test_mapping_is_refused_with_place_reason_and_hint(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert MAPPING.count(old) == 1
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, MAPPING.replace(old, new))
    assert refusal.value.message == "desk.yml cannot be used."
    assert message in [str(problem) for problem in refusal.value.problems]


EXTENDED = """\
time_zone: UTC
dates: ["%Y-%m-%d %H:%M:%S"]
evidence:
  - {shows: response_date, when: {column: Minutes, present: true}}
files:
  tickets:
    format: [csv, xlsx]
    required: [Id, Created]
    columns:
      left: {names: ["Time to *"], repeated: true}
    tickets: {ticket_id: Id, submitted_at: Created}
    events:
      - name: reply
        event_type: {constant: message}
        event_at: {minutes: Minutes, after: Created, clock: calendar}
        actor_kind: {constant: agent}
        is_public: {constant: true}
        when: {column: Minutes, filled: true}
    figures:
      - each: left
        figure: {header: left}
        figure_kind: {constant: remaining}
        clock_kind: {constant: business}
        they_seconds: {column: left, unit: "h:mm"}
    warnings:
      - {says: none., hint: Tick it., when: {column: Minutes, present: false}}
"""


def test_figures_counted_instants_and_conditions_are_read_as_they_are_written(tmp_path: Path) -> None:
    mapping = read(tmp_path, EXTENDED)
    csv, xlsx = mapping.files
    assert (csv.format, xlsx.format, csv.required) == ("csv", "xlsx", ("Id", "Created"))
    assert {column.name: column.is_optional for column in csv.columns} == {
        "left": True,
        "Id": False,
        "Created": False,
        "Minutes": True,
    }
    [shown] = mapping.shown
    assert (shown.shows, shown.conditions[0].is_present) == ("response_date", True)
    [reply] = csv.events
    assert (reply.name, reply.elapsed) == (
        "reply",
        ElapsedTime(Cell(("Created",)), Cell(("Minutes",)), "calendar"),
    )
    [figure] = csv.figures
    cells = dict(figure.cells)
    assert cells["they_started_at"] == Cell(("Created",)), "of the ticket beside it"
    assert (cells["unit_seconds"].constant, cells["cycle_number"].constant) == ("60", "1")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "shows: response_date",
            "shows: respons_date",
            "desk.yml:4: evidence.0.shows: 'respons_date' is not known here. Did you mean 'response_date'?",
        ),
        (
            "when: {column: Minutes, present: true}}",
            "when: {column: Minutes}}",
            "desk.yml:4: evidence.0.when: nothing is asked of the column. "
            "Add filled: true, is: [...] or is_not: [...].",
        ),
        (
            "format: [csv, xlsx]",
            "format: [csv, xslx]",
            "desk.yml:7: files.tickets.format.1: 'xslx' is not known here. Did you mean 'xlsx'?",
        ),
        (
            ", repeated: true}",
            "}",
            "desk.yml:10: files.tickets.columns.left: a name with * may stand for several columns. "
            "Add repeated: true, and use each.",
        ),
        (
            ", clock: calendar}",
            "}",
            "desk.yml:15: files.tickets.events.0.event_at: the key 'clock' is missing. Add it.",
        ),
        (
            "clock: calendar",
            "clock: calender",
            "desk.yml:15: files.tickets.events.0.event_at.clock: 'calender' is not known here. Did you mean 'calendar'?",
        ),
        (
            "constant: remaining",
            "constant: left",
            "desk.yml:22: files.tickets.figures.0.figure_kind.constant: 'left' is not a figure_kind. "
            "Known: elapsed, remaining, target.",
        ),
        (
            '        they_seconds: {column: left, unit: "h:mm"}\n',
            "",
            "desk.yml:20: files.tickets.figures.0: it is not said what this figure is. "
            "Add they_seconds, they_breached, or they_started_at and they_stopped_at.",
        ),
        (
            '"h:mm"',
            "hour",
            "desk.yml:24: files.tickets.figures.0.they_seconds.unit: 'hour' is not known here. Did you mean 'hours'?",
        ),
        (
            "      - {says: none., hint: Tick it.,",
            "      - {says: none.,",
            "desk.yml:26: files.tickets.warnings.0: the key 'hint' is missing. Add it.",
        ),
        (
            "ticket_id: Id,",
            "ticket_id: {setting: bots},",
            "desk.yml:11: files.tickets.tickets.ticket_id.setting: 'bots' is not known here. "
            "Known: channel, customer, severity.",
        ),
    ],
)
def test_what_the_language_does_not_know_is_refused_with_place_reason_and_hint(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert EXTENDED.count(old) == 1
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, EXTENDED.replace(old, new))
    told = [str(problem) for problem in refusal.value.problems]
    assert any(one.startswith(message) for one in told), told


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "pipeline" / "ingest" / "forms" / "shipped").glob("*.yml"))
)
def test_shipped_form_is_a_mapping_that_leaves_its_zone_to_sla_yml(path: Path) -> None:
    form = load_mapping(path, path.name)
    assert form.is_form and form.time_zone is None


def test_dates_of_one_order_and_different_detail_stand_beside_each_other(tmp_path: Path) -> None:
    text = MAPPING.replace(", iso]", ', "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M"]')
    assert len(read(tmp_path, text).dates) == 3


def test_a_date_beside_the_ticket_proves_no_history(tmp_path: Path) -> None:
    # `Resolved` shows when the ticket was solved, not what happened before.
    assert "resolution" in read(tmp_path).evidence
    with pytest.raises(ConfigurationError, match="nothing in this mapping shows statuses_if_any"):
        read(tmp_path, MAPPING.replace("[messages, resolution]", "[statuses_if_any]"))


def test_sla_yml_names_a_mapping_below_reference(tmp_path: Path) -> None:
    folder = tmp_path / "reference" / "mappings"
    folder.mkdir(parents=True)
    read(folder)
    sla_yml = tmp_path / "sla.yml"
    sla_yml.write_text(
        'sources:\n  desk: {type: mapped, mapping: mappings/desk.yml, ticket_prefix: "D-", bots: {actors: [robot]}}\n'
    )
    source = load_sources(sla_yml).sources["desk"]
    assert source.mapping is not None
    assert (source.mapping.file, source.ticket_prefix, source.bot_actors) == (
        "reference/mappings/desk.yml",
        "D-",
        ("robot",),
    )


@pytest.mark.parametrize("written", ["../desk.yml", "/etc/passwd", "mappings/../../desk.yml"])
def test_mapping_outside_the_reference_folder_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "reference" / "mappings").mkdir(parents=True)
    read(tmp_path)
    (tmp_path / "sla.yml").write_text(f"sources:\n  desk: {{type: mapped, mapping: {written}}}\n")
    with pytest.raises(ConfigurationError, match="lies outside the folder reference/"):
        load_sources(tmp_path / "sla.yml")


def test_what_is_wrong_in_a_mapping_is_named_with_what_is_wrong_in_sla_yml(tmp_path: Path) -> None:
    folder = tmp_path / "reference" / "mappings"
    folder.mkdir(parents=True)
    read_text = MAPPING.replace("Europe/Berlin", "Berlin")
    (folder / "desk.yml").write_text(read_text)
    (tmp_path / "sla.yml").write_text(
        "sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n  other: {type: canonicl}\n"
    )
    with pytest.raises(ConfigurationError) as refusal:
        load_sources(tmp_path / "sla.yml")
    files = [problem.file for problem in refusal.value.problems]
    assert files == [f"{tmp_path}/sla.yml", "reference/mappings/desk.yml"]


# Every key that a model knows, so that few documents end at their first key.
MODELS = [MappingFile.model_json_schema(), *MappingFile.model_json_schema()["$defs"].values()]
KEYS = st.sampled_from(
    sorted({key for model in MODELS for key in model.get("properties", {})} | {"words", "a", "check"})
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2100),
    st.text(max_size=6),
    st.sampled_from(["csv", "json", "xml", "UTC", "iso", "message", "status_changed", "REVIEW", "Comment"]),
    st.sampled_from(["%d/%m/%y", "%Y-%m-%dT%H:%M:%S%z", "%", "%q", "%Y%m%d%H%M"]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=30,
)
PARTS = sorted(yaml.safe_load(MAPPING)["files"]["issues"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(["", "files", "files.issues", *(f"files.issues.{part}" for part in PARTS)]),
    what=DOCUMENTS,
)
@example(where="files.issues.events", what=[{"event_type": {"constant": ["message"]}}])
@example(where="files.issues.tickets", what={"ticket_id": {"join": [{"join": [{"join": "a"}]}]}})
def test_any_document_is_a_mapping_or_refused_in_words(tmp_path: Path, where: str, what: object) -> None:
    document = yaml.load(MAPPING, yaml.BaseLoader)
    holder = document
    keys = where.split(".") if where else []
    for key in keys[:-1]:
        holder = holder[key]
    if keys:
        holder[keys[-1]] = what
    else:
        document = what
    path = tmp_path / "any.yml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    try:
        load_mapping(path, "any.yml")
    except SlaError as refusal:
        assert refusal.problems or refusal.message
