"""Plotly charts of figures worked out elsewhere. Text from data is escaped, because Plotly reads HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally, TrendPoint
from pipeline.reporting.entitlements import Balance
from pipeline.reporting.tickets import Segment

# Distinguishable with any colour vision, and at least 3 : 1 on the light and the dark background. Each line
# also has a marker of its own, so that colour is never the only sign.
PALETTE = ("#0072B2", "#D55E00", "#00875F", "#A65FA6", "#A87400", "#6E7781", "#B24A63")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon")
MAXIMUM_LINES = len(PALETTE)
MAXIMUM_BALANCES = 30

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

_PANELS_IN_A_ROW = 3
_MUTED = "rgba(128, 136, 146, 0.28)"
_SEGMENT_COLOURS = {"counted": PALETTE[0], "paused": PALETTE[4], "closed": PALETTE[5], "holiday": PALETTE[3]}


@dataclass(frozen=True)
class Line:
    """One line of a trend: a tally per month. `panel` puts it into a chart of its own."""

    panel: str
    name: str
    tallies: Mapping[str, Tally]

    @property
    def counted(self) -> int:
        """What its figures rest on, with what is undecided."""
        return sum(tally.bounded for tally in self.tallies.values())


def draw_trend(months: Sequence[TrendPoint], lines: Sequence[Line]) -> go.Figure:
    """Compliance by month. Nothing counted is a gap, never 0 %; a month that still runs is shaded. What has only bounds is a grey
    span beside the lines: it has no colour and no point of its own."""
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
                y=[figures.decimal_ratio(tally.compliance) for tally in tallies],
                customdata=[[figures.percent(tally.compliance), tally.pending] for tally in tallies],
                name=html.escape(line.name),
                legendgroup=line.name,
                showlegend=not any(each.name == html.escape(line.name) for each in figure.data),
                mode="lines+markers",
                line={"color": PALETTE[place % len(PALETTE)], "width": 2},
                marker={
                    "symbol": MARKERS[place % len(MARKERS)],
                    "size": [_marker_size(tally) for tally in tallies],
                },
                hovertemplate="%{x}: %{customdata[0]}, %{customdata[1]} running",
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
            annotation={"text": "partial", "font_size": 11, "textangle": -90},
            annotation_position="inside bottom left",
        )
    figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.05], zeroline=False)
    # As categories, so that months stand at equal distances and none is guessed from a date.
    figure.update_xaxes(type="category", range=[-0.5, len(labels) - 0.5], tickangle=-60, nticks=len(labels))
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
    for panel in panels:
        at: list[str | None] = []
        ends: list[float | None] = []
        told: list[str] = []
        for line in lines:
            for month in labels if line.panel == panel else ():
                compliance = line.tallies.get(month, Tally()).compliance
                bounds = figures.decimal_bounds(compliance)
                if bounds is not None and compliance.has_only_bounds:
                    at += [month, month, None]
                    ends += [*bounds, None]
                    told += [f"{line.name}: {figures.percent(compliance)}"] * 3
        if at:
            row, column = divmod(list(panels).index(panel), _PANELS_IN_A_ROW)
            figure.add_trace(
                go.Scatter(
                    x=at,
                    y=ends,
                    customdata=[html.escape(text) for text in told],
                    name="only bounds",
                    legendgroup="only bounds",
                    showlegend=not any(each.name == "only bounds" for each in figure.data),
                    mode="lines+markers",
                    line={"color": PALETTE[5], "width": 3, "dash": "dot"},
                    marker={"symbol": "line-ew-open", "size": 12},
                    hovertemplate="%{x}: %{customdata}<extra></extra>",
                ),
                row=row + 1,
                col=column + 1,
            )


def _marker_size(tally: Tally) -> int:
    """Pixels: one of two met weighs less than a hundred of two hundred, and should look so."""
    return 6 + min(isqrt(tally.counted), 8)


def draw_balances(balances: Sequence[Balance]) -> go.Figure:
    """A bar of what was drawn inside a wider one of what was available, per term and pool; without a number there is none."""
    names = [
        f"{balance.customer_name} · {figures.words(balance.pool)} · {balance.term_starts_on}"
        for balance in balances
    ]
    labels = [html.escape(name) for name in names]
    figure = go.Figure()
    figure.add_bar(
        y=labels,
        x=[balance.available_quantity or 0 for balance in balances],
        orientation="h",
        name="available",
        width=0.78,
        marker={"color": _MUTED},
        hovertemplate="%{x} available: granted, purchased and carried over, less expired",
    )
    figure.add_bar(
        y=labels,
        x=[balance.consumed_quantity for balance in balances],
        orientation="h",
        name="drawn",
        width=0.4,
        marker={
            "color": [PALETTE[1] if balance.overage_quantity else PALETTE[0] for balance in balances],
            "pattern": {"shape": ["/" if balance.overage_quantity else "" for balance in balances]},
        },
        text=[_say_balance(balance) for balance in balances],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x} drawn: used and flowed in, less credited and flowed out",
    )
    figure.update_layout(
        barmode="overlay",
        height=110 + 34 * len(balances),
        margin={"l": 10, "r": 120, "t": 40, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(rangemode="tozero", title="tickets", tickformat="d")
    return figure


def _say_balance(balance: Balance) -> str:
    if balance.overage_quantity:
        return f"{balance.overage_quantity} over"
    return f"{figures.quantity(balance.remaining_quantity)} left"


def draw_segments(segments: Sequence[Segment]) -> go.Figure:
    """The wall time of one obligation as bands: what counted, and what was skipped for which reason."""
    figure = go.Figure()
    for kind, colour in _SEGMENT_COLOURS.items():
        of_kind = [segment for segment in segments if segment.segment_kind == kind]
        if of_kind:
            figure.add_bar(
                y=[kind] * len(of_kind),
                base=[segment.starts_at for segment in of_kind],
                x=[
                    1000 * segment.wall_seconds for segment in of_kind
                ],  # a time axis takes lengths in milliseconds
                orientation="h",
                marker={"color": colour, "line_width": 0},
                width=0.55,
                name=kind,
                customdata=[[figures.duration(segment.wall_seconds)] for segment in of_kind],
                hovertemplate="%{customdata[0]} " + kind,
            )
    figure.update_layout(
        barmode="overlay", height=210, showlegend=False, margin={"l": 10, "r": 10, "t": 10, "b": 10}
    )
    figure.update_xaxes(type="date", title="UTC")
    return figure
