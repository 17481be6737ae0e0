"""From the rows of a run to its report: every figure comes from the rows alone, whenever it is asked for."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from genimage_core.detectors.weights.store import weights_entry
from genimage_core.evaluation.plan import Plan, read_plan
from genimage_core.evaluation.store import read_rows
from genimage_core.evaluation.summary import degradation_figures
from genimage_core.metrics.bootstrap import REPLICATES
from genimage_core.metrics.classification import mcnemar
from genimage_core.metrics.registry import Calibration, called_fake, metrics
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict.combine import load_combination

REPORT_FILE = "report.json"


def calibrations(plan: Plan) -> dict[str, Calibration]:
    """Detector -> (slope, intercept) of its log-odds.

    The bundled calibration belongs to the bundled weights: a detector that ran with others has none.
    """
    try:
        single = load_combination().single
    except WeightsError:
        return {}
    return {
        name: single[name]
        for name, used in plan.detectors.items()
        if single.get(name) and _is_bundled(name, used)
    }


def _is_bundled(name: str, used: str) -> bool:
    try:
        digests = [file.get("sha256", "") for file in weights_entry(name)["files"]]
    except WeightsError:
        return False
    # As `load_state` identifies weights.
    return used == (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def make_report(folder: Path) -> dict[str, Any]:
    """The report of a run folder, also of a run that is not finished; JSON-ready.

    Returns:
        - `plan`: of the run;
        - `images`: `planned`, `done`, `unreadable` (no score in any degradation), `complete`;
        - `errors`: what went wrong with each image that lacks scores;
        - `results`: one entry a degradation and detector, see `degradation_figures`;
        - `paired`: one entry a degradation and pair of detectors.

    Raises:
        EvaluationError: no run there, or it is damaged.
    """
    plan = read_plan(folder)
    rows = read_rows(folder)
    known, seed = calibrations(plan), plan.data.seed
    groups = {
        (str(degradation), str(name)): part
        for (degradation, name), part in rows.groupby(["degradation", "detector"], observed=True)
    }
    done = rows["image_id"].nunique()
    scored = rows.loc[rows["p_fake"].notna(), "image_id"].nunique()
    with_fakes = set(rows.loc[rows["label"] == 1, "generator"])
    pairable = {key: part[part["generator"].isin(with_fakes)] for key, part in groups.items()}
    return {
        "plan": plan.model_dump(mode="json"),
        "images": {
            "planned": plan.data.images,
            "done": done,
            "unreadable": done - scored,
            "complete": done == plan.data.images,
        },
        "errors": _errors(rows),
        "bootstrap": {"replicates": REPLICATES, "seed": seed},
        "results": [
            {"degradation": degradation, "detector": name, "weights": plan.detectors[name]}
            | ({"calibration": known[name]} if name in known else {})
            | degradation_figures(groups[degradation, name], known.get(name), seed)
            for degradation in plan.degradations
            for name in plan.detectors
            if (degradation, name) in groups
        ],
        "paired": [
            _paired(degradation, a, b, pairable)
            for degradation in plan.degradations
            for a, b in combinations(plan.detectors, 2)
            if (degradation, a) in groups and (degradation, b) in groups
        ],
    }


def write_report(folder: Path) -> dict[str, Any]:
    """Make the report and write it to `report.json` in the run folder."""
    report = make_report(folder)
    text = json.dumps(report, indent=1, allow_nan=False) + "\n"
    fill_text(folder / REPORT_FILE, text)
    return report


def _errors(rows: pd.DataFrame) -> list[dict[str, Any]]:
    bad = rows[rows["error"].notna()]
    return [
        {"image_id": str(image_id), "error": str(error), "rows": len(part)}
        for (image_id, error), part in bad.groupby(["image_id", "error"], observed=True)
    ]


def _paired(degradation: str, a: str, b: str, groups: dict[tuple[str, str], pd.DataFrame]) -> dict[str, Any]:
    """Accuracy at .5 of two detectors on the pooled images that both scored."""
    first, second = (
        groups[degradation, name].set_index("image_id")[["label", "p_fake"]].dropna(subset="p_fake")
        for name in (a, b)
    )
    both = first.join(second["p_fake"].rename("second"), how="inner")
    entry: dict[str, Any] = {"degradation": degradation, "first": a, "second": b, "n": len(both)}
    if len(both):
        fake = both["label"].to_numpy() == 1
        right = [called_fake(both[column].to_numpy()) == fake for column in ("p_fake", "second")]
        found = mcnemar(right[0], right[1])
        entry |= {
            "only_first_right": found.only_first,
            "only_second_right": found.only_second,
            "accuracy_difference": found.difference.as_dict(),
            "mcnemar_p": float(f"{found.p_value:.4g}"),
        }
    return entry


_PARTS = (("pooled", "all images"), ("mean", "mean of generators"), ("weighted_mean", "weighted mean"))


def report_text(report: dict[str, Any]) -> str:
    """The report's main figures; intervals of all the others stand in the JSON."""
    plan, images = report["plan"], report["images"]
    lines = [
        f"{images['done']} of {images['planned']} images"
        + ("" if images["complete"] else ", not finished")
        + f"; {images['unreadable']} unreadable; data protocol {plan['data_protocol']}, "
        f"preprocessing {plan['preprocessing']},"
        f" split {plan['data']['split']}"
    ]
    for degradation in plan["degradations"]:
        results = [r for r in report["results"] if r["degradation"] == degradation]
        lines += ["", f"degradation: {degradation}", *_table(results)]
        lines += [line for result in results for line in _real_only(result)]
        lines += [_pair(entry) for entry in report["paired"] if entry["degradation"] == degradation]
    return "\n".join(lines)


