"""The colours of documents and pages: one file, and enough contrast for text and for marks in each theme."""

from __future__ import annotations

import tomllib

import pytest

from dashboards import charts
from dashboards.serve import HERE
from pipeline.reporting.palette import read_palette
from pipeline.reporting.typeset import TEMPLATES

# How Streamlit draws a caption: the colour of text at this opacity.
CAPTION_OPACITY = 0.6
PALETTE = read_palette()


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def blend(colour: str, background: str, opacity: float) -> str:
    pairs = ((int(colour[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(opacity * ink + (1 - opacity) * paper):02X}" for ink, paper in pairs)


def test_marks_stand_out_from_paper_and_from_the_background_of_each_theme() -> None:
    for background in (PALETTE.document["paper"], PALETTE.light["background"], PALETTE.dark["background"]):
        for colour in PALETTE.marks:
            assert contrast(colour, background) >= 3, (colour, background)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_and_captions_of_pages_stand_out_from_each_background(name: str) -> None:
    theme = getattr(PALETTE, name)
    for background in (theme["background"], theme["second_background"]):
        assert contrast(theme["ink"], background) >= 4.5
        assert contrast(theme["text"], background) >= 4.5
        assert contrast(blend(theme["text"], background, CAPTION_OPACITY), background) >= 4.5
        assert contrast(theme["primary"], background) >= 3
    assert contrast(theme["primary"], "#FFFFFF") >= 4.5


def test_text_of_documents_stands_out_from_paper_and_tint() -> None:
    for colour in ("ink", "soft", "warning"):
        for background in ("paper", "tint"):
            assert contrast(PALETTE.document[colour], PALETTE.document[background]) >= 4.5, (
                colour,
                background,
            )


def test_pages_and_documents_have_the_colours_of_the_file() -> None:
    theme = tomllib.loads((HERE / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    assert tuple(theme["chartCategoricalColors"]) == PALETTE.marks == charts.PALETTE
    for name in ("light", "dark"):
        told = getattr(PALETTE, name)
        assert charts.INK[name] == told["ink"]
        assert (theme[name]["backgroundColor"], theme[name]["secondaryBackgroundColor"]) == (
            told["background"],
            told["second_background"],
        )
        assert (theme[name]["textColor"], theme[name]["primaryColor"]) == (told["text"], told["primary"])
    # A template has no colour of its own.
    assert [
        path.name for path in TEMPLATES.glob("*.typ") if 'rgb("#' in path.read_text(encoding="utf-8")
    ] == []
