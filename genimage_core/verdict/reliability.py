"""What the bundled combination was measured to be worth, read from assets/measured for people and plots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from genimage_core.utils.errors import WeightsError
from genimage_core.utils.paths import asset
from genimage_core.verdict.combine import load_combination

FOLDER = asset("measured")
SETS = ("scores", "band_scores")
_TITLES = {
    "wild": "In the wild, sources never seen",
    "eight": "Generators known from training",
    "held_out": "Further generators",
}
"""Name of a set of scores -> what a visitor reads."""
_ANSWERS = {
    "reals_called_fake": "photographs called AI-generated",
    "reals_unsure": "photographs answered “unsure”",
    "fakes_called_fake": "AI images called AI-generated",
    "fakes_unsure": "AI images answered “unsure”",
    "fakes_called_real": "AI images called photographs",
    "accuracy_on_answered": "right where an answer was given",
}
_STYLES = {"scores": ("#0072B2", "circle"), "band_scores": ("#D55E00", "square")}


@dataclass(frozen=True)
class VerdictFigures:
    """Figures of `calibrate`, as written.

    Attributes:
        data: the file's contents, see `genimage_core.evaluation.calibration.figures.measured`.
        stability: the contents of the `stability` command's file for the same set, or None.
    """

    data: dict[str, Any]
    stability: dict[str, Any] | None = None

    @property
    def sets(self) -> dict[str, dict[str, Any]]:
        """Title of a set of images -> its figures."""
        return {self.title(key): self.data["sets"][key] for key in SETS if key in self.data["sets"]}

    def title(self, key: str) -> str:
        """What a visitor reads for `scores` or `band_scores`."""
        name = str(self.data.get(key, key))
        return _TITLES.get(name, name)

    def rows(self) -> list[dict[str, str]]:
        """One row a figure: what it is, and its value on each set with 95 % interval and number of images."""
        wanted: list[tuple[str, str, str]] = [
            ("combination", "auroc", "AUROC of the combination"),
            ("combination", "ece", "calibration error (ECE) of the combination"),
            *(("answers", key, words) for key, words in _ANSWERS.items()),
        ]
        rows = []
        for part, key, words in wanted:
            row = {"figure": words}
            for title, figures in self.sets.items():
                if found := figures[part].get(key):
                    row[title] = figure_words(found, percent=part == "answers")
            rows.append(row)
        return [row for row in rows if len(row) > 1]

    def detector_rows(self) -> list[dict[str, str]]:
        """One row a detector: its calibration error before and after, on known generators."""
        return [
            {
                "detector": name,
                "ECE before": figure_words(each["scores"]["before"]["ece"]),
                "ECE after": figure_words(each["scores"]["after"]["ece"]),
            }
            for name, each in self.data["detectors"].items()
        ]

    def stability_words(self) -> str:
        """How many verdicts flip, in one sentence; "" where it was not measured."""
        if self.stability is None:
            return ""
        worst, figure = max(self.stability["each"].items(), key=lambda item: item[1]["value"])
        most = f"; the change that flips most is `{worst}`: {_percent(figure)}" if figure["value"] else ""
        return (
            f"Re-saved, resized, cropped or captured off a screen, {_percent(self.stability['any'])} of "
            f"the verdicts flip between “AI-generated” and “photograph” under some change{most}. An “unsure” "
            "on either side is no flip."
        )


@cache
def verdict_figures(folder: Path = FOLDER) -> VerdictFigures | None:
    """Figures of the bundled combination; None where they are missing or belong to another one."""
    try:
        how = load_combination()
        name = str(how.figures.get("file", ""))
        data = json.loads((folder / name).read_text(encoding="utf-8")) if name else None
    except (OSError, ValueError, WeightsError):
        return None
    if not isinstance(data, dict) or (data["band"]["low"], data["band"]["high"]) != (how.low, how.high):
        return None
    return VerdictFigures(data, _stability(folder / f"{data['scores']}_stability.json"))


def _stability(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def figure_words(figure: dict[str, float], *, percent: bool = False) -> str:
    """A figure with its 95 % interval and number of images, as text."""
    if percent:
        return _percent(figure)
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['n']})"


def _percent(figure: dict[str, float]) -> str:
    return f"{figure['value']:.1%} ({figure['low']:.1%} to {figure['high']:.1%}, n = {figure['n']})"


def reliability_diagram(figures: VerdictFigures) -> go.Figure:
    """Share of AI images against calibrated P(fake), one line a set of images, with 95 % intervals.

    On the diagonal a score of .8 means that 80 of 100 such images are AI images.
    """
    plot = go.Figure()
    diagonal = {"color": "#7F7F7F", "dash": "dot"}
    plot.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line=diagonal, name="perfect calibration", hoverinfo="skip"
    )
    for key in SETS:
        if key not in figures.data["sets"]:
            continue
        points = figures.data["sets"][key]["combination"]["reliability"]
        colour, symbol = _STYLES[key]
        plot.add_scatter(
            x=[point["p"] for point in points],
            y=[point["share"] for point in points],
            customdata=[point["n"] for point in points],
            error_y={
                "type": "data",
                "array": [point["high"] - point["share"] for point in points],
                "arrayminus": [point["share"] - point["low"] for point in points],
                "thickness": 1,
            },
            mode="lines+markers",
            line={"color": colour},
            marker={"symbol": symbol, "size": 8},
            name=figures.title(key),
            hovertemplate="score %{x:.2f}: %{y:.0%} AI images (n = %{customdata})<extra></extra>",
        )
    plot.update_layout(
        xaxis={"title": "combined score", "range": [0, 1]},
        yaxis={"title": "share of AI images", "range": [0, 1], "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.12},
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        height=420,
    )
    return plot
