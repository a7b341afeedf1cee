"""When a month closes, what keeps it open, and what a reopening leaves on record. May may be closed from 8 June 00:00 UTC on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError, StaleData
from pipeline.periods import close as closing_steps
from pipeline.periods import records
from pipeline.periods.close import close_due, close_month, record_corrections, reopen_month
from pipeline.periods.records import (
    Closing,
    History,
    Reopening,
    append_record,
    closed_folder,
    read_history,
)
from pipeline.pointer import Pointer, read_pointer
from pipeline.reporting import published as published_module
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.published import EVERY_CUSTOMER, Selection, open_published
from pipeline.rules.periods import PeriodRules
from pipeline.settings import Workspace
from pipeline.warehouse.publish import KEPT_VERSIONS
from pipeline.whole_files import seal, unseal, write_whole
from tests.unit.periods.kept_builds import Figures, Verdict, make_workspace, publish_figures, utc

BY_ITSELF = PeriodRules(first_month="2026-04")
APRIL = Verdict("T-4", "met", utc("2026-04-20T09:00:00"))
MAY = Verdict("T-5", "breached", utc("2026-05-20T09:00:00"))
JUNE = Verdict("T-6", "met", utc("2026-06-02T09:00:00"))
FIGURES = Figures(utc("2026-06-10T12:00:00"), (APRIL, MAY, JUNE))


def publish(root: Path, figures: Figures = FIGURES, build_id: str = "build-a") -> tuple[Workspace, Pointer]:
    workspace = make_workspace(root)
    return workspace, publish_figures(workspace, build_id, figures)


def close_by_itself(
    workspace: Workspace, pointer: Pointer, rules: PeriodRules = BY_ITSELF
) -> closing_steps.Closed:
    with open_published(workspace) as published:
        return close_due(workspace, published, pointer, rules)


def close_by_hand(
    workspace: Workspace, pointer: Pointer, month: str, dry_run: bool = False
) -> closing_steps.Closed:
    with open_published(workspace) as published:
        return close_month(workspace, published, pointer, month, dry_run)


def months_of(closings: tuple[Closing, ...]) -> list[str]:
    return [closing.month for closing in closings]


@pytest.mark.parametrize(
    ("as_of", "closed"),
    [
        ("2026-06-07T23:59:59", ["2026-04"]),
        ("2026-06-08T00:00:00", ["2026-04", "2026-05"]),
        ("2026-07-08T00:00:00", ["2026-04", "2026-05", "2026-06"]),
    ],
)
def test_run_closes_what_is_due_oldest_first_and_each_month_once(
    tmp_path: Path, as_of: str, closed: list[str]
) -> None:
    workspace, pointer = publish(tmp_path, replace(FIGURES, as_of=utc(as_of)))
    assert months_of(close_by_itself(workspace, pointer).closings) == closed
    assert close_by_itself(workspace, pointer).closings == ()
    assert [record.number for record in read_history(workspace).records] == list(range(1, len(closed) + 1))


def test_history_that_was_loaded_on_a_first_day_is_not_closed_by_itself(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    result = close_by_itself(workspace, pointer, PeriodRules())
    assert (result.closings, result.idle) == ((), ("2026-04", "2026-05"))


def test_run_goes_on_from_a_month_that_was_closed_by_hand(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    assert months_of(close_by_hand(workspace, pointer, "2026-05").closings) == ["2026-05"]
    later = publish_figures(workspace, "build-b", replace(FIGURES, as_of=utc("2026-07-10T00:00:00")))
    # April lies before it and stays as it is.
    assert months_of(close_by_itself(workspace, later, PeriodRules()).closings) == ["2026-06"]


def test_closing_keeps_the_hash_of_the_build_and_of_every_input(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    closing = close_by_hand(workspace, pointer, "2026-05").closings[0]
    assert (closing.build.build_id, closing.build.sha256) == (pointer.build_id, pointer.sha256)
    assert closing.inputs == {
        "landed: inbox/desk/june.csv": "aaaaaaaa11",
        "program: code": "p1",
        "rules: reference/calendars/hours.yml": "h1",
        "rules: reference/customers.csv": "c1",
        "rules: reference/waivers.csv": "w1",
    }


def test_dry_run_says_what_would_be_closed_and_writes_nothing(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    assert months_of(close_by_hand(workspace, pointer, "2026-05", dry_run=True).closings) == ["2026-05"]
    assert not closed_folder(workspace).exists()


@pytest.mark.parametrize(
    ("month", "words"),
    [
        ("2026-06", "2026-06 is not due to be closed yet: UTC (it ends at 2026-07-01T00:00:00Z)"),
        ("2027-03", "There are no figures of 2027-03"),
    ],
)
def test_month_that_is_not_due_is_not_closed(tmp_path: Path, month: str, words: str) -> None:
    workspace, pointer = publish(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        close_by_hand(workspace, pointer, month)
    assert words in str(refused.value)


def test_provisional_month_says_from_when_on_it_may_be_closed(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path, replace(FIGURES, as_of=utc("2026-06-07T23:59:59")))
    with pytest.raises(ConfigurationError, match="UTC \\(from 2026-06-08T00:00:00Z on\\)"):
        close_by_hand(workspace, pointer, "2026-05")


def test_month_waits_for_a_source_that_lags_and_so_do_the_later_ones(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path, replace(FIGURES, stale_source="desk"))
    result = close_by_itself(workspace, pointer)
    assert result.closings == ()
    assert {each.month for each in result.waiting} == {"2026-04", "2026-05"}
    with pytest.raises(StaleData, match="source 'desk' is known until 2026-05-21T12:00:00Z only"):
        close_by_hand(workspace, pointer, "2026-05")
    assert StaleData.exit_code == 7


def test_month_is_closed_in_each_zone_when_it_is_due_there(tmp_path: Path) -> None:
    berlin = replace(MAY, ticket_id="T-7", time_zone="Europe/Berlin")
    workspace, pointer = publish(tmp_path, replace(FIGURES, verdicts=(MAY, berlin)))
    assert [closing.time_zone for closing in close_by_itself(workspace, pointer).closings] == [
        "Europe/Berlin",
        "UTC",
    ]


def test_reopened_month_waits_for_a_user_and_its_next_closing_says_what_it_replaces(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    [reopening] = reopen_month(workspace, "2026-05", "wrong contract file")
    assert (reopening.number, reopening.reopens, reopening.reason) == (3, 2, "wrong contract file")
    assert close_by_itself(workspace, pointer).closings == ()

    later = publish_figures(
        workspace, "build-b", replace(FIGURES, verdicts=(APRIL, replace(MAY, status="met"), JUNE))
    )
    assert record_corrections(workspace, later) == ()
    [again] = close_by_hand(workspace, later, "2026-05").closings
    assert (again.number, again.version, again.replaces, again.build.build_id) == (4, 2, 2, "build-b")
    with open_published(workspace) as published:
        total = read_compliance(published, EVERY_CUSTOMER, Selection(months=("2026-05",)), by=()).total
    assert (total.met, total.breached) == (1, 0)
    kinds = [type(record) for record in read_history(workspace).records]
    assert kinds == [Closing, Closing, Reopening, Closing]


@pytest.mark.parametrize(
    ("month", "reason", "words"),
    [
        ("2026-05", "  ", "Say why the month is opened again: --reason TEXT"),
        (
            "2026-03",
            "because",
            "2026-03 is not closed, so it cannot be reopened. Closed months: 2026-04, 2026-05.",
        ),
    ],
)
def test_reopening_without_a_reason_or_a_closed_month_is_refused(
    tmp_path: Path, month: str, reason: str, words: str
) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    with pytest.raises(ConfigurationError) as refused:
        reopen_month(workspace, month, reason)
    assert words in str(refused.value)
    assert len(read_history(workspace).records) == 2


def test_closed_month_is_not_closed_twice(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    with pytest.raises(
        ConfigurationError, match="2026-05 is closed already. What arrives later becomes corrections"
    ):
        close_by_hand(workspace, pointer, "2026-05")


def test_build_of_a_closed_month_is_never_removed(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    for number in range(KEPT_VERSIONS + 2):
        publish_figures(workspace, f"later-{number}", FIGURES)
    names = {path.name for path in workspace.published.glob("*.duckdb")}
    assert "build-a.duckdb" in names
    assert len(names) == KEPT_VERSIONS + 1


def test_build_of_record_that_comes_back_is_served_with_the_bytes_on_record(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    publish_figures(workspace, "build-b", FIGURES)
    # The same build again, written with other bytes.
    publish_figures(workspace, "build-a", replace(FIGURES, verdicts=(JUNE, MAY, APRIL)))
    served = read_pointer(workspace)
    assert served is not None
    assert (served.build_id, served.sha256) == ("build-a", pointer.sha256)


def test_damaged_build_of_record_is_named_and_no_figure_of_its_month_is_shown(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    publish_figures(workspace, "build-b", replace(FIGURES, as_of=utc("2026-06-11T12:00:00")))
    file = workspace.published / pointer.file
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    # A process reads the bytes of a file once; this is what the next process finds.
    published_module._is_whole.cache_clear()
    with (
        open_published(workspace) as published,
        pytest.raises(ConfigurationError, match="on which closed months rest, is damaged"),
    ):
        read_compliance(published, EVERY_CUSTOMER)


@pytest.mark.parametrize("damage", ["edited", "removed"])
def test_damaged_history_stops_every_reader_and_every_build(tmp_path: Path, damage: str) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    record = closed_folder(workspace) / "000001.json"
    if damage == "edited":
        record.write_text(record.read_text(encoding="utf-8").replace("2026-04", "2026-03"), encoding="utf-8")
    else:
        record.unlink()
    for use in (lambda: open_published(workspace), lambda: publish_figures(workspace, "build-b", FIGURES)):
        with pytest.raises(
            ConfigurationError, match="000001.json is damaged, so which months are closed is not known"
        ):
            use()


def test_older_copy_of_the_records_is_not_taken_for_all_of_them(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    newest = sorted(closed_folder(workspace).glob("*.json"))[-1]
    content = newest.read_bytes()
    # A month without its record would be closed again, with other figures under the same report numbers.
    newest.unlink()
    for use in (
        lambda: open_published(workspace),
        lambda: publish_figures(workspace, "build-b", FIGURES),
        lambda: close_by_itself(workspace, pointer),
    ):
        with pytest.raises(ConfigurationError, match="000002.json is damaged.*it is missing"):
            use()
    shutil.rmtree(closed_folder(workspace))
    with pytest.raises(ConfigurationError, match="000001.json is damaged.*it is missing"):
        open_published(workspace)
    closed_folder(workspace).mkdir()
    newest.write_bytes(content)
    with pytest.raises(ConfigurationError, match="000001.json is damaged.*it is missing"):
        open_published(workspace)


@pytest.mark.parametrize("count", ["closed.json", "published/closed.json"])
def test_newest_record_that_is_removed_together_with_a_count_is_missed(tmp_path: Path, count: str) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    (workspace.warehouse / count).unlink()
    # A count alone says nothing that the other one does not say.
    assert len(read_history(workspace).records) == 2
    sorted(closed_folder(workspace).glob("*.json"))[-1].unlink()
    with pytest.raises(ConfigurationError, match="000002.json is damaged.*it is missing"):
        read_history(workspace)


def test_record_that_another_one_took_the_place_of_is_damaged(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    first, newest = sorted(closed_folder(workspace).glob("*.json"))
    for path, told in ((first, newest), (newest, newest)):
        content = path.read_bytes()
        record = unseal(content)
        # A record with a digest of its own that fits, as a copy of another workspace has it.
        path.write_bytes(seal({**record, "closed_at": "2026-06-11T12:00:00Z"}))
        with pytest.raises(
            ConfigurationError, match=f"{told.name} is damaged.*(?:it is not the record|the record before)"
        ):
            read_history(workspace)
        path.write_bytes(content)
    assert len(read_history(workspace).records) == 2


def test_records_that_were_not_chained_yet_are_read_and_the_next_one_is(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    path = closed_folder(workspace) / "000001.json"
    record = unseal(path.read_bytes())
    del record["previous_sha256"]
    path.write_bytes(seal(record))
    for count in (workspace.warehouse / "closed.json", workspace.published / "closed.json"):
        count.write_bytes(seal({"records": 1}))
    close_by_hand(workspace, pointer, "2026-04")
    assert len(read_history(workspace).records) == 2
    path.write_bytes(seal({**record, "closed_at": "2026-06-11T12:00:00Z"}))
    with pytest.raises(ConfigurationError, match="000002.json is damaged.*the record before"):
        read_history(workspace)


def test_record_that_lost_its_digest_is_damaged(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    path = closed_folder(workspace) / "000001.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["record_sha256"]
    path.write_text(json.dumps({**record, "month": "2026-04"}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="000001.json is damaged.*it has no digest"):
        read_history(workspace)


def test_run_that_is_killed_behind_a_record_is_finished_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, pointer = publish(tmp_path)
    written: list[Path] = []

    def die_behind_the_record(path: Path, content: bytes) -> None:
        if written:
            raise _Killed
        write_whole(path, content)
        written.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(records, "write_whole", die_behind_the_record)
        with pytest.raises(_Killed):
            close_by_hand(workspace, pointer, "2026-04")
    assert [path.name for path in written] == ["000001.json"]
    assert len(read_history(workspace).records) == 1
    assert months_of(close_by_itself(workspace, pointer).closings) == ["2026-05"]


def test_build_as_of_an_earlier_instant_does_not_close_a_closed_month_again(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    # 9 June: May is due in it, and was closed with what was known on 10 June.
    earlier = publish_figures(workspace, "build-0", replace(FIGURES, as_of=utc("2026-06-09T12:00:00")))
    assert close_by_itself(workspace, earlier).closings == ()
    with pytest.raises(ConfigurationError, match="2026-05 is closed already"):
        close_by_hand(workspace, earlier, "2026-05")
    assert len(read_history(workspace).records) == 2


class _Killed(BaseException):
    """The process ends here."""


def test_run_that_is_killed_between_two_records_is_finished_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, pointer = publish(tmp_path)
    written = []

    def die_after_one(into: Workspace, record: Closing) -> None:
        if written:
            raise _Killed
        append_record(into, record)
        written.append(record)

    with monkeypatch.context() as patched:
        patched.setattr(closing_steps, "append_record", die_after_one)
        with pytest.raises(_Killed):
            close_by_itself(workspace, pointer)
    assert months_of(tuple(read_history(workspace).of_kind(Closing))) == ["2026-04"]
    assert months_of(close_by_itself(workspace, pointer).closings) == ["2026-05"]


def test_run_that_is_killed_between_build_and_correction_records_it_with_the_next_one(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    # The new build is served, and its run ended there.
    later = publish_figures(
        workspace, "build-b", replace(FIGURES, verdicts=(APRIL, replace(MAY, status="met"), JUNE))
    )
    assert len(record_corrections(workspace, later)) == 1
    assert record_corrections(workspace, later) == ()


def test_half_written_record_is_no_record(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    # What a death in the middle of `write_whole` leaves.
    (closed_folder(workspace) / ".000002.json.123.tmp").write_text('{"kind": "clos', encoding="utf-8")
    assert len(read_history(workspace).records) == 1
    assert months_of(close_by_hand(workspace, pointer, "2026-04").closings) == ["2026-04"]


def test_record_is_never_written_over(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    [closing] = close_by_hand(workspace, pointer, "2026-05").closings
    with pytest.raises(ValueError, match="never written over"):
        append_record(workspace, closing)


def test_record_says_in_plain_json_what_was_closed(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_hand(workspace, pointer, "2026-05")
    record = json.loads((closed_folder(workspace) / "000001.json").read_text(encoding="utf-8"))
    assert (record["kind"], record["month"], record["time_zone"], record["version"]) == (
        "closing",
        "2026-05",
        "UTC",
        1,
    )
    assert record["build"]["as_of"] == "2026-06-10T12:00:00Z"


def test_history_at_an_instant_is_what_was_on_record_then(tmp_path: Path) -> None:
    workspace, pointer = publish(tmp_path)
    close_by_itself(workspace, pointer)
    history = read_history(workspace)
    first = history.records[0]
    assert isinstance(first, Closing)
    assert history.until(first.closed_at) == history
    assert history.until(utc("2020-01-01T00:00:00")) == History()
