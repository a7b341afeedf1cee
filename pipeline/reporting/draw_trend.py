"""Draws a customer's trend as a vector picture: rate above, counts below, one column per month."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pipeline.reporting import figures
from pipeline.reporting.compliance import TrendPoint

# Distinguishable in grey and by the common kinds of colour blindness; the breached part is hatched besides.
MET_COLOUR, BREACHED_COLOUR, INK, FAINT = "#2b6cb0", "#dd6b20", "#1f2933", "#9aa5b1"


def draw_trend(points: Sequence[TrendPoint]) -> str:
    """An SVG text, the same for the same points. A month without a verdict leaves a gap, never a zero."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    with matplotlib.rc_context({
        "svg.hashsalt": "sla", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 7.5,
        "hatch.linewidth": 0.6, "axes.edgecolor": FAINT, "text.color": INK, "axes.labelcolor": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.linewidth": 0.6,
    }):  # fmt: skip
        figure = Figure(figsize=(6.9, 2.75))
        upper, lower = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [1.25, 1], "hspace": 0.22}
        )
        places = range(len(points))
        rates = [
            float("nan")
            if point.tally.compliance.value is None
            else float(point.tally.compliance.value * 100)
            for point in points
        ]
        upper.plot(places, rates, color=MET_COLOUR, linewidth=1.3, zorder=2)
        for place, point, rate in zip(places, points, rates, strict=True):
            bounds = point.tally.compliance.bounds
            if bounds is not None and point.tally.compliance.has_only_bounds:
                # A span and no point: no line leads to a figure that could be another.
                ends = [100 * bounds.lower / bounds.of, 100 * bounds.upper / bounds.of]
                upper.plot([place, place], ends, color=FAINT, linewidth=4, solid_capstyle="butt", zorder=1)
                upper.annotate(
                    figures.percent_alone(point.tally.compliance).replace(" to ", "\nto "),
                    (place, sum(ends) / 2), ha="center", va="center", fontsize=6,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=4,
                )  # fmt: skip
            elif point.tally.counted:
                upper.plot(
                    [place], [rate], marker="o", markersize=4.5, color=MET_COLOUR, zorder=3,
                    markerfacecolor="white" if point.is_partial else MET_COLOUR,
                )  # fmt: skip
                below = rate > 88
                upper.annotate(
                    figures.percent_alone(point.tally.compliance), (place, rate), ha="center", fontsize=6.5,
                    xytext=(0, -7 if below else 6), textcoords="offset points",
                    va="top" if below else "bottom",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=4,
                )  # fmt: skip
        upper.set_ylim(0, 108)
        upper.set_yticks([0, 50, 100])
        upper.set_ylabel("compliance, %")
        with_verdict = [place for place in places if points[place].tally.counted]
        met = [points[place].tally.met for place in with_verdict]
        lower.bar(with_verdict, met, width=0.62, color=MET_COLOUR, label="met")
        # A bar of no height would still draw its edge over a month without any breach.
        late = [place for place in with_verdict if points[place].tally.breached]
        lower.bar(
            late, [points[place].tally.breached for place in late], width=0.62,
            bottom=[points[place].tally.met for place in late], facecolor="white", edgecolor=BREACHED_COLOUR,
            hatch="/////", linewidth=0.8, label="breached",
        )  # fmt: skip
        undecided = [place for place in places if points[place].tally.undecided]
        lower.bar(
            undecided, [points[place].tally.undecided for place in undecided], width=0.62,
            bottom=[points[place].tally.counted for place in undecided], facecolor="#eef1f4", edgecolor=FAINT,
            linewidth=0.8, label="undecided" if undecided else None,
        )  # fmt: skip
        for place, point in zip(places, points, strict=True):
            height = point.tally.bounded
            text = f"{point.tally.met}/{point.tally.counted}" if height else "none"
            if point.tally.undecided:
                text += f"\n+{point.tally.undecided}"
            lower.annotate(
                text, (place, height), ha="center", va="bottom", xytext=(0, 2),
                textcoords="offset points", fontsize=6.5, color=INK if height else FAINT,
            )  # fmt: skip
        lower.set_xlim(-0.6, len(points) - 0.4)
        highest = max([1, *(point.tally.bounded for point in points)])
        lower.set_ylim(0, highest * (1.5 if undecided else 1.28))
        lower.yaxis.get_major_locator().set_params(integer=True, nbins=3)
        lower.set_ylabel("met / counted")
        lower.set_xticks(list(places), [_label(point) for point in points])
        lower.legend(loc="upper left", frameon=False, ncols=3, fontsize=6.5, borderaxespad=0,
                     handlelength=1.6, bbox_to_anchor=(0, 1.22))  # fmt: skip
        for axes in (upper, lower):
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(length=0)
            axes.yaxis.grid(True, color="#e4e7eb", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.yaxis.set_label_coords(-0.055, 0.5)
        figure.subplots_adjust(left=0.085, right=0.995, top=0.985, bottom=0.13)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def describe_trend(points: Sequence[TrendPoint]) -> str:
    """The same in words, for a reader who cannot see the picture."""
    told = "; ".join(
        f"{figures.month_name(point.month)} {figures.percent(point.tally.compliance)}" for point in points
    )
    return f"Compliance per month, with obligations met of those counted: {told}."


def _label(point: TrendPoint) -> str:
    name = figures.month_name(point.month)
    label = f"{name[:3]}\n{point.month[:4]}" if point.month.endswith("-01") else name[:3]
    return f"{label}*" if point.is_partial else label
