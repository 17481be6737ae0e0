"""Figures of a study, and the file that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from genimage_core.evaluation.select import fingerprint
from genimage_core.metrics.classification import Estimate, accuracy
from genimage_core.results.measured import Point, Study
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.versions import versions

if TYPE_CHECKING:
    import pandas as pd

    from genimage_core.studies.runner import Lab


def point(series: str, label: str, figure: Estimate) -> Point:
    """An estimate as a study's point, in percent."""
    return Point(
        series=series,
        label=label,
        value=round(100 * figure.value, 2),
        low=round(100 * figure.low, 2),
        high=round(100 * figure.high, 2),
        n=figure.n,
    )


def accuracy_point(rows: pd.DataFrame, series: str, label: str) -> Point:
    """Accuracy at .5 over rows with `label` and `p_fake`."""
    return point(series, label, accuracy(rows["label"].to_numpy(), rows["p_fake"].to_numpy()))


def write_study(
    lab: Lab,
    study: str,
    title: str,
    description: str,
    points: Sequence[Point],
    weights: Mapping[str, str],
) -> None:
    """Write `studies/<study>.json` with what the figures depend on; other series on the same data stay."""
    found = Study(
        study=study,
        title=title,
        description=description,
        command=lab.command,
        manifest={
            "data_sha256": fingerprint(lab.records()),
            "weights_sha256": dict(weights),
            "seed": lab.seed,
            "steps": lab.steps,
            "limit": lab.limit,
            "versions": versions(),
        },
        points=tuple(points),
    )
    out = lab.out / "studies" / f"{study}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        found = with_others(found, Study.model_validate_json(out.read_bytes()))
    text = found.model_dump_json(indent=1) + "\n"
    fill_text(out, text)
    lab.report(f"{out}: {len(found.points)} figures")


def with_others(new: Study, old: Study) -> Study:
    """A study, and behind it the series that only `old` has, if both are of the same data.

    What the kept series depend on stands in the manifest under `kept`, by the command that measured them.
    """
    series = {point.series for point in new.points}
    kept = tuple(point for point in old.points if point.series not in series)
    if not kept or old.manifest.get("data_sha256") != new.manifest["data_sha256"]:
        return new
    before = dict(old.manifest)
    earlier = before.pop("kept", {}) | {old.command: before}
    earlier.pop(new.command, None)
    return new.model_copy(update={"points": new.points + kept, "manifest": new.manifest | {"kept": earlier}})
