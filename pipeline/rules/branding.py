"""The section `branding` of `sla.yml`: how reports look, of the vendor and of single customers."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place
from pipeline.declarations.values import OneOf, Text
from pipeline.rules.tables import RuleTable, build_table

# Of WCAG 2.2: text, and marks that carry meaning. Black on white is 21 to 1.
TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0
LARGEST_LOGO_BYTES = 300_000
LOGO_PLACES = ("paper", "band")
PLAIN_PRIMARY, PLAIN_ACCENT = "#1f3a5f", "#2b6cb0"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PNG = b"\x89PNG\r\n\x1a\n"
# What an SVG may load or run; a report shows what stands in the file and nothing else.
_ACTIVE_SVG = re.compile(
    r"<!doctype|<!entity|<\?xml-stylesheet|<script|<foreignobject|@import|\bon[a-z]+\s*=|href\s*=\s*[\"']\s*(?!#|data:image/)",
    re.IGNORECASE,
)
# Its text would be set in a font that the reader of a report need not have.
_SVG_TEXT = re.compile(r"<(?:[a-z]+:)?text\b", re.IGNORECASE)


def contrast_with_white(colour: str) -> float:
    """The contrast of `#rrggbb` with white, from 1 to 21, as WCAG 2.2 defines it."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


def _colour(least: float, what: str) -> Any:
    """For `Annotated[Text, ...]`, unpacked: a colour that can be seen on white."""

    def check(value: str) -> str:
        if not _COLOUR.fullmatch(value):
            raise refused(f"{value!r} is not a colour.", 'Write it like "#1f4e79", in quotation marks.')
        contrast = contrast_with_white(value)
        if contrast < least:
            # Cut, not rounded: 4.49 must not read as enough.
            shown = int(contrast * 100) / 100
            raise refused(
                f"{value!r} has a contrast of {shown:.2f} to 1 with white; {what} needs {least:g} to 1.",
                "Choose a darker colour.",
            )
        return value.lower()

    return AfterValidator(check), Field(json_schema_extra={"pattern": _COLOUR.pattern})


class CustomerLook(Declared):
    """How reports look; what a line leaves out is as without it."""

    vendor_name: Text | None = None
    """Who reports, as the first page names it."""
    logo: Text | None = None
    """An SVG or PNG file below branding/."""
    logo_place: Annotated[str, OneOf(LOGO_PLACES)] | None = None
    """paper: on the white of the page; band: on the coloured band, for a light logo."""
    primary_colour: Annotated[Text, *_colour(TEXT_CONTRAST, "text")] | None = None
    """Of the band and of headings."""
    accent_colour: Annotated[Text, *_colour(MARK_CONTRAST, "a mark of a chart")] | None = None
    """Of the marks of charts."""
    footer: Text | None = None
    """The line at the foot of every page."""
    sender: Text | None = None
    """Whom to write to, as the report prints it."""


class Branding(CustomerLook):
    """How reports look, and in what those of single customers differ."""

    customers: dict[Text, CustomerLook] = {}
    """Customer id -> what is different in its reports."""


DEFAULT_BRANDING = Branding()


@dataclass(frozen=True)
class Logo:
    """The bytes of a logo's file, and what it is: svg or png."""

    kind: str
    content: bytes


@dataclass(frozen=True)
class Look:
    """How the reports of one customer look, all decided; `customer_id` None: of all others."""

    customer_id: str | None
    vendor_name: str | None
    sender: str | None
    footer: str | None
    logo: Logo | None
    logo_place: str
    primary_colour: str
    accent_colour: str


def read_looks(branding: Branding, place: Place, folder: Path) -> tuple[Look, ...]:
    """The vendor's look and that of each customer with an own one; what is wrong is reported. `folder`: where logos lie."""
    vendor = _read_look(None, branding, place, folder, None)
    return (
        vendor,
        *(
            _read_look(customer_id, look, place.at("customers", customer_id), folder, vendor)
            for customer_id, look in branding.customers.items()
        ),
    )


