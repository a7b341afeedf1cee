"""The section `branding` of sla.yml: what it may say, and the exact message for what it may not."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.branding import (
    LARGEST_LOGO_BYTES,
    Look,
    contrast_with_white,
    flatten_looks,
    to_svg,
)
from pipeline.rules.load_rules import fingerprint_rules
from pipeline.rules.load_sources import load_sources
from pipeline.settings import Workspace

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><rect width="4" height="2" fill="#123456"/></svg>'


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = b"".join(b"\0" + b"\x20\x40\x80\xff" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def read(folder: Path, branding: str, **logos: bytes) -> tuple[Look, ...]:
    (folder / "branding").mkdir(exist_ok=True)
    for name, content in logos.items():
        (folder / "branding" / name.replace("_", ".")).write_bytes(content)
    (folder / "sla.yml").write_text(f"sources: {{}}\n{branding}", encoding="utf-8")
    return load_sources(folder / "sla.yml").looks


def refuse(folder: Path, branding: str, **logos: bytes) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(folder, branding, **logos)
    [problem] = refused.value.problems
    return str(problem).removeprefix(str(folder) + "/")


@pytest.mark.parametrize("branding", ["", "branding: {}\n", "branding:\n"])
def test_reports_have_a_plain_look_without_branding(tmp_path: Path, branding: str) -> None:
    [look] = read(tmp_path, branding)
    assert look == Look(None, None, None, None, None, "paper", "#1f3a5f", "#2b6cb0")
    assert min(contrast_with_white(colour) for colour in (look.primary_colour, look.accent_colour)) >= 4.5


def test_a_customer_has_the_vendors_look_where_it_has_none_of_its_own(tmp_path: Path) -> None:
    vendor, acme = read(
        tmp_path,
        "branding:\n"
        "  vendor_name: Harbour\n"
        "  logo: logo.svg\n"
        "  logo_place: band\n"
        "  footer: Harbour Ltd\n"
        "  customers:\n"
        '    acme: {primary_colour: "#102030", logo: own.png}\n',
        logo_svg=SVG,
        own_png=png(),
    )
    assert vendor.logo is not None and (vendor.logo.kind, vendor.logo.content) == ("svg", SVG)
    assert acme.logo is not None and acme.logo.kind == "png"
    # A logo of its own is dark unless it is said to be light.
    assert (acme.vendor_name, acme.footer, acme.primary_colour, acme.logo_place) == (
        "Harbour", "Harbour Ltd", "#102030", "paper",
    )  # fmt: skip
    rows = flatten_looks((vendor, acme))["brands"].to_pylist()
    assert [row["customer_id"] for row in rows] == [None, "acme"]


def test_contrast_is_that_of_the_web_guidelines() -> None:
    assert contrast_with_white("#000000") == 21
    assert contrast_with_white("#ffffff") == 1
    # Their own examples of grey, on both sides of 4.5 and of 3.
    assert contrast_with_white("#767676") > 4.5 > contrast_with_white("#777777")
    assert contrast_with_white("#949494") > 3 > contrast_with_white("#959595")


@pytest.mark.parametrize(("key", "enough"), [("primary_colour", "#767676"), ("accent_colour", "#949494")])
def test_a_colour_of_just_enough_contrast_is_taken(tmp_path: Path, key: str, enough: str) -> None:
    [look] = read(tmp_path, f'branding: {{{key}: "{enough.upper()}"}}\n')
    assert getattr(look, key) == enough


@pytest.mark.parametrize(
    ("branding", "told"),
    [
        ('primary_colour: "#777777"',
         "sla.yml:3: branding.primary_colour: '#777777' has a contrast of 4.47 to 1 with white; text needs 4.5 to 1. "
         "Choose a darker colour."),
        ('accent_colour: "#959595"',
         "sla.yml:3: branding.accent_colour: '#959595' has a contrast of 2.99 to 1 with white; a mark of a chart needs 3 to 1. "
         "Choose a darker colour."),
        ("primary_colour: blue",
         "sla.yml:3: branding.primary_colour: 'blue' is not a colour. Write it like \"#1f4e79\", in quotation marks."),
        ("logo: none.svg",
         "sla.yml:3: branding.logo: there is no file branding/none.svg that can be read. Put an SVG or PNG file there."),
        ("logo: ../sla.yml",
         "sla.yml:3: branding.logo: '../sla.yml' lies outside the folder branding/. Put the file into branding/."),
        ("logo_place: top",
         "sla.yml:3: branding.logo_place: 'top' is not known here. Known: band, paper."),
        ("color: red",
         "sla.yml:3: branding.color: this key is not known here. Known: accent_colour, customers, footer, logo, logo_place, "
         "primary_colour, sender, vendor_name."),
    ],
)  # fmt: skip
def test_branding_is_refused_with_place_reason_and_hint(tmp_path: Path, branding: str, told: str) -> None:
    assert refuse(tmp_path, f"branding:\n  {branding}\n") == told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a", "it is neither an SVG nor a PNG file"),
        (png()[:30], ""),
        (b"<svg", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "it loads or runs something"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'/>", "it loads or runs something"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://x.invalid/a.png'/></svg>", "it loads or runs something"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", "it loads or runs something"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><text>Acme</text></svg>", "it has text in a font; convert the text to paths"),
        (b"\xff<svg/>", "it is not UTF-8"),
    ],
)  # fmt: skip
def test_a_logo_that_cannot_be_printed_is_refused_before_any_report(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    told = refuse(tmp_path, "branding: {logo: logo.bin}\n", logo_bin=content)
    assert told.startswith("sla.yml:2: branding.logo: branding/logo.bin cannot be printed: ")
    assert reason in told and told.endswith("Export it again as plain SVG or PNG.")


def test_a_logo_may_be_as_large_as_stated_and_no_larger(tmp_path: Path) -> None:
    filled = SVG + b" " * (LARGEST_LOGO_BYTES - len(SVG))
    assert read(tmp_path, "branding: {logo: logo.svg}\n", logo_svg=filled)[0].logo is not None
    assert "is larger than 300 kB" in refuse(tmp_path, "branding: {logo: logo.svg}\n", logo_svg=filled + b" ")


def test_a_png_is_printed_as_the_one_image_of_an_svg() -> None:
    assert to_svg("png", png(7, 5)).startswith(
        '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"><image '
    )


def test_another_logo_is_another_set_of_rules(tmp_path: Path) -> None:
    read(tmp_path, "branding: {logo: logo.svg}\n", logo_svg=SVG)
    before = fingerprint_rules(Workspace(tmp_path))
    (tmp_path / "branding" / "logo.svg").write_bytes(SVG.replace(b"123456", b"654321"))
    assert fingerprint_rules(Workspace(tmp_path)) != before
