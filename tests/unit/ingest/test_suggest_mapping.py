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


# Headers as the helpdesks write them, in the languages of their users; the cells are invented.
TABLES = {
    "otrs_pt": (
        '"Ticket#";"Criado";"Hora de Fechamento";"Estado";"ID do Cliente";"Primeira Resposta"\n'
        '"2026030110000017";"2026-03-01 08:00:00";"";"aberto";"acme";""\n',
        "Criado", "OTRS or Znuny",
    ),
    "otrs_de": (
        '"Ticket#";"Erstellt";"Schließzeit";"Status";"Kundennummer"\n'
        '"2026030110000017";"2026-03-01 08:00:00";"";"offen";"acme"\n',
        "Erstellt", "OTRS or Znuny",
    ),
    "glpi_pt": (
        "\ufeffID;Título;Status;Data de abertura;Tempo para solução;Data da solução\n"
        "52 267;Falha;Em atendimento (atribuído);13/02/2026 09:10;14/02/2026 09:10;\n",
        "Data de abertura", "GLPI",
    ),
    "glpi_fr": (
        "ID;Titre;Statut;Date d'ouverture;Date de résolution;Priorité\n1;Panne;En attente;13-02-2026 09:10;;Haute\n",
        "Date d'ouverture", "GLPI",
    ),
    "glpi_es": (
        "ID;Título;Estado;Fecha de apertura;Fecha de solución\n1;Falla;En espera;13-02-2026 09:10;-\n",
        "Fecha de apertura", "GLPI",
    ),
    "glpi_dump": (
        "id;name;date;closedate;solvedate;date_mod;status\n"
        "1;Panne;2026-02-13 09:10:00;NULL;0000-00-00 00:00:00;2026-02-13 09:10:00;2\n",
        "date", None,
    ),
    "autotask": (
        "id,ticketNumber,createDate,firstResponseDateTime,resolvedDateTime,companyID,priority,status\n"
        "29682902.0,T20260213.0001,2026-02-13T09:10:00.123Z,2026-02-13T09:10:00.123Z,,12,2,5\n",
        "createDate", "Autotask",
    ),
    "hubspot": (
        "Ticket ID,Ticket Name,Pipeline,Ticket Status,Create Date,Close Date\n1,Sync,Support,New,2026-02-13,\n",
        "Create Date", "HubSpot",
    ),
    "jira_es": (
        "Resumen,Clave de incidencia,Estado,Creada,Resuelta\nFalla,SUP-1,Abierta,18/jul/26 9:10 AM,\n",
        "Creada", "Jira",
    ),
    "jira_de": (
        "Zusammenfassung,Vorgangsschlüssel,Status,Erstellt,Erledigt\nFehler,SUP-1,Offen,18/Mai/26 9:10 AM,\n",
        "Erstellt", "Jira",
    ),
    "jira_fr": (
        "Résumé,Clé de ticket,État,Création,Résolu\nPanne,SUP-1,Ouvert,18/févr./26 9:10 AM,\n", "Création", "Jira",
    ),
    "jira_pt": (
        "Resumo,Chave da item,Status,Criado,Resolvido\nFalha,SUP-1,Aberto,18/mai/26 9:10 AM,\n", "Criado", "Jira",
    ),
    "freshservice": (
        "Ticket Id,Subject,Status,Created Time,Resolved Time\n1,Sync,Open,2026-02-13 09:10:00,\n",
        "Created Time", "Freshdesk",
    ),
    "zendesk": (
        "Id,Requester,Status,Created at,Updated at,Solved at\n"
        "1,Ann,Open,2026-02-13 09:10:00,2026-02-13 09:10:00,1900-01-01 00:00:00\n",
        "Created at", "Zendesk",
    ),
    "servicenow_view": (
        '"number","opened_at","short_description","caller_id","priority","state"\n'
        '"INC1","2026-02-13 09:10:00","Sync","Ann","3 - Moderate","New"\n',
        "opened_at", "ServiceNow list view",
    ),
    "zammad": (
        "#,Title,State,Create Channel,Created At,First Response In Min\n61001,Sync,open,web,2026-02-13 09:10:00,\n",
        "Created At", "Zammad",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_submission_is_found_by_the_header_of_a_big_helpdesk_in_its_users_language(
    suggest, name: str
) -> None:
    content, submitted, helpdesk = TABLES[name]
    text = suggest(content)
    assert f'submitted_at: "{submitted}"' in text
    assert "No column of instants" not in text
    assert (
        helpdesk is None
        or f"# This looks like a{'n' if helpdesk[0] in 'AO' else ''} {helpdesk} export" in text
    )


@pytest.mark.parametrize(
    ("name", "read_by"),
    [
        ("freshservice", "type: freshdesk."),
        ("zendesk", "type: zendesk."),
        ("jira_es", "type: jira."),
        ("jira_de", "type: jira."),
        ("zammad", "type: mapped, with the example mapping zammad.yml."),
        ("glpi_pt", "type: mapped, with this mapping."),
    ],
)
def test_the_type_that_would_read_the_file_is_named(suggest, name: str, read_by: str) -> None:
    assert f"export: {read_by}\n" in suggest(TABLES[name][0])


def test_months_of_another_language_are_declared(suggest) -> None:
    text = suggest(TABLES["jira_fr"][0])
    assert 'months: {"févr": 2}' in text
    assert 'dates: ["%d/%b/%y %I:%M %p"]' in text


def test_issues_nested_in_the_answer_of_an_api_are_the_records(suggest) -> None:
    issue = '{"id": "1", "key": "SUP-1", "fields": {"created": "2026-02-13T09:10:00.000+0100", "status": {"name": "Open"}}}'
    text = suggest('{"startAt": 0, "total": 1, "issues": [' + issue + "]}", "issues.json")
    assert "# This looks like a Jira export: type: jira." in text
    assert 'records_at: "issues"' in text
    assert 'ticket_id: "key"' in text and 'submitted_at: "fields.created"' in text
    assert 'ticket_status: {column: "fields.status.name", values: {"Open": open}}' in text


def test_instants_of_which_no_name_says_which_is_the_submission_are_listed_and_give_the_format(
    suggest,
) -> None:
    text = suggest("Ticket ID,Moment,Other\n1,13/02/2026 09:10,14/02/2026 09:10\n")
    assert (
        '# These columns hold instants, and no name says which one is the submission: "Moment", "Other"'
        in text
    )
    assert 'dates: ["%d/%m/%Y %H:%M"]' in text
    assert "No column of instants" not in text


@pytest.mark.parametrize("null", ["-", "NULL", "1900-01-01", "0000-00-00 00:00:00"])
def test_a_null_date_hides_no_column_of_instants(suggest, null: str) -> None:
    text = suggest(
        HEADER + f"1;13/02/2026 09:00;High;Open;{null}\n2;13/02/2026 09:00;High;Open;14/02/2026 09:00\n"
    )
    assert '        event_at: "Resolved time"' in text


def test_a_first_response_is_suggested_as_one_that_proves_no_silence(suggest) -> None:
    text = suggest(TABLES["autotask"][0])
    assert "\nevidence: [first_response_if_any]\n" in text
    assert 'event_at: "firstResponseDateTime"' in text


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


LOG = (
    "case,time,activity,status,priority,customer\n"
    "A,2026-07-13 08:00,Created,New,1,acme\nA,2026-07-13 08:30,Reply,Open,1,acme\nA,2026-07-13 12:00,Solved,Resolved,1,acme\n"
)


def test_one_row_per_event_with_the_tickets_attributes_is_suggested_as_a_log(suggest, tmp_path: Path) -> None:
    text = suggest(LOG)
    assert "    log:\n" in text and "    tickets:" not in text
    assert '      event_at: "time"\n      ticket_id: "case"\n' in text
    assert "submitted_at:" not in text
    assert '# What each row is, by "activity": "Created", "Reply", "Solved".' in text
    assert "evidence: [statuses]" in text
    reviewed = text.replace("time_zone: REVIEW", "time_zone: UTC").replace('"1": REVIEW', '"1": 5')
    reviewed = reviewed.replace("actor_kind: {constant: REVIEW}", "actor_kind: {constant: agent}")
    reviewed = reviewed.replace("is_public: {constant: REVIEW}", "is_public: {constant: true}")
    (tmp_path / "log.yml").write_text(reviewed.replace("is: [REVIEW]", "is: [Reply]"), encoding="utf-8")
    (file,) = load_mapping(tmp_path / "log.yml", "log.yml").files
    assert file.log is not None and file.tickets is None


@pytest.mark.parametrize(
    ("content", "event_at", "submitted_at"),
    [
        (
            "Ticketnummer;Erstellt;Zeitstempel;Aktion;Zustand\n7;13.02.2026 08:00;13.02.2026 08:00;Neu;Neu\n"
            "7;13.02.2026 08:00;13.02.2026 09:00;Antwort;Offen\n",
            "Zeitstempel",
            "Erstellt",
        ),
        (
            "number,opened_at,sys_updated_at,incident_state\nINC1,13-02-2026 08:00,13-02-2026 08:00,New\n"
            "INC1,13-02-2026 08:00,14-02-2026 08:00,Closed\n",
            "sys_updated_at",
            "opened_at",
        ),
        ("Clave;Fecha y hora;Actividad\n7;13/02/2026 08:00;Alta\n7;13/02/2026 09:00;Respuesta\n", "Fecha y hora", None),
        ("Numéro;Horodatage;Activité\n7;13/02/2026 08:00;Création\n7;13/02/2026 09:00;Réponse\n", "Horodatage", None),
        ("Chamado;Data e hora;Atividade\n7;13/02/2026 08:00;Abertura\n7;13/02/2026 09:00;Resposta\n", "Data e hora", None),
    ],
    ids=["de", "servicenow", "es", "fr", "pt"],
)  # fmt: skip
def test_the_instant_of_a_log_is_found_beside_that_of_the_submission(
    suggest, content: str, event_at: str, submitted_at: str | None
) -> None:
    text = suggest(content)
    assert f'    log:\n      event_at: "{event_at}"\n' in text
    assert (f'      submitted_at: "{submitted_at}"\n' in text) == (submitted_at is not None)
    assert "No column of instants" not in text


def test_tickets_of_which_few_come_twice_and_a_history_of_fields_are_no_log(suggest) -> None:
    rows = "".join(f"{number % 9};13/02/2026 09:00;High;Open;\n" for number in range(10))
    assert "    tickets:" in suggest(HEADER + rows)
    history = "ticket_id,field_name,updated,value\n1,status,2026-02-13 09:00:00,open\n1,status,2026-02-13 10:00:00,solved\n"
    assert "    log:" not in suggest(history)