def _read_look(
    customer_id: str | None, look: CustomerLook, place: Place, folder: Path, vendor: Look | None
) -> Look:
    logo = _read_logo(look.logo, place, folder) if look.logo else vendor.logo if vendor else None
    # A logo of its own stands where it says, not where the vendor's logo stands.
    inherited_place = vendor.logo_place if vendor and not look.logo else "paper"
    return Look(
        customer_id=customer_id,
        vendor_name=look.vendor_name or (vendor.vendor_name if vendor else None),
        sender=look.sender or (vendor.sender if vendor else None),
        footer=look.footer or (vendor.footer if vendor else None),
        logo=logo,
        logo_place=look.logo_place or inherited_place,
        primary_colour=look.primary_colour or (vendor.primary_colour if vendor else PLAIN_PRIMARY),
        accent_colour=look.accent_colour or (vendor.accent_colour if vendor else PLAIN_ACCENT),
    )


def _read_logo(name: str, place: Place, folder: Path) -> Logo | None:
    path = folder / name
    if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
        place.report(["logo"], f"{name!r} lies outside the folder branding/.", "Put the file into branding/.")
        return None
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST_LOGO_BYTES else None
    except OSError:
        place.report(
            ["logo"], f"there is no file branding/{name} that can be read.", "Put an SVG or PNG file there."
        )
        return None
    if content is None:
        place.report(
            ["logo"],
            f"branding/{name} is larger than {LARGEST_LOGO_BYTES // 1000} kB, and every report would carry it.",
            "Save it smaller: an SVG, or a PNG of at most 800 pixels.",
        )
        return None
    kind = "png" if content.startswith(_PNG) else "svg" if b"<svg" in content else None
    wrong = "it is neither an SVG nor a PNG file" if kind is None else _explain_logo(kind, path, content)
    if wrong is not None or kind is None:
        place.report(
            ["logo"], f"branding/{name} cannot be printed: {wrong}.", "Export it again as plain SVG or PNG."
        )
        return None
    return Logo(kind, content)


def _explain_logo(kind: str, path: Path, content: bytes) -> str | None:
    """Why a report cannot show the picture; None where it can: it is printed once, under the standards of a report."""
    if kind == "svg":
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return "it is not UTF-8"
        if _ACTIVE_SVG.search(text):
            return "it loads or runs something beside the picture itself"
        if _SVG_TEXT.search(text):
            return "it has text in a font; convert the text to paths"
    import typst

    compile_page: Any = typst.compile
    # An image within an SVG is left out where it is damaged, so a PNG is also read as what it is.
    page = (
        '#set document(title: "logo", date: datetime(year: 2000, month: 1, day: 1))\n'
        '#image(bytes(sys.inputs.logo), format: "svg", height: 10mm, alt: "logo")\n'
        '#image("/" + sys.inputs.file, format: sys.inputs.kind, height: 10mm, alt: "logo")'
    )
    try:
        compile_page(
            page.encode(),
            root=str(path.parent),
            sys_inputs={"logo": to_svg(kind, content), "file": path.name, "kind": kind},
            ignore_system_fonts=True,
            pdf_standards=["a-3a", "ua-1"],
            timestamp=datetime(2000, 1, 1, tzinfo=UTC),
        )
    except (typst.TypstError, ValueError, struct.error) as problem:
        return str(getattr(problem, "message", problem)).splitlines()[0][:200].rstrip(".")
    return None


def to_svg(kind: str, content: bytes) -> str:
    """The picture as SVG text; a PNG becomes the one image of one. Raises struct.error for a PNG that is cut off."""
    if kind == "svg":
        return content.decode("utf-8-sig")
    width, height = struct.unpack(">II", content[16:24])
    encoded = base64.b64encode(content).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{encoded}"/></svg>'
    )


def flatten_looks(looks: tuple[Look, ...]) -> dict[str, RuleTable]:
    """The table `brands`: a row per look."""
    return {"brands": build_table("brands", _list_rows(looks))}


def _list_rows(looks: tuple[Look, ...]) -> Iterator[tuple[str | None, ...]]:
    for look in looks:
        encoded = base64.b64encode(look.logo.content).decode("ascii") if look.logo else None
        yield (
            look.customer_id,
            look.vendor_name,
            look.sender,
            look.footer,
            look.logo.kind if look.logo else None,
            encoded,
            look.logo_place,
            look.primary_colour,
            look.accent_colour,
        )
