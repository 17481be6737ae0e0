"""The images behind a cell: the right ones, the most wrong first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.audit.plots import accuracy_intervals, format_chart, probe_chart
from genimage_core.datasets.audit.result import Makeup, Probe
from genimage_core.datasets.scan import counts, leaf, pages, select
from genimage_core.metrics.classification import Estimate
from genimage_core.results.image_scores import (
    bundled_rows,
    cell_images,
    known_row,
    read_scores,
    scored_sets,
    set_title,
    worst_mistakes,
)
from genimage_core.results.measured import Cell, MeasuredTable
from genimage_core.utils.errors import EvaluationError

WEIGHTS = "0123456789abcdef" * 4


def rows(**more: object) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            ("sd_v1/val/ai/sure.png", "sd_v1", 1, "none", 0.95),
            ("sd_v1/val/ai/missed.png", "sd_v1", 1, "none", 0.05),
            ("sd_v1/val/nature/alarm.png", "sd_v1", 0, "none", 0.8),
            ("sd_v1/val/ai/broken.png", "sd_v1", 1, "none", float("nan")),
            ("sd_v1/val/ai/missed.png", "sd_v1", 1, "jpeg:65", 0.4),
            ("adm/val/ai/other.png", "adm", 1, "none", 0.3),
        ],
        columns=["image_id", "generator", "label", "degradation", "p_fake"],
    )
    return table.assign(**more)


def measured(**weights: str) -> MeasuredTable:
    cell = Cell(row="spec", column="SD V1.4", metric="accuracy", value=0.5, low=0.4, high=0.6, n=3)
    return MeasuredTable(
        table="task1_sd14",
        title="T",
        data_protocol="raw",
        preprocessing="tiles",
        data_sha256="d",
        weights=weights or {"spec": WEIGHTS},
        cells=(cell,),
    )


def test_a_generators_images_come_most_wrong_first() -> None:
    found = cell_images(rows(), "SD V1.4")  # the published name of the folder sd_v1
    assert [Path(name).stem for name in found["image_id"]] == ["missed", "alarm", "sure"]
    assert found["wrong"].tolist() == pytest.approx([0.95, 0.8, 0.05])


def test_a_conditions_images_are_of_all_generators() -> None:
    found = cell_images(rows(), "JPEG 65", by_degradation=True)
    assert found["image_id"].tolist() == ["sd_v1/val/ai/missed.png"]
    assert set(cell_images(rows(), "as is", by_degradation=True)["generator"]) == {"sd_v1", "adm"}


def test_bundled_scores_are_taken_for_the_same_weights_and_reading_alone(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    rows(weights=WEIGHTS[:16], preprocessing="tiles").to_csv(tmp_path / "some" / "spec.csv", index=False)
    found = bundled_rows(measured(), "spec", tmp_path)
    assert found is not None
    assert len(cell_images(found, "SD V1.4")) == 3
    assert bundled_rows(measured(spec="f" * 64), "spec", tmp_path) is None
    assert bundled_rows(measured(), "f3net", tmp_path) is None
    by_generator = measured(ldm=WEIGHTS)  # a row a training generator: its weights say whose scores they are
    (tmp_path / "some" / "spec.csv").rename(tmp_path / "some" / "resnet50.csv")
    (tmp_path / "some").rename(tmp_path / "sets")
    (tmp_path / "sets" / "matrix_ldm").mkdir()
    (tmp_path / "sets" / "resnet50.csv").rename(tmp_path / "sets" / "matrix_ldm" / "resnet50.csv")
    found = bundled_rows(by_generator, "ldm", tmp_path)
    assert found is not None
    assert len(found) == len(rows().dropna(subset="p_fake"))
    assert bundled_rows(by_generator, "dalle2", tmp_path) is None
    paper = by_generator.model_copy(update={"preprocessing": "resize"})
    assert bundled_rows(paper, "ldm", tmp_path) is None


def test_a_shown_row_is_known_by_its_title() -> None:
    assert known_row(measured(), ["Spec", "F3Net"]) == {"Spec": "spec"}


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
