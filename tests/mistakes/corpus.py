"""Mistakes that people make in settings: each is one change of the files of `workspace.py`.

Keys are taken from the files themselves, every key once, and every column of every header; the rest is written down one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from pipeline.rules.load_reference import REFERENCE_FILES
from tests.mistakes.workspace import Files, write_files

# Files that no key is taken from again: the other plans have the same keys.
_SETTINGS = (
    "sla.yml",
    "reference/mappings/other.yml",
    "reference/plans/standard.yml",
    "reference/calendars/business_hours.yml",
)
# Under these keys people's own words stand, which are no keys of ours.
_OWN_WORDS = ("values", "words", "sources", "files", "calendars", "columns", "scope", "customers")


@dataclass(frozen=True)
class Mistake:
    """One change of the files. `run`: the program takes the files, so that a whole run shows what becomes of all mistakes of this
    name together, and `told_by` is a pattern of the line that must tell this one; empty where the files themselves are refused.
    """

    name: str
    change: Callable[[Files], None]
    run: str = ""
    told_by: str = ""


def misspell(word: str) -> str:
    """The word with two letters in the middle swapped, or one doubled where they are alike."""
    at = max(len(word) // 2, 1)
    swapped = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if len(word) > 1 else word + word
    return swapped if swapped != word else word[:at] + word[at - 1] + word[at:]


def replace_text(file: str, old: str, new: str) -> Callable[[Files], None]:
    """A change of the first place in a file that reads `old`; an error where there is none."""

    def change(files: Files) -> None:
        text = files[file].decode()
        assert old in text, f"{file} does not hold {old!r}"
        files[file] = text.replace(old, new, 1).encode()

    return change


def replace_line_part(file: str, line: int, column: int, old: str, new: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        lines = files[file].decode().split("\n")
        assert lines[line][column:].startswith(old)
        lines[line] = lines[line][:column] + new + lines[line][column + len(old) :]
        files[file] = "\n".join(lines).encode()

    return change


def _walk(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Every key of a YAML file with its path."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key
            yield from _walk(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, path)


def list_keys(file: str, text: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """The keys of one file that are ours, each word once for each kind of source."""
    seen = set()
    document = yaml.compose(text, yaml.SafeLoader)
    assert document is not None
    for path, key in _walk(document, ()):
        if (len(path) > 1 and path[-2] in _OWN_WORDS) or not key.value[:1].isalpha():
            continue
        # The same key of two sources is read by models of their own.
        known = path if path[0] == "sources" else tuple(part for part in path if part[:1].isalpha())[-2:]
        if known not in seen:
            seen.add(known)
            yield ".".join(path), key


def _misspelt_keys(files: Files) -> Iterator[Mistake]:
    for file in _SETTINGS:
        for path, key in list_keys(file, files[file].decode()):
            mark = key.start_mark
            change = replace_line_part(file, mark.line, mark.column, key.value, misspell(key.value))
            yield Mistake(f"{file}: the key {path} as {misspell(key.value)}", change)


def _misspelt_headers(files: Files) -> Iterator[Mistake]:
    for name in REFERENCE_FILES:
        file = f"reference/{name}.csv"
        for column in files[file].decode().splitlines()[0].split(","):
            change = replace_text(file, column, misspell(column))
            yield Mistake(f"{file}: the column {column} as {misspell(column)}", change)


def _swap(one: str, other: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        files[one], files[other] = files[other], files[one]

    return change


def _swapped_files(files: Files) -> Iterator[Mistake]:
    names = [f"reference/{name}.csv" for name in REFERENCE_FILES]
    pairs = list(zip(names, names[1:] + names[:1], strict=True))
    pairs += [
        ("sla.yml", "reference/mappings/other.yml"),
        ("reference/plans/standard.yml", "reference/calendars/business_hours.yml"),
        ("reference/plans/premium.yml", "reference/mappings/other.yml"),
    ]
    for one, other in pairs:
        yield Mistake(f"{one} and {other} swapped", _swap(one, other))


def _encode(file: str, encoding: str) -> Callable[[Files], None]:
    """The file with letters outside ASCII, in another encoding."""

    def change(files: Files) -> None:
        text = files[file].decode()
        text = (
            text + "# é\n"
            if file.endswith(".yml")
            else text.replace("Acme", "Açme").replace("Outage", "Öutage")
        )
        files[file] = text.encode(encoding)

    return change


def _wrong_encodings(files: Files) -> Iterator[Mistake]:
    for file in (
        "sla.yml",
        "reference/customers.csv",
        "reference/waivers.csv",
        "reference/plans/standard.yml",
    ):
        for encoding in ("latin-1", "utf-16"):
            yield Mistake(f"{file} in {encoding}", _encode(file, encoding))


# What is refused before anything is built.
_REFUSED = (
    ("sla.yml", "type: freshdesk", "type: freshdsk"),
    ("sla.yml", "Europe/Berlin", "Europe/Berln"),
    ("sla.yml", '"%d/%m/%Y %H:%M:%S"', '"%d/%m %H:%M"'),
    ("sla.yml", "date_locale: es", "date_locale: spanish"),
    ("sla.yml", "{sev_3: 3}", "{sev_3: 7}"),
    ("sla.yml", "{lab: on_hold}", "{lab: onhold}"),
    ("sla.yml", "bug_confirmed:", "bug_confirmd:"),
    ("sla.yml", "field: organization_external_id", "field: organisation_external_id"),
    ("sla.yml", "journal: whole", "journal: hole"),
    ("sla.yml", "comments: public", "comments: publick"),
    ("sla.yml", "unknown_levels: 2", "unknown_levels: 200"),
    ("sla.yml", "mappings/other.yml", "mappings/othr.yml"),
    ("sla.yml", "    agents: {actors: [\"557058:mia\"]}\n", ""),
    ("sla.yml", "compare_plans: []", "compare_plans: [standrd]"),
    ("sla.yml", "grace_business_days: 3", "grace_business_days: -3"),
    ("sla.yml", "grace_business_days: 3", "grace_business_days: 3 days"),
    ("sla.yml", 'grace_business_days: 3, first_month: "2099-01"', 'grace_business_days: 3, first_month: "2099-13"'),
    ("sla.yml", 'grace_business_days: 3, first_month: "2099-01"', "grace_business_days: 3, first_month: January"),
    ("sla.yml", "logo: logo.svg", "logo: lgoo.svg"),
    ("sla.yml", "logo: logo.svg", "logo: ../sla.yml"),
    ("sla.yml", "logo_place: band", "logo_place: bnad"),
    ("sla.yml", '"#1f4e79"', "#1f4e79"),
    ("sla.yml", '"#1f4e79"', '"#f4e79"'),
    ("sla.yml", '"#1f4e79"', '"#ffff00"'),
    ("sla.yml", "acme: {sender:", "acne: {sender:"),
    ("sla.yml", "channel: smtp", "channel: stmp"),
    ("sla.yml", "sender: sla@vendor.example", "sender: sla at vendor.example"),
    ("sla.yml", "reply_to: answers@vendor.example", 'reply_to: "answers@vendor.example, sla@vendor.example"'),
    ("sla.yml", 'footer: Service report\n  first_month: "2099-01"', "footer: Service report"),
    ("sla.yml", 'report\n  first_month: "2099-01"', 'report\n  first_month: "01.2099"'),
    ("sla.yml", "allowed_domains: [acme.example]", "allowed_domains: []"),
    ("sla.yml", "allowed_domains: [acme.example]", "allowed_domains: [ann@acme.example]"),
    ("sla.yml", "most_undecided_points: 2", "most_undecided_points: 200"),
    ("sla.yml", "host: mail.vendor.example", "host: https://mail.vendor.example"),
    ("sla.yml", "security: tls", "security: none"),
    ("sla.yml", "port: 465", "port: 4650000"),
    ("sla.yml", "https://hooks.vendor.example/sla", "http://hooks.vendor.example/sla"),
    ("sla.yml", "https://hooks.vendor.example/sla", "https://hoks.vendor.example/sla"),
    ("sla.yml", "[10.1.2.0/24]", "[10.1.2.0/240]"),
    ("sla.yml", "kinds: [at_risk, breached]", "kinds: [at_risk, breachd]"),
    ("sla.yml", "at_risk_percent: [75, 90]", "at_risk_percent: [75, 100]"),
    ("sla.yml", "Europe/Lisbon", "Europe/Lisboa"),
    ("sla.yml", '"20:00-07:00"', '"20-7"'),
    ("reference/mappings/other.yml", "values: severity", "values: severty"),
    ("reference/mappings/other.yml", "format: semicolon", "format: semikolon"),
    ("reference/mappings/other.yml", "Europe/Berlin", "Berlin"),
    ("reference/mappings/other.yml", "{constant: message}", "{constant: mesage}"),
    ("reference/mappings/other.yml", "evidence: [messages]", "evidence: [mesages]"),
    ("reference/subscriptions.csv", "acme,standard,2026-01-01", "acme,standrd,2026-01-01"),
    ("reference/subscriptions.csv", "A-2,acme,standard", "A-2,acne,standard"),
    ("reference/subscriptions.csv", "2026-01-01,2027-01-01,paid,active,\nB", "01.01.2026,01.01.2027,paid,active,\nB"),
    ("reference/subscriptions.csv", "2026-01-01,2027-01-01,paid,active,\nB", "2027-01-01,2026-01-01,paid,active,\nB"),
    ("reference/customers.csv", "beta,Beta", "acme,Beta"),
    ("reference/customers.csv", "Acme,UTC", "Acme,GMT+1"),
    ("reference/customers.csv", "ann@acme.example", "ann at acme"),
    ("reference/purchases.csv", "P-1,acme,A-2,regular,40", "P-1,acme,A-2,regular,forty"),
    ("reference/purchases.csv", "P-1,acme,A-2,regular", "P-1,acme,A-2,regulr"),
    ("reference/purchases.csv", "P-1,acme,A-2", "P-1,acme,A-9"),
    ("reference/redemptions.csv", "remote_installation_assistance", "remote_instalation_assistance"),
    ("reference/waivers.csv", "first_response", "first_responce"),
    ("reference/licenses.csv", "2026-06-01,2026-07-01", "2026-07-01,2026-06-01"),
    ("reference/contacts.csv", "acme,ann@acme.example", "acne,ann@acme.example"),
    ("reference/calendars/business_hours.yml", "06:00-21:00", "06:00-25:00"),
    ("reference/calendars/business_hours.yml", "time_zone: UTC", "time_zone: UTCC"),
)  # fmt: skip

# What cannot be known to be wrong before the exports are read. Mistakes of one run are of different sources or settings,
# so that none can hide another; each must be told by a line of its own, which the pattern finds.
_BUILT: dict[str, tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...]] = {
    "words and fields": (
        (
            "the level of zen is mapped under another word",
            r"sources\.zen: 5 of 5 tickets with a level",
            (("sla.yml", "{sev_3: 3}}\n    statuses", "{sev_4: 3}}\n    statuses"),),
        ),
        (
            "the level of zentable is mapped under another word",
            r"sources\.zentable: 5 of 5 tickets with a level",
            (("sla.yml", '[list]", values: {sev_3: 3}', '[list]", values: {sev3: 3}'),),
        ),
        (
            "the level of snow is mapped under another word",
            r"sources\.snow: 5 of 5 tickets with a level",
            (("sla.yml", "3 - Moderate", "3-Moderate"),),
        ),
        (
            "the level of jira is mapped under another word",
            r"sources\.jira: 5 of 5 tickets with a level",
            (("sla.yml", "{Alta: 3}", "{Allta: 3}"),),
        ),
        (
            "the level of fresh is mapped under another word",
            r"sources\.fresh: 5 of 5 tickets with a level",
            (("sla.yml", "{Medium: 3}", "{medium: 3}"),),
        ),
        (
            "the level of other is mapped under another word",
            r"inbox/other/tickets\.csv:.*(mittel|is not a known severity)",
            (("reference/mappings/other.yml", "mittel: 3", "mitel: 3"),),
        ),
        (
            "the status of zen is mapped under another word",
            r"sources\.zen: 5 of 5 tickets with a status",
            (("sla.yml", "{lab: on_hold}", "{labb: on_hold}"),),
        ),
        (
            "the status of jira is mapped under another word",
            r"sources\.jira: 5 of 5 tickets with a status",
            (("sla.yml", "{Abierto: open}", "{Abierta: open}"),),
        ),
        (
            "the customer of zen is read from another field",
            r"sources\.zen: 5 of 5 tickets of a customer",
            (("sla.yml", "field: organization_external_id", "field: organization_id"),),
        ),
        (
            "the customer of jira is read from another field",
            r"sources\.jira: 5 of 5 tickets of a customer",
            (("sla.yml", "field: Organizations", "field: reporter_id"),),
        ),
    ),
    "fields": (
        (
            "the level of zen is read from a field that is not there",
            r"sources\.zen: 5 of 5 tickets without any level",
            (("sla.yml", "custom_field:360001", "custom_field:360010"),),
        ),
        (
            "the level of jira is read from another field",
            r"sources\.jira: 5 of 5 tickets with a level",
            (("sla.yml", "field: priority, values: {Alta", "field: Organizations, values: {Alta"),),
        ),
        (
            "the customer of snow is read from another field",
            r"sources\.snow: 5 of 5 tickets of a customer",
            (
                (
                    "sla.yml",
                    'field: company}\n    severity: {field: priority, values: {"3',
                    'field: requester}\n    severity: {field: priority, values: {"3',
                ),
            ),
        ),
    ),
    "columns": (
        (
            "the column of the level of zentable is misspelt",
            r"lacks 'Severty \[list\]'.*Did you mean 'Severity \[list\]'",
            (("sla.yml", "column:Severity [list]", "column:Severty [list]"),),
        ),
        (
            "the column of the comments of jira is misspelt",
            r"lacks 'Comentaro'.*Did you mean 'Comentario'",
            (("sla.yml", "comment: Comentario", "comment: Comentaro"),),
        ),
        (
            "the column of the customer of fresh is misspelt",
            r"lacks 'compny'.*Did you mean 'Company name'",
            (
                (
                    "sla.yml",
                    "{field: company}\n    severity: {field: priority, values: {Medium",
                    "{field: compny}\n    severity: {field: priority, values: {Medium",
                ),
            ),
        ),
        (
            "the column of the submission of other is misspelt",
            r"inbox/other/tickets\.csv:.*Erstelt: is missing",
            (("reference/mappings/other.yml", "submitted_at: Erstellt", "submitted_at: Erstelt"),),
        ),
    ),
    "people, marks and times": (
        (
            "the robot of zen is misspelt",
            r"No record shows.*zen bots\.actors '90'",
            (("sla.yml", 'actors: ["9"]', 'actors: ["90"]'),),
        ),
        (
            "the tag of a bug of zen is misspelt",
            r"No record shows.*zen events\.bug_confirmed",
            (("sla.yml", "value: product_bug", "value: produkt_bug"),),
        ),
        (
            "the agents of snow are misspelt",
            r"No record shows.*snow agents\.domains 'vendr\.example'",
            (("sla.yml", "domains: [vendor.example]", "domains: [vendr.example]"),),
        ),
        (
            "the agent of jira is misspelt",
            r"No record shows.*jira agents\.actors '557058:mai'",
            (("sla.yml", "557058:mia", "557058:mai"),),
        ),
        (
            "the channel of desk is mapped under another word",
            r"sources\.desk: 5 of 5 tickets: The ticket came through a channel",
            (("sla.yml", "{portal: web_form}", "{Portal: web_form}"),),
        ),
        (
            "the zone of fresh is that of another office",
            r"read in:.*fresh Europe/Lisbon",
            (("sla.yml", "America/New_York", "Europe/Lisbon"),),
        ),
        (
            "yes and no of other are swapped",
            r"sources\.other: 5 of 5 tickets without a public message",
            (("reference/mappings/other.yml", "{ja: true, nein: false}", "{ja: false, nein: true}"),),
        ),
        (
            "a term ends the day before the next begins",
            r"ends_a_day_early.*1 of 3 rows",
            (("reference/subscriptions.csv", "2025-01-01,2026-01-01", "2025-01-01,2025-12-31"),),
        ),
        (
            "the waiver names its ticket without the prefix",
            r"names_unknown_ticket.*1 of",
            (("reference/waivers.csv", "W-1,C-5", "W-1,5"),),
        ),
    ),
    "days and months": (
        (
            "day and month of snow are swapped",
            r"read in:.*snow Europe/Berlin \(%m/%d/%Y",
            (("sla.yml", "%d/%m/%Y", "%m/%d/%Y"),),
        ),
        (
            "day and month of other are swapped",
            r"read in:.*other Europe/Berlin \(%m\.%d\.%Y",
            (("reference/mappings/other.yml", "%d.%m.%Y", "%m.%d.%Y"),),
        ),
        (
            "the sides of the people of other are swapped",
            r"sources\.other: 5 of 5 tickets without a public message",
            (
                (
                    "reference/mappings/other.yml",
                    "{Support: agent, Kunde: customer",
                    "{Support: customer, Kunde: agent",
                ),
            ),
        ),
        (
            "the robot of other is misspelt",
            r"No record shows.*other bots\.actors 'u_robot'",
            (("sla.yml", "actors: [u-robot]", "actors: [u_robot]"),),
        ),
        (
            "the zone of zentable is that of another office",
            r"read in:.*zentable Asia/Tokyo",
            (("sla.yml", 'Europe/Berlin\n    date_format: "%Y', 'Asia/Tokyo\n    date_format: "%Y'),),
        ),
        (
            "the channel of fresh is mapped under another word",
            r"sources\.fresh: 5 of 5 tickets: The ticket came through a channel",
            (("sla.yml", "{Hotline: web_form}", "{Hot line: web_form}"),),
        ),
    ),
    "the customer": (
        (
            "the customer is written in another way in customers.csv",
            r"sources\.desk: 5 of 5 tickets of a customer",
            (
                ("reference/customers.csv", "acme,Acme", "ACME,Acme"),
                ("reference/subscriptions.csv", "A-1,acme", "A-1,ACME"),
                ("reference/subscriptions.csv", "A-2,acme", "A-2,ACME"),
                ("reference/contacts.csv", "acme,ann", "ACME,ann"),
                ("reference/customer_words.csv", "acme,Acme", "ACME,Acme"),
                ("reference/purchases.csv", "P-1,acme", "P-1,ACME"),
            ),
        ),
    ),
    "the term": (
        (
            "the term of the customer ends a year too early",
            r"sources\.desk: 5 of 5 tickets: The ticket lies outside every term",
            (
                (
                    "reference/subscriptions.csv",
                    "2026-01-01,2027-01-01,paid,active,\nB",
                    "2026-01-01,2026-02-01,paid,active,\nB",
                ),
                ("reference/licenses.csv", "A-2,suspended,2026-06-01,2026-07-01\n", ""),
            ),
        ),
    ),
}


def _apply(changes: tuple[tuple[str, str, str], ...]) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        for file, old, new in changes:
            replace_text(file, old, new)(files)

    return change


def _move_inbox(one: str, other: str) -> Callable[[Files], None]:
    """The exports of two sources in each other's folders."""

    def change(files: Files) -> None:
        moved = {
            re.sub(rf"^inbox/{one}/", f"inbox/{other}/", name)
            if name.startswith(f"inbox/{one}/")
            else re.sub(rf"^inbox/{other}/", f"inbox/{one}/", name): content
            for name, content in files.items()
        }
        files.clear()
        files.update(moved)

    return change


def list_mistakes() -> list[Mistake]:
    """All of them; those that are refused before anything is built come first."""
    files = write_files()
    mistakes = [
        *_misspelt_keys(files),
        *_misspelt_headers(files),
        *_swapped_files(files),
        *_wrong_encodings(files),
        *(
            Mistake(f"{file}: {old.strip()!r} is {new.strip()!r}", replace_text(file, old, new))
            for file, old, new in _REFUSED
        ),
        *(
            Mistake(name, _apply(changes), run, told_by)
            for run, group in _BUILT.items()
            for name, told_by, changes in group
        ),
        Mistake(
            "the exports of zen and snow in each other's folder",
            _move_inbox("zen", "snow"),
            "folders",
            "inbox/(zen|snow)/.*: ",
        ),
    ]
    names = [mistake.name for mistake in mistakes]
    assert len(names) == len(set(names)), "two mistakes have the same name"
    return mistakes
