"""Plotly figures of an audit, and of accuracies with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from genimage_core.datasets.audit.result import Makeup, Probe
from genimage_core.metrics.classification import Estimate

# Blue and orange stand for photograph and AI-generated elsewhere on the pages, so these charts avoid them.
_PROTOCOL_STYLES = (("#7A4E9C", "circle"), ("#1F8A70", "diamond"), ("#8A8F94", "square"))
_FORMAT_COLOURS = ("#0B4F4A", "#2A8077", "#5DAFA3", "#9AD0C5", "#D3ECE6")
_OTHER_COLOUR = "#9AA0A6"
MOST_FORMATS = len(_FORMAT_COLOURS)
_MARGIN = {"l": 0, "r": 8, "t": 10, "b": 0}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}


def probe_chart(series: Mapping[str, Sequence[Probe]]) -> go.Figure:
    """AUROC of guessing the label from facts of the file alone, with 95 % intervals.

    Args:
        series: data protocol -> its probes, one a family of facts; those without a figure are left out.
    """
    figure = go.Figure()
    for i, (name, probes) in enumerate(series.items()):
        found = [p for p in probes if p.auroc is not None and p.low is not None and p.high is not None]
        colour, symbol = _PROTOCOL_STYLES[i % len(_PROTOCOL_STYLES)]
        values = [p.auroc or 0.0 for p in found]
        figure.add_scatter(
            x=values,
            y=[p.family for p in found],
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(p.high or 0.0) - v for p, v in zip(found, values, strict=True)],
                "arrayminus": [v - (p.low or 0.0) for p, v in zip(found, values, strict=True)],
                "color": colour,
            },
            customdata=[f"{p.low:.3f} to {p.high:.3f}, n = {p.n_fake} + {p.n_real}" for p in found],
            hovertemplate="<b>%{y}</b>: %{x:.3f} (%{customdata})<extra>" + name + "</extra>",
        )
    figure.add_vline(x=0.5, line={"color": "gray", "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0.4, 1.02], fixedrange=True, tickformat=".1f", title="AUROC; .5 is chance")
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ")
    figure.update_layout(height=290, margin=_MARGIN, legend=_LEGEND, scattermode="group")
    return figure


def format_chart(makeup: Sequence[Makeup], names: Mapping[str, str]) -> go.Figure:
    """Share of each file format in the two classes, as stacked bars.

    Args:
        makeup: of one generator and split, or of several; a class's files are added up.
        names: `ai` and `nature` -> how the class is called.
    """
    totals: dict[str, dict[str, int]] = {label: {} for label in names}
    for one in makeup:
        for name, n in one.formats.items():
            totals[one.label][name] = totals[one.label].get(name, 0) + n
    everything: dict[str, int] = {}
    for counts in totals.values():
        for name, n in counts.items():
            everything[name] = everything.get(name, 0) + n
    shown = sorted(everything, key=lambda name: (-everything[name], name))[:MOST_FORMATS]
    figure = go.Figure()
    for i, name in enumerate([*shown, "other"]):
        shares = []
        for label in names:
            n = sum(totals[label].values())
            part = (
                totals[label].get(name, 0)
                if name != "other"
                else n - sum(totals[label].get(s, 0) for s in shown)
            )
            shares.append(100 * part / n if n else 0.0)
        if any(shares):
            colour = _OTHER_COLOUR if name == "other" else _FORMAT_COLOURS[i]
            figure.add_bar(
                y=list(names.values()),
                x=shares,
                name=name,
                orientation="h",
                marker={"color": colour},
                hovertemplate="%{y}: %{x:.1f} % " + name + "<extra></extra>",
            )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ")
    legend = {**_LEGEND, "traceorder": "normal"}
    figure.update_layout(barmode="stack", height=200, margin=_MARGIN, legend=legend, bargap=0.3)
    return figure


def accuracy_intervals(found: Mapping[str, Estimate]) -> go.Figure:
    """Accuracies as dots with their 95 % intervals, the first on top.

    Args:
        found: name -> a share in [0, 1].
    """
    values = [100 * e.value for e in found.values()]
    colours = [_PROTOCOL_STYLES[0][0], *[_OTHER_COLOUR] * (len(values) - 1)]
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=list(found),
            mode="markers+text",
            text=[f"{v:.0f} %" for v in values],
            textposition="top center",
            marker={"size": 12, "color": colours, "symbol": ["diamond", *["circle"] * (len(values) - 1)]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * e.high - v for e, v in zip(found.values(), values, strict=True)],
                "arrayminus": [v - 100 * e.low for e, v in zip(found.values(), values, strict=True)],
                "color": "#8A8F94",
            },
            customdata=[f"{100 * e.low:.0f} to {100 * e.high:.0f} %, n = {e.n}" for e in found.values()],
            hovertemplate="<b>%{y}</b>: %{x:.0f} % (%{customdata})<extra></extra>",
        )
    )
    figure.add_vline(x=50, line={"color": "gray", "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0, 104], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ")
    figure.update_layout(height=80 + 44 * len(values), margin=_MARGIN, showlegend=False)
    return figure
