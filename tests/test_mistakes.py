"""The worst mistakes, the browsing of records, and the figures of the data-set page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.audit_result import Makeup, Probe
from genimage_core.datasets.browse import counts, leaf, pages, select
from genimage_core.errors import EvaluationError
from genimage_core.evaluation.metrics import Estimate
from genimage_core.evaluation.mistakes import read_scores, scored_sets, set_title, worst_mistakes
from genimage_core.figures_audit import accuracy_intervals, format_chart, probe_chart

ROWS = pd.DataFrame(
    {
        "image_id": list("abcdef"),
        "generator": "g",
        "label": [0, 0, 0, 1, 1, 1],
        "p_fake": [0.2, 0.9, 0.95, 0.5, 0.1, 0.8],
    }
)


def test_mistakes_are_ranked_by_how_far_they_are_off() -> None:
    alarms, misses = worst_mistakes(ROWS)
    assert alarms["image_id"].tolist() == ["c", "b"]
    assert misses["image_id"].tolist() == ["e", "d"]
    assert [len(part) for part in worst_mistakes(ROWS, 1)] == [1, 1]


def test_tables_are_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    ROWS.assign(p_fake=[None, *ROWS["p_fake"][1:]]).to_csv(tmp_path / "one" / "spec.csv", index=False)
    assert scored_sets(tmp_path) == {"one": ["spec"]}
    assert len(read_scores("one", "spec", tmp_path)) == 5
    ROWS.drop(columns="label").to_csv(tmp_path / "one" / "bad.csv", index=False)
    for detector, words in (("none", "no such table"), ("bad", "lacks label")):
        with pytest.raises(EvaluationError, match=words):
            read_scores("one", detector, tmp_path)


def test_a_set_is_called_by_its_tables_title(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"title": "Held-out images"}')
    (tmp_path / "two.json").write_text("[]")
    assert [set_title(name, tmp_path) for name in ("one", "two", "three")] == [
        "Held-out images",
        "two",
        "three",
    ]


def test_the_bundled_scores_hold_mistakes_of_each_detector() -> None:
    for name, detectors in scored_sets().items():
        for detector in detectors[:1]:
            assert len(read_scores(name, detector)) > 0


def test_records_are_counted_and_cut_into_pages(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    table = counts(records)
    assert table[["ai", "nature"]].to_numpy().sum() == len(records)
    assert table.iloc[0].tolist() == ["alpha", "train", 12, 12]
    chosen = select(records, generators=["beta"], splits=["val"], labels=[1])
    assert len(chosen) == 6
    assert all(r.generator == "beta" and r.label == 1 for r in chosen)
    assert len(select(records)) == len(records)
    cut = [r for page in range(pages(len(records), 7)) for r in leaf(records, page, 7)]
    assert cut == records
    assert pages(0, 7) == 1


def probe(family: str, auroc: float | None) -> Probe:
    low, high = (None, None) if auroc is None else (auroc - 0.1, auroc + 0.05)
    return Probe(
        protocol="raw", split="val", generator="g", family=family, n_fake=5, n_real=5,
        auroc=auroc, low=low, high=high,
    )  # fmt: skip


def test_the_probe_chart_shows_values_and_intervals() -> None:
    trace = probe_chart({"raw": [probe("size", 0.9), probe("colour", None)]}).data[0]
    assert list(trace.x) == [0.9]
    assert trace.error_x.array[0] == pytest.approx(0.05)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)


def test_the_format_chart_adds_up_to_the_whole() -> None:
    formats = {f"JPEG {q}": q for q in range(60, 70)}
    makeup = [
        Makeup(generator=g, split="val", label=label, n=1, formats=formats, sizes={}, bytes_per_pixel=1)
        for g in "ab"
        for label in ("ai", "nature")
    ]
    figure = format_chart(makeup, {"ai": "AI", "nature": "Real"})
    assert [sum(bar.x[i] for bar in figure.data) for i in (0, 1)] == pytest.approx([100, 100])
    assert figure.data[-1].name == "other"


def test_the_accuracy_chart_marks_the_first() -> None:
    trace = accuracy_intervals({"You": Estimate(0.5, 0.25, 0.75, 12), "Spec": Estimate(1, 0.7, 1, 12)}).data[
        0
    ]
    assert list(trace.x) == [50, 100]
    assert list(trace.error_x.array) == [25, 0]
    assert list(trace.marker.symbol) == ["diamond", "circle"]
