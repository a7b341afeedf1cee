"""Plotly charts of figures worked out elsewhere. Text from data is escaped, because Plotly reads HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isqrt
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards.language import current, say, section
from pipeline.reporting import figures
from pipeline.reporting.backlog import BacklogLevel
from pipeline.reporting.compliance import Tally, TrendPoint
from pipeline.reporting.distribution import TENTHS_OF_TARGET, AnswerTimes
from pipeline.reporting.entitlements import Balance, Forecast, Movement
from pipeline.reporting.palette import read_palette
from pipeline.reporting.tickets import Obligation, Segment
from pipeline.vocabulary import SLA_STATUSES

# Each line also has a marker of its own, so that colour is never the only sign.
PALETTE = read_palette().marks
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon")
MAXIMUM_LINES = len(PALETTE)
MAXIMUM_BALANCES = 30

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

# Text of axes and legends.
INK = {"light": read_palette().light["ink"], "dark": read_palette().dark["ink"]}

# A trend is a line through at least so many rates.
FEWEST_POINTS = 3

# So that stacked parts are distinguishable without their colours.
_HATCHES = ("", "/", "\\", "x", "-", "|", "+")
_PANELS_IN_A_ROW = 3
# What a rate and its bounds are made of.
_RESTED_ON = ("met", "breached", "not_measurable")
_BAND = "rgba(213, 94, 0, 0.18)"
_MUTED = "rgba(128, 136, 146, 0.28)"
_SEGMENT_COLOURS = {"counted": PALETTE[0], "paused": PALETTE[4], "closed": PALETTE[5], "holiday": PALETTE[3]}


@dataclass(frozen=True)
class Line:
    """One line of a trend: a tally per month. `panel` puts it into a chart of its own; `key` is handed back by a click."""

    panel: str
    name: str
    tallies: Mapping[str, Tally]
    key: str = ""

    @property
    def counted(self) -> int:
        """What its figures rest on, with what is undecided."""
        return sum(tally.bounded for tally in self.tallies.values())

    @property
    def is_readable(self) -> bool:
        """Whether enough months have a rate, and not only a few tickets, for a line to say something."""
        rates = (each.compliance for each in self.tallies.values())
        return sum(bool(rate.denominator) and not figures.has_few(rate) for rate in rates) >= FEWEST_POINTS


def draw_trend(months: Sequence[TrendPoint], lines: Sequence[Line]) -> go.Figure:
    """Compliance by month. Nothing counted and few tickets are a gap, never 0 % or 100 %; a month that still runs is shaded. What
    has only bounds is a grey span beside the lines: it has no colour and no point of its own."""
    panels = list(dict.fromkeys(line.panel for line in lines))
    names = sorted({line.name for line in lines})
    columns = min(len(panels), _PANELS_IN_A_ROW)
    rows = -(-len(panels) // _PANELS_IN_A_ROW)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[html.escape(panel) for panel in panels] if panels != [""] else None,
        horizontal_spacing=0.035,
        vertical_spacing=0.22 / rows,
    )
    labels = [month.month for month in months]
    for line in lines:
        row, column = divmod(panels.index(line.panel), _PANELS_IN_A_ROW)
        place = names.index(line.name)
        tallies = [line.tallies.get(month, Tally()) for month in labels]
        figure.add_trace(
            go.Scatter(
                x=labels,
                y=[_point(tally) for tally in tallies],
                customdata=[
                    [figures.percent(tally.compliance, current()), tally.pending, line.key]
                    for tally in tallies
                ],
                name=html.escape(line.name),
                legendgroup=line.name,
                showlegend=not any(each.name == html.escape(line.name) for each in figure.data),
                mode="lines+markers",
                line={"color": PALETTE[place % len(PALETTE)], "width": 2},
                marker={
                    "symbol": MARKERS[place % len(MARKERS)],
                    "size": [_marker_size(tally) for tally in tallies],
                    # Marks of different sizes are translucent by default, and too faint on a dark page.
                    "opacity": 1,
                },
                hovertemplate=say("charts.trend_hover"),
            ),
            row=row + 1,
            col=column + 1,
        )
    _add_bounds(figure, labels, lines, panels)
    for partial in (month.month for month in months if month.is_partial):
        figure.add_vrect(
            x0=labels.index(partial) - 0.5,
            x1=labels.index(partial) + 0.5,
            fillcolor=_MUTED,
            line_width=0,
            layer="below",
            annotation={"text": say("charts.partial"), "font_size": 11, "textangle": -90},
            annotation_position="inside bottom left",
        )
    figure.update_yaxes(range=[-0.03, 1.05], zeroline=False, **_percent_ticks())
    # As categories, so that months stand at equal distances and none is guessed from a date.
    figure.update_xaxes(
        type="category", range=[-0.5, len(labels) - 0.5], tickangle=-60, **_month_ticks(labels)
    )
    figure.update_layout(
        height=110 + 250 * rows,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        hovermode="closest",
    )
    if panels != [""]:
        figure.update_layout(margin_t=80, legend_y=1.12)
    return figure


def _add_bounds(
    figure: go.Figure, labels: Sequence[str], lines: Sequence[Line], panels: Sequence[str]
) -> None:
    """One trace a panel: a span from the lower to the upper bound for each month and line that has nothing better."""
    only_bounds = say("charts.only_bounds")
    for panel in panels:
        at: list[str | None] = []
        ends: list[float | None] = []
        told: list[list[str | None]] = []
        for line in lines:
            for month in labels if line.panel == panel else ():
                compliance = line.tallies.get(month, Tally()).compliance
                bounds = figures.decimal_bounds(compliance)
                if bounds is not None and compliance.has_only_bounds and not figures.has_few(compliance):
                    at += [month, month, None]
                    ends += [*bounds, None]
                    told += [
                        [
                            html.escape(f"{line.name}: {figures.percent(compliance, current())}"),
                            None,
                            line.key,
                        ]
                    ] * 3
        if at:
            row, column = divmod(list(panels).index(panel), _PANELS_IN_A_ROW)
            figure.add_trace(
                go.Scatter(
                    x=at,
                    y=ends,
                    customdata=told,
                    name=only_bounds,
                    legendgroup="only bounds",
                    showlegend=not any(each.legendgroup == "only bounds" for each in figure.data),
                    mode="lines+markers",
                    line={"color": PALETTE[5], "width": 3, "dash": "dot"},
                    marker={"symbol": "line-ew-open", "size": 12},
                    hovertemplate="%{x}: %{customdata[0]}<extra></extra>",
                ),
                row=row + 1,
                col=column + 1,
            )


def _point(tally: Tally) -> float | None:
    return None if figures.has_few(tally.compliance) else figures.decimal_ratio(tally.compliance)


def statuses_of(point: Mapping[str, Any]) -> list[str]:
    """The statuses that a clicked point or bar of a chart of months counts."""
    told = [each for each in point.get("customdata") or () if each in SLA_STATUSES]
    return told or list(_RESTED_ON)


def draw_overview(
    months: Sequence[TrendPoint], ink: str, notes: Mapping[str, str] | None = None
) -> go.Figure:
    """One line of compliance above bars of what was counted; a month that still runs is hatched. A month of few tickets has no
    point: its bar says how many there were. `notes`: month -> the mark of its notes, drawn above it."""
    labels = [month.month for month in months]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.58, 0.42], vertical_spacing=0.06)
    figure.add_scatter(
        x=labels,
        y=[_point(month.tally) for month in months],
        customdata=[[figures.percent(month.tally.compliance, current()), *_RESTED_ON] for month in months],
        name=say("charts.compliance"),
        mode="lines+markers",
        line={"color": PALETTE[0], "width": 2},
        marker={
            "size": 9,
            "symbol": ["circle-open" if month.is_partial else "circle" for month in months],
        },
        hovertemplate="%{x}: %{customdata[0]}<extra></extra>",
        row=1,
        col=1,
    )
    _add_bounds(
        figure, labels, [Line("", say("charts.all"), {month.month: month.tally for month in months})], [""]
    )
    for status, colour, values in (
        ("met", PALETTE[0], [month.tally.met for month in months]),
        ("breached", PALETTE[1], [month.tally.breached for month in months]),
        ("not_measurable", PALETTE[5], [month.tally.not_measurable for month in months]),
    ):
        if status == "not_measurable" and not any(values):
            continue
        name = current().status(status)
        figure.add_bar(
            x=labels,
            y=values,
            name=name,
            customdata=[[None, status] for _ in months],
            marker={
                "color": colour,
                # A hatch in the colour itself, for a month that can still grow.
                "pattern": {
                    "shape": ["/" if month.is_partial else "" for month in months],
                    "fillmode": "replace",
                    "fgcolor": colour,
                },
                "line": {"color": colour, "width": 1},
            },
            hovertemplate="%{x}: %{y} " + name + "<extra></extra>",
            row=2,
            col=1,
        )
    for month, mark in (notes or {}).items():
        if month in labels:
            figure.add_vline(
                x=labels.index(month), line={"color": ink, "width": 1, "dash": "dot"}, layer="below"
            )
            figure.add_annotation(
                x=labels.index(month),
                y=1,
                yref="paper",
                text=html.escape(mark),
                showarrow=False,
                yanchor="bottom",
            )
    figure.update_yaxes(range=[-0.03, 1.06], zeroline=False, row=1, col=1, **_percent_ticks())
    figure.update_yaxes(tickformat="d", rangemode="tozero", title=say("charts.promises"), row=2, col=1)
    figure.update_xaxes(type="category", range=[-0.5, len(labels) - 0.5], **_month_ticks(labels))
    figure.update_layout(
        barmode="stack",
        height=380 if notes else 360,
        margin={"l": 10, "r": 10, "t": 50 if notes else 30, "b": 10},
        # Above the marks of notes.
        legend={
            "orientation": "h",
            "y": 1.08 if notes else 1.02,
            "yanchor": "bottom",
            "x": 1,
            "xanchor": "right",
        },
        hovermode="closest",
    )
    return with_ink(figure, ink)


def draw_classes(names: Sequence[str], keys: Sequence[str], counts: Sequence[int], ink: str) -> go.Figure:
    """A bar per class of breaches, labelled with its count. `keys` are handed back by a click."""
    figure = go.Figure()
    figure.add_bar(
        y=[html.escape(name) for name in names],
        x=list(counts),
        customdata=list(keys),
        orientation="h",
        marker={"color": PALETTE[1]},
        text=list(counts),
        textposition="outside",
        textfont={"color": ink},
        cliponaxis=False,
        hovertemplate=say("charts.class_hover"),
    )
    figure.update_layout(height=60 + 34 * len(names), margin={"l": 10, "r": 40, "t": 10, "b": 10})
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(rangemode="tozero", tickformat="d")
    return with_ink(figure, ink)


def draw_backlog(
    days: Sequence[date], levels: Sequence[BacklogLevel], names: Mapping[str, str], ink: str
) -> go.Figure:
    """Stacked bars of what is open at the end of each day. `names`: value of a level -> what it is called, in the order drawn."""
    figure = go.Figure()
    known = {(each.value, each.day): each.open_count for each in levels}
    values: list[str | None] = [*names, *([None] if any(value is None for value, _ in known) else [])]
    for place, value in enumerate(values):
        counts = [known.get((value, day), 0) for day in days]
        if not any(counts):
            continue
        name = say("charts.unknown") if value is None else names[value]
        figure.add_bar(
            x=list(days),
            y=counts,
            name=html.escape(name),
            marker={
                "color": PALETTE[place % len(PALETTE)],
                "line_width": 0,
                "pattern": {"shape": _HATCHES[place % len(_HATCHES)], "fillmode": "overlay", "size": 5},
            },
            hovertemplate=f"%{{x|{_day_format()}}}: %{{y}} {html.escape(name)}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.1,
        height=330,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 1,
            "xanchor": "right",
            "traceorder": "normal",
        },
        showlegend=True,
    )
    figure.update_yaxes(rangemode="tozero", tickformat="d", title=say("charts.open_tickets"))
    figure.update_xaxes(type="date", tickformat=_day_format())
    return with_ink(figure, ink)


def draw_histogram(times: Sequence[AnswerTimes], ink: str) -> go.Figure:
    """Bars of how many answers took which tenth of their target, a colour per promise, with a line at the target. A click hands
    back the promise and the statuses that such an answer can have."""
    figure = go.Figure()
    tenths = range(TENTHS_OF_TARGET)
    labels = [*(f"{10 * tenth}–{10 * tenth + 10} %" for tenth in tenths[:-1]), say("charts.over_twice")]
    for place, promise in enumerate(sorted({each.obligation for each in times})):
        own = [each.bins for each in times if each.obligation == promise]
        figure.add_bar(
            x=labels,
            y=[sum(bins[tenth] for bins in own) for tenth in tenths],
            name=html.escape(current().word(promise)),
            customdata=[[promise, "met" if tenth < 10 else "breached,waived"] for tenth in tenths],
            marker={
                "color": PALETTE[place % len(PALETTE)],
                "line_width": 0,
                "pattern": {"shape": _HATCHES[place % len(_HATCHES)], "fillmode": "overlay", "size": 5},
            },
            hovertemplate=say("charts.histogram_hover"),
        )
    figure.add_vline(x=9.5, line={"color": ink, "width": 2, "dash": "dash"})
    figure.add_annotation(
        x=9.5, y=1, yref="paper", text=say("charts.target"), showarrow=False, xanchor="left", xshift=4
    )
    figure.update_layout(
        barmode="stack",
        height=300,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        showlegend=True,
    )
    figure.update_yaxes(rangemode="tozero", tickformat="d", title=say("charts.answers"))
    figure.update_xaxes(type="category", tickangle=-60)
    return with_ink(figure, ink)


def draw_heat_map(names: Sequence[str], rows: Sequence[Sequence[int]], what: str, ink: str) -> go.Figure:
    """A cell per weekday and hour, darker with more, with its number inside."""
    highest = max(max(row) for row in rows)
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in rows],
            x=[f"{hour:02d}" for hour in range(len(rows[0]))],
            y=list(names),
            colorscale=[[0, "rgba(0, 114, 178, 0.06)"], [1, PALETTE[0]]],
            zmin=0,
            zmax=max(highest, 1),
            xgap=1,
            ygap=1,
            showscale=False,
            hovertemplate="%{y} %{x}:00: %{z} " + html.escape(what) + "<extra></extra>",
        )
    )
    figure.update_layout(height=270, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(type="category", title=say("charts.hour"))
    with_ink(figure, ink)
    # All at once: one after the other, Plotly reads those before again each time. White on the dark half of the scale.
    numbers = [
        {
            "x": f"{hour:02d}",
            "y": weekday,
            "text": str(count),
            "showarrow": False,
            "font": {"size": 11, "color": "#FFFFFF" if 2 * count > highest else ink},
        }
        for weekday, row in zip(names, rows, strict=True)
        for hour, count in enumerate(row)
        if count
    ]
    figure.update_layout(annotations=numbers)
    return figure


def with_ink(figure: go.Figure, ink: str) -> go.Figure:
    """The figure with all of its text in one colour, one of `INK`."""
    figure.update_xaxes(tickfont={"color": ink}, title_font={"color": ink})
    figure.update_yaxes(tickfont={"color": ink}, title_font={"color": ink})
    figure.update_layout(legend={"font": {"color": ink}}, font={"color": ink})
    figure.update_annotations(font_color=ink)
    return figure


def _marker_size(tally: Tally) -> int:
    """Pixels: one of two met weighs less than a hundred of two hundred, and should look so."""
    return 6 + min(isqrt(tally.counted), 8)


def draw_balances(balances: Sequence[Balance]) -> go.Figure:
    """A bar of what was drawn inside a wider one of what was available, per term and pool; without a number there is none."""
    names = [
        f"{balance.customer_name} · {current().word(balance.pool)} · {current().day(balance.term_starts_on)}"
        for balance in balances
    ]
    labels = [html.escape(name) for name in names]
    figure = go.Figure()
    figure.add_bar(
        y=labels,
        x=[balance.available_quantity or 0 for balance in balances],
        orientation="h",
        name=say("charts.available"),
        width=0.78,
        marker={"color": _MUTED},
        hovertemplate=say("charts.available_hover"),
    )
    figure.add_bar(
        y=labels,
        x=[balance.consumed_quantity for balance in balances],
        orientation="h",
        name=say("charts.drawn"),
        width=0.4,
        marker={
            "color": [PALETTE[1] if balance.overage_quantity else PALETTE[0] for balance in balances],
            "pattern": {"shape": ["/" if balance.overage_quantity else "" for balance in balances]},
        },
        text=[_say_balance(balance) for balance in balances],
        textposition="outside",
        cliponaxis=False,
        hovertemplate=say("charts.drawn_hover"),
    )
    figure.update_layout(
        barmode="overlay",
        height=110 + 34 * len(balances),
        margin={"l": 10, "r": 120, "t": 40, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(rangemode="tozero", title=say("charts.tickets"), tickformat="d")
    return figure


def _say_balance(balance: Balance) -> str:
    if balance.overage_quantity:
        return say("charts.over", number=balance.overage_quantity)
    return say("charts.quantity_left", quantity=figures.quantity(balance.remaining_quantity))


def draw_burn_down(
    balance: Balance, lines: Sequence[Movement], forecast: Forecast | None, ink: str
) -> go.Figure:
    """What was left of a limited pool over its term, beside an even pace from what it had available to nothing, with the forecast
    of what is left when the term ends."""
    told = [line for line in lines if line.balance_after is not None]
    left_hover = f"%{{x|{_day_format()}}}: %{{y}} {say('charts.left')}<extra></extra>"
    figure = go.Figure()
    figure.add_scatter(
        x=[*(line.happened_at for line in told), balance.as_of],
        y=[*(line.balance_after for line in told), balance.remaining_quantity],
        name=say("charts.left"),
        mode="lines",
        line={"color": PALETTE[0], "width": 2, "shape": "hv"},
        hovertemplate=left_hover,
    )
    figure.add_scatter(
        x=[balance.term_starts_on, balance.term_ends_on],
        y=[balance.available_quantity, 0],
        name=say("charts.even_pace"),
        mode="lines",
        line={"color": PALETTE[5], "width": 2, "dash": "dash"},
        hovertemplate=f"%{{x|{_day_format()}}}: {say('charts.even_pace')}<extra></extra>",
    )
    likely = forecast.left_at_end if forecast else None
    if likely:
        low, mid, high = likely
        ends, now = [balance.as_of, balance.term_ends_on], balance.remaining_quantity
        figure.add_scatter(
            x=[*ends, *reversed(ends)],
            y=[now, high, low, now],
            name=say("charts.forecast_range"),
            mode="lines",
            fill="toself",
            fillcolor=_BAND,
            line={"color": PALETTE[1], "width": 1, "dash": "dot"},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=ends,
            y=[now, mid],
            name=say("charts.forecast"),
            mode="lines+markers",
            line={"color": PALETTE[1], "width": 2, "dash": "dot"},
            marker={"symbol": "diamond", "size": [0, 9]},
            hovertemplate=left_hover,
        )
    figure.update_layout(
        height=300,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        showlegend=True,
    )
    figure.update_yaxes(rangemode="tozero", tickformat="d", title=say("charts.tickets_left"))
    figure.update_xaxes(type="date", tickformat=_day_format())
    return with_ink(figure, ink)


def draw_segments(segments: Sequence[Segment], obligation: Obligation, ink: str) -> go.Figure:
    """The wall time of one obligation as bands: what counted, and what was skipped for which reason; with when it was due and
    when it was answered, where that is known."""
    figure = go.Figure()
    kinds = []
    for kind, colour in _SEGMENT_COLOURS.items():
        of_kind = [segment for segment in segments if segment.segment_kind == kind]
        if not of_kind:
            continue
        name = section("segment_kinds")[kind]
        kinds.append(name)
        figure.add_bar(
            y=[name] * len(of_kind),
            base=[segment.starts_at for segment in of_kind],
            # A time axis takes lengths in milliseconds.
            x=[1000 * segment.wall_seconds for segment in of_kind],
            orientation="h",
            marker={"color": colour, "line_width": 0},
            width=0.6,
            name=name,
            customdata=[[figures.duration(segment.wall_seconds)] for segment in of_kind],
            hovertemplate="%{customdata[0]} " + name + "<extra></extra>",
        )
    ends = [kinds[0], kinds[-1]] if kinds else [section("segment_kinds")["counted"]] * 2
    # One name above the bands and one below: the two are often minutes apart.
    for name, moment, dash, symbol, place in (
        (say("charts.due"), obligation.due_at, "dash", "diamond", 0),
        (say("charts.answered"), obligation.stopped_at, "solid", "circle", 1),
    ):
        if moment is not None:
            figure.add_scatter(
                x=[moment, moment],
                y=ends,
                name=name,
                mode="lines+markers",
                cliponaxis=False,
                line={"color": ink, "width": 2, "dash": dash},
                marker={"color": ink, "size": 9, "symbol": symbol},
                hovertemplate=f"{name} {current().instant(moment, 'UTC')}<extra></extra>",
            )
            # Clear of the band, which is wider than the mark.
            figure.add_annotation(
                x=moment, y=ends[place], text=name, showarrow=False, yshift=-22 if place else 22
            )
    figure.update_layout(
        barmode="overlay",
        height=110 + 42 * max(len(kinds), 1),
        showlegend=False,
        # The name of the last mark is wider than half of the mark.
        margin={"l": 10, "r": 55, "t": 10, "b": 10},
    )
    figure.update_yaxes(range=[max(len(kinds), 1) - 0.1, -0.9], automargin=True, type="category")
    figure.update_xaxes(type="date", title="UTC", tickformat=f"%H:%M\n{_day_format()}")
    return with_ink(figure, ink)


def _percent_ticks() -> dict[str, Any]:
    """The quarters of a rate, as the language writes percent."""
    return {
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "ticktext": [current().say("percent", value=25 * quarter) for quarter in range(5)],
    }


def _month_ticks(months: Sequence[str]) -> dict[str, Any]:
    """Every month by its short name; the value stays 'YYYY-MM', which a click hands back."""
    return {
        "tickvals": list(months),
        "ticktext": [f"{current().short_month(month)} {month[:4]}" for month in months],
    }


def _day_format() -> str:
    """How an axis writes a day, in digits."""
    return section("charts")["day_format"]
