"""The study in the wild as a heatmap: detectors down, families of generators across, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genimage_core.results.plots import accuracy_heatmap
from genimage_core.results.wild import Figure, Wild, WildRow

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

METRICS = {"auroc": "AUROC against photographs", "caught": "Caught, where 2 % of photographs pass"}
ALL, OTHERS = "all fakes", "neither"


def wild_figure(wild: Wild, metric: str, degradation: str, titles: Mapping[str, str]) -> go.Figure:
    """Heatmap in percent of one metric of `METRICS` under one degradation.

    Args:
        wild: the study.
        metric: `auroc` or `caught`.
        degradation: one of the study's.
        titles: detector -> the name that is shown.
    """
    import pandas as pd

    rows = [row for row in wild.rows if row.degradation == degradation]
    names = [titles.get(row.detector, row.detector) for row in rows]
    columns = {f"{name}<br>{wild.families[name][0]}": name for name in wild.families}
    cells = [_families(row, metric) for row in rows]
    values = pd.DataFrame(
        [[100 * c[f].value if f in c else float("nan") for f in columns.values()] for c in cells],
        index=names,
        columns=list(columns),
    )
    details = pd.DataFrame(
        [[_text(c[f]) if f in c else "" for f in columns.values()] for c in cells],
        index=names,
        columns=list(columns),
    )
    sums = pd.DataFrame(
        {
            ALL: [100 * _all(row, metric).value for row in rows],
            OTHERS: [100 * _others(row, metric).value for row in rows],
        },
        index=names,
    )
    return accuracy_heatmap(values, sums, details=details)


def wild_frame(wild: Wild, metric: str, degradation: str, titles: Mapping[str, str]) -> pd.DataFrame:
    """The same as text, a row a detector, with intervals."""
    import pandas as pd

    rows = [row for row in wild.rows if row.degradation == degradation]
    table = [
        {ALL: _text(_all(row, metric)), OTHERS: _text(_others(row, metric))}
        | {name: _text(figure) for name, figure in _families(row, metric).items()}
        for row in rows
    ]
    index = pd.Index([titles.get(row.detector, row.detector) for row in rows], name="Detector")
    return pd.DataFrame(table, index=index).fillna("")


def _families(row: WildRow, metric: str) -> dict[str, Figure]:
    return row.families if metric == "auroc" else row.caught_families


def _all(row: WildRow, metric: str) -> Figure:
    return row.auroc if metric == "auroc" else row.caught


def _others(row: WildRow, metric: str) -> Figure:
    """AUROC of fakes against what is neither; or the share of it that passes, which should be low."""
    return row.auroc_neither if metric == "auroc" else row.neither_passing


def _text(figure: Figure) -> str:
    low, value, high = (100 * x for x in (figure.low, figure.value, figure.high))
    return f"{value:.0f} ({low:.0f} to {high:.0f}, n = {figure.n})"
