"""A suggested mapping says what the data prove, names what they leave open, and cannot be used unread."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError, SlaError
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.suggest_mapping import suggest_mapping
from pipeline.rules.load_mapping import load_mapping
from tests.unit.ingest.conftest import HereChild

HEADER = "Ticket ID;Created time;Priority;Status;Resolved time\n"


@pytest.fixture
def suggest(tmp_path: Path, child: LandingChild):
    def of_content(content: str | bytes, name: str = "tickets.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return suggest_mapping(path, child=child)

    return of_content


def test_day_above_twelve_proves_the_order_of_day_and_month(suggest) -> None:
    text = suggest(HEADER + "1;03/02/2026 09:00;High;Open;\n2;13/02/2026 09:00;Low;Closed;14/02/2026 09:00\n")
    assert 'dates: ["%d/%m/%Y %H:%M"]' in text
    assert "NOT PROVED" not in text
    assert "format: semicolon" in text


def test_order_of_day_and_month_is_not_proved_by_days_up_to_twelve(suggest) -> None:
    text = suggest(HEADER + "1;03/02/2026 09:00;High;Open;\n2;12/02/2026 09:00;Low;Closed;\n")
    assert (
        '# NOT PROVED in "Created time": no day is above 12, so it reads as "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M".'
        in text
    )
    assert 'dates: ["REVIEW"]' in text


def test_one_proved_column_does_not_prove_another(suggest) -> None:
    text = suggest(HEADER + "1;03/02/2026 09:00;High;Open;25/02/2026 09:00\n")
    assert 'NOT PROVED in "Created time"' in text
    assert 'dates: ["REVIEW", "%d/%m/%Y %H:%M"]' in text


def test_suggestion_is_refused_until_it_was_reviewed(suggest, tmp_path: Path) -> None:
    file = tmp_path / "desk.yml"
    file.write_text(suggest(HEADER + "1;13/02/2026 09:00;High;Open;\n"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_mapping(file, "desk.yml")
    said = [str(problem) for problem in refusal.value.problems]
    assert any("time_zone: 'REVIEW' is not a time zone" in one for one in said)
    assert any("'High' stands for 'REVIEW', which is not a severity" in one for one in said)


def test_reviewed_suggestion_is_a_mapping(suggest, tmp_path: Path) -> None:
    text = suggest(HEADER + "1;13/02/2026 09:00;High;Open;14/02/2026 09:00\n")
    text = text.replace("time_zone: REVIEW", "time_zone: UTC").replace('"High": REVIEW', '"High": 4')
    file = tmp_path / "desk.yml"
    file.write_text(text, encoding="utf-8")
    mapping = load_mapping(file, "desk.yml")
    assert dict(mapping.files[0].tickets or ())["ticket_id"].columns == ("Ticket ID",)
    assert mapping.evidence == ("resolution",), "one date beside the ticket proves no more"


def test_instants_with_their_zone_need_no_declared_one(suggest) -> None:
    text = suggest("id,created_at,status\n1,2026-02-03T09:00:00Z,open\n")
    assert 'dates: ["iso"]' in text
    assert "time_zone" not in text


def test_unknown_status_is_left_to_the_reviewer(suggest) -> None:
    text = suggest("id,created_at,status\n1,2026-02-03T09:00:00Z,open\n2,2026-02-03T09:00:00Z,In lab\n")
    assert '"In lab": REVIEW' in text and '"open": open' in text


def test_file_in_another_encoding_is_said_to_be_unproved(suggest) -> None:
    text = suggest("id,created_at,subject\n1,2026-02-03T09:00:00Z,Größe\n".encode("cp1252"))
    assert "encoding: cp1252" in text and "no file can prove" in text


def test_repeated_columns_are_named(suggest) -> None:
    text = suggest("Issue key,Created,Comment,Comment\nT-1,2026-02-03T09:00:00Z,a,b\n")
    assert 'with each: "Comment"' in text


def test_text_of_a_file_cannot_leave_its_comment(suggest, tmp_path: Path) -> None:
    text = suggest(
        'id,created_at,"a: ""b"" # {}",status\n1,2026-02-03T09:00:00Z,"x\ntime_zone: Mars\n","\u2028files: {}\n"\n'
    )
    assert not [line for line in text.splitlines() if line.startswith(("time_zone: Mars", "files: {}"))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=200), st.text(alphabet='id,;\t"\n{}[]:created_1/26 €', max_size=200))
)
def test_any_file_gets_a_suggestion_or_a_refusal_in_words(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        text = suggest_mapping(path, child=HereChild())
    except SlaError:
        return
    (tmp_path / "any.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_mapping(tmp_path / "any.yml", "any.yml")