def _table(results: list[dict[str, Any]]) -> list[str]:
    rows = [["detector", "over", *(metric.column for metric in metrics().values()), "n"]]
    for result in results:
        for key, words in _PARTS:
            # The mean over one generator is that generator.
            if key in result and (key == "pooled" or len(result["averaged_over"]) > 1):
                rows.append([result["detector"], words + _one_class(result[key]), *_cells(result[key])])
        for generator, found in result["generators"].items():
            rows.append([result["detector"], generator + _one_class(found), *_cells(found)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _one_class(found: dict[str, Any]) -> str:
    """A mark for figures that rest on one class: they tell nothing of the other."""
    return " (fakes alone)" if found.get("n_real", 1) == 0 else ""


def _cells(found: dict[str, Any]) -> list[str]:
    return [_cell(name, found.get(name)) for name in metrics()] + [str(found["accuracy"]["n"])]


def _cell(name: str, figure: dict[str, float] | None) -> str:
    if figure is None:
        return "-"
    value = f"{figure['value']:.3f}"
    return f"{value} ({figure['low']:.3f}-{figure['high']:.3f})" if metrics()[name].interval else value


def _real_only(result: dict[str, Any]) -> list[str]:
    return [
        f"{result['detector']}: {100 * share['value']:.1f} % of {group} (no fakes there) called fake"
        f" ({100 * share['low']:.1f} to {100 * share['high']:.1f} %, n = {share['n']})"
        for group, found in result["real_only"].items()
        for share in [found["called_fake"]]
    ]


def _pair(entry: dict[str, Any]) -> str:
    names = f"{entry['first']} against {entry['second']}"
    if not entry["n"]:
        return f"{names}: no image that both scored"
    difference = entry["accuracy_difference"]
    return (
        f"{names}: accuracy {100 * difference['value']:+.1f} points"
        f" ({100 * difference['low']:+.1f} to {100 * difference['high']:+.1f}),"
        f" McNemar p = {entry['mcnemar_p']:.3g}, n = {entry['n']}"
    )
