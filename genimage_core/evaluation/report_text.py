"""A report as text for a terminal."""

from __future__ import annotations

from typing import Any

COLUMNS = {
    "accuracy": "accuracy (95 %)",
    "accuracy_calibrated": "calibrated",
    "accuracy_real": "on real",
    "accuracy_fake": "on fake",
    "auroc": "AUROC (95 %)",
    "average_precision": "AP",
    "eer": "EER",
    "tpr_at_fpr_1": "TPR@1%",
    "tpr_at_fpr_5": "TPR@5%",
    "ece": "ECE",
}
_WITH_INTERVAL = ("accuracy", "auroc")
_PARTS = (("pooled", "all images"), ("mean", "mean of generators"), ("weighted_mean", "weighted mean"))


def report_text(report: dict[str, Any]) -> str:
    """The report's main figures; intervals of all the others stand in the JSON."""
    plan, images = report["plan"], report["images"]
    lines = [
        f"{images['done']} of {images['planned']} images"
        + ("" if images["complete"] else ", not finished")
        + f"; {images['unreadable']} unreadable; protocol {plan['protocol']}, reading {plan['reading']},"
        f" split {plan['data']['split']}"
    ]
    for condition in plan["conditions"]:
        results = [r for r in report["results"] if r["condition"] == condition]
        lines += ["", f"condition: {condition}", *_table(results)]
        lines += [line for result in results for line in _real_only(result)]
        lines += [_pair(entry) for entry in report["paired"] if entry["condition"] == condition]
    return "\n".join(lines)


def _table(results: list[dict[str, Any]]) -> list[str]:
    rows = [["detector", "over", *COLUMNS.values(), "n"]]
    for result in results:
        for key, words in _PARTS:
            # The mean over one generator is that generator.
            if key in result and (key == "pooled" or len(result["averaged_over"]) > 1):
                rows.append([result["detector"], words, *_cells(result[key])])
        for generator, found in result["generators"].items():
            rows.append([result["detector"], generator, *_cells(found)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _cells(found: dict[str, Any]) -> list[str]:
    return [_cell(name, found.get(name)) for name in COLUMNS] + [str(found["accuracy"]["n"])]


def _cell(name: str, figure: dict[str, float] | None) -> str:
    if figure is None:
        return "-"
    value = f"{figure['value']:.3f}"
    return f"{value} ({figure['low']:.3f}-{figure['high']:.3f})" if name in _WITH_INTERVAL else value


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
