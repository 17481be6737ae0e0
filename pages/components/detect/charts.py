"""Evidence as charts that follow the page's light or dark scheme."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from genimage_core.verdict.labels import LABEL_STYLES

if TYPE_CHECKING:
    from genimage_core.explain import Evidence

REAL, UNSURE, FAKE = (LABEL_STYLES[label].colour for label in ("real", "unsure", "fake"))
SCALE = [[0.0, REAL], [0.5, UNSURE], [1.0, FAKE]]
KEPT = {"spectrum": ("spectrum", "difference")}
"""Pictures that stay beside a kind's chart; of the other kinds with charts none does."""
_NO_CHART = ("attribution",)  # its finding is a sentence; the test behind it stands on Studies


def figures(found: "Evidence", titles: dict[str, str]) -> dict[str, go.Figure] | None:
    """Return a kind's charts by their alternative text; None for a kind that is all pictures.

    Args:
        found: the evidence.
        titles: detector name -> title.
    """
    if found.kind in _NO_CHART:
        return {}
    makers = {
        "robustness": _robustness,
        "score_context": _score_context,
        "gram_distance": _gram_distance,
        "spectrum": _profile,
    }
    maker = makers.get(found.kind)
    return None if maker is None else maker(found, titles)


def _plain(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 30, "b": 10}, showlegend=False)


def _robustness(found: "Evidence", titles: dict[str, str]) -> dict[str, go.Figure]:
    versions = found.data["degradations"]
    names = list(next(iter(versions.values()))["detectors"])
    rows = [[v["p_fake"] for v in versions.values()]]
    rows += [[v["detectors"][name] for v in versions.values()] for name in names]
    marks = [[name in v["flips"] for v in versions.values()] for name in names]
    marks.insert(0, [version in found.data["verdict_changes"] for version in versions])
    text = [
        ["" if p is None else f"{p:.2f}{' ⚠' if mark else ''}" for p, mark in zip(row, some, strict=True)]
        for row, some in zip(rows, marks, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            x=list(versions),
            y=["All together", *(titles.get(name, name) for name in names)],
            text=text,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale=SCALE,
            showscale=False,
            hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(side="top")
    return {f"Scores as the picture is and under six kinds of damage. {found.finding}": _plain(figure, 420)}


def _score_context(found: "Evidence", titles: dict[str, str]) -> dict[str, go.Figure]:
    from genimage_core.results.image_scores import NOT_PHOTO_WORDS, PHOTOGRAPHS

    charts = {}
    for name, facts in found.data.items():
        figure = go.Figure()
        for group, count in facts["n"].items():
            figure.add_box(
                x=found.arrays[f"{name}/{group}"],
                name=f"{group} ({count})",
                boxpoints="all",
                jitter=0.6,
                pointpos=0,
                marker={
                    "size": 3,
                    "opacity": 0.5,
                    "color": REAL if group in (PHOTOGRAPHS, NOT_PHOTO_WORDS) else FAKE,
                },
                line={"width": 1},
                fillcolor="rgba(0,0,0,0)",
                orientation="h",
            )
        figure.add_vline(x=facts["p_fake"], line_width=3, line_color=UNSURE, annotation_text="this picture")
        figure.update_yaxes(autorange="reversed")
        figure.update_xaxes(range=[-0.02, 1.02], title=f"{titles.get(name, name)}: score")
        charts[found.alts[name]] = _plain(figure, 120 + 34 * len(facts["n"]))
    return charts


def _gram_distance(found: "Evidence", titles: dict[str, str]) -> dict[str, go.Figure]:
    depths = found.data["by_depth"]
    figure = go.Figure(go.Bar(x=list(depths.values()), y=list(depths), orientation="h", marker_color=UNSURE))
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title="standard deviations from photographs")
    return {found.finding: _plain(figure, 320)}


def _profile(found: "Evidence", titles: dict[str, str]) -> dict[str, go.Figure]:
    from genimage_core.explain.reference_stats import spectrum_reference

    reference, own = spectrum_reference(), found.arrays["profile"]
    x = np.linspace(0, 1, len(own))
    figure = go.Figure()
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=x, y=reference.real_low, **band)
    filled = {"fill": "tonexty", "fillcolor": "rgba(47,134,193,.3)"}
    figure.add_scatter(x=x, y=reference.real_high, **filled, **band)
    figure.add_scatter(x=x, y=own, mode="lines", line={"color": FAKE, "width": 2}, name="this picture")
    figure.update_xaxes(title="coarse … fine")
    figure.update_yaxes(title="power (log)")
    words = "Power against fineness: this picture (line) and 9 in 10 photographs (band)."
    return {f"{words} {found.finding}": _plain(figure, 340)}
