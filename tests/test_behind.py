"""The images behind a cell: the right ones, the most wrong first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from genimage_core.evaluation.behind import bundled_rows, images_behind, known_row
from genimage_core.measured import Cell, MeasuredTable

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
        columns=["image_id", "generator", "label", "condition", "p_fake"],
    )
    return table.assign(**more)


def measured(**weights: str) -> MeasuredTable:
    cell = Cell(row="spec", column="SD V1.4", metric="accuracy", value=0.5, low=0.4, high=0.6, n=3)
    return MeasuredTable(
        table="task1_sd14",
        title="T",
        protocol="raw",
        reading="native",
        data_sha256="d",
        weights=weights or {"spec": WEIGHTS},
        cells=(cell,),
    )


def test_a_generators_images_come_most_wrong_first() -> None:
    found = images_behind(rows(), "SD V1.4")  # the published name of the folder sd_v1
    assert [Path(name).stem for name in found["image_id"]] == ["missed", "alarm", "sure"]
    assert found["wrong"].tolist() == pytest.approx([0.95, 0.8, 0.05])


def test_a_conditions_images_are_of_all_generators() -> None:
    found = images_behind(rows(), "JPEG 65", by_condition=True)
    assert found["image_id"].tolist() == ["sd_v1/val/ai/missed.png"]
    assert set(images_behind(rows(), "as is", by_condition=True)["generator"]) == {"sd_v1", "adm"}


def test_bundled_scores_are_taken_for_the_same_weights_and_reading_alone(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    rows(weights=WEIGHTS[:16], protocol="native").to_csv(tmp_path / "some" / "spec.csv", index=False)
    found = bundled_rows(measured(), "spec", tmp_path)
    assert found is not None
    assert len(images_behind(found, "SD V1.4")) == 3
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
    paper = by_generator.model_copy(update={"reading": "paper"})
    assert bundled_rows(paper, "ldm", tmp_path) is None


def test_a_shown_row_is_known_by_its_title() -> None:
    assert known_row(measured(), ["Spec", "F3Net"]) == {"Spec": "spec"}
