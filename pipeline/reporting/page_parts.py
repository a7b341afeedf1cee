"""What the documents of all readers are made of: tables, rates with their changes, the trend, the vendor's look.

Everything leaves as finished text in the document's language; the template places it. Nothing here counts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.reporting import figures
from pipeline.reporting.glyphs import measure_word
from pipeline.reporting.language import Language

if TYPE_CHECKING:
    from pipeline.reporting.compliance import Tally, TrendPoint
    from pipeline.reporting.monthly_report import Brand
    from pipeline.reporting.overview import Annotation
    from pipeline.reporting.published import Ratio
    from pipeline.reporting.status import BuildStatus, SourceStatus

# Beyond this many rows a table is for a spreadsheet and not for turning pages; the attached file has all.
MAXIMUM_ROWS = 500
# What a column holds that is as wide as its text; an instant has 30 letters.
LONGEST_ALONE = 32
# A name is printed in full on the first page, and cut in the head of the others.
MAXIMUM_HEAD_LENGTH = 70
_NOTHING = ("", "–", "0")


class Cell(str):
    """Text of a narrow column."""


class Raw(str):
    """A text that is not printed as text, such as a picture or a colour."""


@dataclass(frozen=True)
class Column:
    """A column of a table: `width` 0 is as wide as its text, others share what is left; `is_kept` also when all is empty."""

    head: str
    width: float = 0
    align: str = "left"
    is_strong: bool = False
    is_kept: bool = True


class Pages:
    """The parts of one document in one language; instants are printed in `zone`."""

    def __init__(self, language: Language, zone: str) -> None:
        self._say, self._zone = language, zone
        self._page = language.section("page")

    def _brand(self, brand: Brand) -> dict[str, Any]:
        logo = None
        if brand.logo_kind is not None and brand.logo_base64 is not None:
            from pipeline.rules.branding import to_svg

            logo = to_svg(brand.logo_kind, base64.b64decode(brand.logo_base64))
        return {
            "vendor": brand.vendor_name,
            "footer": brand.footer,
            "logo": Raw(logo) if logo is not None else None,
            "logo_place": Raw(brand.logo_place),
            "primary": Raw(brand.primary_colour),
            "accent": Raw(brand.accent_colour),
        }

    def _say_sources(self, sources: Iterable[SourceStatus]) -> list[str]:
        say = self._say
        return [
            say.say("nothing_known", source=source.source)
            if source.known_until is None
            else say.say(
                "known_until_lagging" if source.is_lagging else "known_until",
                source=source.source,
                instant=say.instant(source.known_until, self._zone),
            )
            for source in sources
        ]

    def _rate_heads(self, names: Sequence[str], previous_month: str, month_a_year_ago: str) -> list[str]:
        say, page = self._say, self._page
        return [
            *names,
            page["compliance"],
            f"± {say.short_month(previous_month)} {previous_month[:4]}",
            f"± {say.short_month(month_a_year_ago)} {month_a_year_ago[:4]}",
            page["status"],
        ]

    def _headline(self, total: Tally, of_month: str, submitted_count: int | None = None) -> str:
        """What came of the month, in a sentence or two; `submitted_count` None: it is not told."""
        say = self._say
        month = say.month(of_month)
        told = []
        if submitted_count == 0:
            told.append(say.say("none_submitted", month=month))
        if not total.counted:
            told.append(say.say("nothing_settled", month=month))
        elif total.breached or total.undecided or total.met < 2:
            # "All were met" would be more than is known while some are undecided.
            told.append(say.count("headline_some", total.met, counted=say.whole(total.counted), month=month))
            if total.breached:
                told.append(say.count("breached_count", total.breached))
        else:
            told.append(say.say("headline_met", met=say.whole(total.met), month=month))
        if total.undecided:
            told.append(say.count("undecided_more", total.undecided))
        return " ".join(told)

    def _beside(self, total: Tally, running: int) -> str:
        """What is counted beside the rate."""
        return self._say.say(
            "beside",
            running=running,
            waived=total.waived,
            not_covered=total.not_covered,
            not_measurable=total.not_measurable,
        )

    def _produced(self, build: BuildStatus) -> str:
        return self._say.say(
            "produced",
            instant=self._say.instant(build.as_of, self._zone),
            build=build.build_id,
            tzdata=build.tzdata_version,
            holidays=build.holidays_version,
        )

    def _levels(self, levels: Sequence[int]) -> str:
        return self._say.say(
            "severity" if len(levels) == 1 else "severities", levels=figures.level_range(tuple(levels))
        )

    def _rate(self, ratio: Ratio) -> list[str]:
        return [unbroken(figures.percent_alone(ratio, self._say)), figures.parts(ratio, language=self._say)]

    def _change(self, now: Ratio, before: Ratio) -> list[str]:
        change = figures.signed_points(now, before, self._say)
        earlier = (
            unbroken(figures.percent_alone(before, self._say)) if before.denominator or before.bounds else ""
        )
        return [change if change is not None else "–", *([earlier] if earlier else [])]

    def _status(self, tally: Tally, running: int) -> dict[str, Any]:
        say = self._say
        if tally.breached:
            shape, word = "breached", say.count("status_breached", tally.breached)
        elif tally.undecided:
            shape, word = "undecided", say.count("status_undecided", tally.undecided)
        elif tally.counted:
            shape, word = "met", say.say("status_met")
        else:
            shape, word = "nothing", say.say("status_nothing")
        more = [
            *([say.count("status_undecided", tally.undecided)] if tally.breached and tally.undecided else []),
            *([say.say("more_running", count=running)] if running else []),
            *([say.say("more_waived", count=tally.waived)] if tally.waived else []),
        ]
        return {"shape": Raw(shape), "word": word, "more": ", ".join(more)}

    def _trend(self, trend: Sequence[TrendPoint], annotations: Sequence[Annotation]) -> dict[str, Any]:
        """The months and the dated notes; a month names its notes by their numbers."""
        say, page = self._say, self._page
        points = []
        marks: dict[str, list[str]] = {}
        for number, each in enumerate(annotations, 1):
            marks.setdefault(each.month, []).append(str(number))
        told = [
            say.say("dated_note", number=number, day=say.day(each.noted_on), note=each.note)
            for number, each in enumerate(annotations, 1)
        ]
        for point in trend:
            tally, ratio = point.tally, point.tally.compliance
            label = say.short_month(point.month)
            kind = "nothing"
            if ratio.has_only_bounds:
                kind = "bounds"
            elif ratio.value is not None:
                kind = "rate"
            bounds = ratio.bounds
            points.append({
                "label": f"{label}*" if point.is_partial else label,
                "year": point.month[:4] if point.month.endswith("-01") or point is trend[0] else "",
                "kind": Raw(kind),
                "rate": 0 if ratio.value is None else float(ratio.value * 100),
                "lower": 100 * bounds.lower / bounds.of if bounds else 0,
                "upper": 100 * bounds.upper / bounds.of if bounds else 0,
                "text": "" if kind == "nothing" else figures.percent_alone(ratio, say).removesuffix(" %"),
                "met": tally.met,
                "breached": tally.breached,
                "undecided": tally.undecided,
                "counts": (f"{tally.met}/{tally.counted}" + (f" +{tally.undecided}" if tally.undecided else ""))
                if tally.bounded
                else page["none"],
                "is_partial": point.is_partial,
                "marks": ", ".join(marks.get(point.month, ())),
            })  # fmt: skip
        notes = [page["trend_note"]]
        if any(point.tally.undecided for point in trend):
            notes.append(page["trend_undecided"])
        if any(point.is_partial for point in trend):
            notes.append(page["trend_partial"])
        return {
            "points": points,
            "highest": max([1, *(point.tally.bounded for point in trend)]),
            "has_undecided": any(point.tally.undecided for point in trend),
            "alt": " ".join(
                (
                    say.say(
                        "trend",
                        months="; ".join(
                            say.say(
                                "trend_month",
                                month=say.month(point.month),
                                figure=figures.percent(point.tally.compliance, say),
                            )
                            for point in trend
                        ),
                    ),
                    *told,
                )
            ),
            "note": " ".join(notes),
            "dated": told,
        }

    def _table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Any]],
        empty: str,
        attached: str | None,
        longest: int | None = None,
    ) -> dict[str, Any]:
        """A table without the columns that hold nothing, cut where it is too long to read."""
        held = [
            place
            for place, column in enumerate(columns)
            if column.is_kept or any(_is_something(row[place]) for row in rows)
        ]
        shown = rows[: longest or MAXIMUM_ROWS]
        cut = len(rows) - len(shown)
        # Long ids share the width with the others; without this, they would leave none to them.
        widths = [
            column.width
            or (0 if max((_longest(row[place]) for row in shown), default=0) <= LONGEST_ALONE else 1)
            for place, column in enumerate(columns)
        ]
        return {
            "columns": [
                {
                    "head": columns[place].head,
                    "width": widths[place],
                    "align": columns[place].align,
                    "strong": columns[place].is_strong,
                }
                for place in held
            ],
            "rows": [[_cell(row[place]) for place in held] for row in shown],
            "empty": empty,
            "cut": self._say.say(
                "cut",
                shown=self._say.whole(len(shown)),
                count=self._say.whole(len(rows)),
                cut=self._say.whole(cut),
                file=attached,
            )
            if cut and attached
            else None,
        }


def list_texts(content: Any) -> Iterable[str]:
    """Every text of the content that is printed."""
    if isinstance(content, str):
        if not isinstance(content, Raw):
            yield content
    elif isinstance(content, Mapping):
        for item in content.values():
            yield from list_texts(item)
    elif isinstance(content, list | tuple):
        for item in content:
            yield from list_texts(item)


def _cell(value: Any) -> list[Cell]:
    lines = value if isinstance(value, list) else [value]
    return [Cell(line) for line in lines]


def _is_something(value: Any) -> bool:
    return any(line not in _NOTHING for line in (value if isinstance(value, list) else [value]))


def _longest(value: Any) -> int:
    return max(measure_word(line) for line in (value if isinstance(value, list) else [value]))


def cut_head(name: str) -> str:
    """A name as the head of a page has room for it."""
    return name if len(name) <= MAXIMUM_HEAD_LENGTH else f"{name[:MAXIMUM_HEAD_LENGTH]}…"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def unbroken(figure: str) -> str:
    """A figure that the end of a line never parts from its unit."""
    return figure.replace(" ", "\u00a0")
