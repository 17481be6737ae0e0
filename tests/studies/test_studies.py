"""The paper's tables and studies measured anew: subsets, means, and the whole way on a small data set."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from genimage_core.datasets import Record, scan_dataset
from genimage_core.detectors import build_network, load_detector, registry
from genimage_core.detectors.registry import register_detector
from genimage_core.evaluation.store import read_rows
from genimage_core.results.measured import (
    Cell,
    MeasuredTable,
    Point,
    Study,
    list_measured_tables,
    list_studies,
)
from genimage_core.studies import classes, content, runner, scale, tables
from genimage_core.studies.runner import Lab
from genimage_core.studies.study_file import with_others
from genimage_core.training.data import balanced, favoured, only_listed, select_training
from genimage_core.training.plan import TrainingPlan
from genimage_core.utils.errors import EvaluationError, TrainingError
from tests.conftest import make_image
from tests.training.test_heads import TinyTaps


@pytest.fixture
def lab(toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register_detector(TinyTaps)
    init = tmp_path / "trunk.safetensors"
    trunk = {k: v for k, v in build_network("tiny_taps", seed=1).state_dict().items() if "body" in k}
    save_file(trunk, init)
    return Lab(
        toy_dataset,
        tmp_path / "runs",
        tmp_path / "measured",
        init=init,
        features=tmp_path / "features",
        report=lambda _: None,
        command="measure",
    )


def records_of(sizes: dict[tuple[str, int], int]) -> list[Record]:
    return [
        Record(Path(f"{g}-{label}-{i}"), f"{g}/train/{label}/{i}", g, "train", label)
        for (g, label), n in sizes.items()
        for i in range(n)
    ]


def test_a_smaller_subset_is_part_of_a_larger_and_takes_generators_in_turn() -> None:
    records = records_of({("a", 1): 30, ("b", 1): 5, ("a", 0): 20, ("c", 0): 20})
    small, large = (scale.nested_subset(records, size, seed=3) for size in (12, 40))
    assert {r.image_id for r in small} < {r.image_id for r in large}
    assert Counter((r.generator, r.label) for r in small) == {
        ("a", 1): 3, ("b", 1): 3, ("a", 0): 3, ("c", 0): 3,
    }  # fmt: skip
    # b has no more than 5.
    assert Counter((r.generator, r.label) for r in large)["b", 1] == 5
    assert len(large) == 40


def test_small_generators_are_drawn_by_the_root_of_their_size() -> None:
    records = records_of({("a", 1): 90, ("b", 1): 10, ("c", 1): 1, ("a", 0): 50})
    drawn = Counter((r.generator, r.label) for r in balanced(records))
    assert drawn == {("a", 1): 90, ("b", 1): 30, ("c", 1): 4, ("a", 0): 50}


def test_a_folder_can_be_drawn_more_often() -> None:
    records = records_of({("a", 1): 3, ("b", 0): 2, ("c", 0): 2})
    drawn = favoured(records, {"c": 3})
    assert Counter(r.generator for r in drawn) == {"a": 3, "b": 2, "c": 6}
    assert favoured(records, {}) == records
    with pytest.raises(TrainingError, match="no training images of such a folder"):
        favoured(records, {"d": 2})


def test_a_list_narrows_what_is_trained_on(toy_dataset: Path, tmp_path: Path) -> None:
    training = select_training(scan_dataset(toy_dataset), "all")
    path = tmp_path / "list.txt"
    path.write_text(f"{training[0].image_id}\n\n{training[-1].image_id}\n")
    assert only_listed(training, path) == [training[0], training[-1]]
    path.write_text(f"{training[0].image_id}\nalpha/train/ai/none.png\n")
    with pytest.raises(TrainingError, match="1 of 2 listed"):
        only_listed(training, path)
    with pytest.raises(TrainingError, match="cannot be read"):
        only_listed(training, tmp_path / "absent.txt")


def test_finished_networks_are_taken_for_task_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(data=tmp_path, runs=tmp_path / "runs", out=tmp_path / "out", trained=tmp_path / "trained")
    monkeypatch.setattr(Lab, "train", lambda self, *names: Path("/".join(names)))
    assert tables.task1_run(lab, "spec") == Path("spec/sd_v1/sd_v1")
    run = tmp_path / "trained" / "spec"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    assert tables.task1_run(lab, "spec") == run


def test_networks_that_can_learn_from_a_teacher_are_given_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(data=tmp_path, runs=tmp_path, out=tmp_path, teacher=tmp_path / "views", steps=3)
    plans: list[TrainingPlan] = []

    class NoTrainer:
        def __init__(self, plan: TrainingPlan, report: object) -> None:
            plans.append(plan)

        def run(self) -> Path:
            return tmp_path

    monkeypatch.setattr(runner, "Trainer", NoTrainer)
    lab.train("resnet50", "one", "alpha")
    lab.train("f3net", "one", "alpha")
    assert [plan.teacher for plan in plans] == [tmp_path / "views", None]
    assert {(plan.steps, plan.validate_every) for plan in plans} == {(3, 0)}


def test_a_stopped_step_stops_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(data=tmp_path, runs=tmp_path, out=tmp_path)
    monkeypatch.setattr(
        runner, "Trainer", lambda *_: type("Stopped", (), {"run": staticmethod(lambda: None)})
    )
    with pytest.raises(runner.StudyStoppedError):
        lab.train("spec", "one", "alpha")


def test_the_mean_of_a_matrix_is_the_mean_of_its_columns() -> None:
    cells = tuple(
        Cell(row=row, column=column, metric="accuracy", value=v, low=v - 0.1, high=v + 0.2, n=40)
        for row, column, v in (("a", "A", 0.9), ("b", "A", 0.5), ("a", "B", 0.6), ("b", "B", 0.7))
    )
    matrix = MeasuredTable(
        table="resnet50_matrix", title="t", data_protocol="raw", preprocessing="tiles", data_sha256="d",
        weights={"a": "1", "b": "2"}, cells=cells,
    )  # fmt: skip
    mean = tables.mean_over_rows(matrix, "resnet50")
    assert mean.table == "task1_mean"
    assert {
        (c.row, c.column): (round(c.value, 3), round(c.low, 3), round(c.high, 3), c.n) for c in mean.cells
    } == {
        ("resnet50", "A"): (0.7, 0.6, 0.9, 40),
        ("resnet50", "B"): (0.65, 0.55, 0.85, 40),
    }


def test_a_head_scores_from_the_cache_as_the_engine_does(lab: Lab) -> None:
    run = lab.train("tiny_taps", "one", "alpha")
    rows = read_rows(lab.score("tiny_taps", run, "one"))
    assert len(rows) == 24
    detector = load_detector("tiny_taps", weights=run, device="cpu", runtime="torch")
    for row in rows.iloc[::6].itertuples():
        image = np.asarray(Image.open(lab.data / row.image_id))
        assert detector.predict([image])[0] == pytest.approx(row.p_fake, abs=2e-3)


def test_a_head_refuses_images_of_several_tiles(lab: Lab) -> None:
    run = lab.train("tiny_taps", "one", "alpha")
    large = lab.data / "alpha" / "val" / "ai" / "large.png"
    Image.fromarray(make_image(5, 460)).save(large)
    with pytest.raises(EvaluationError, match="several tiles"):
        lab.score("tiny_taps", run, "one")


def test_the_matrix_fills_both_tables_and_does_nothing_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.matrix(lab, ["tiny_taps"])
    (matrix,) = list_measured_tables("resnet50_matrix", lab.out)
    assert set(matrix.weights) == {"alpha", "beta"}
    values = {(c.row, c.column): c.value for c in matrix.cells if c.metric == "accuracy"}
    assert set(values) == {(a, b) for a in ("alpha", "beta") for b in ("alpha", "beta")}
    (mean,) = list_measured_tables("task1_mean", lab.out)
    of_mean = {c.column: c.value for c in mean.cells if c.metric == "accuracy"}
    assert of_mean["alpha"] == pytest.approx((values["alpha", "alpha"] + values["beta", "alpha"]) / 2)
    for step in ("fit_head_run", "score_head"):
        monkeypatch.setattr(runner, step, None)
    tables.matrix(lab, ["tiny_taps"])


def test_the_scale_study_has_a_point_for_each_size(lab: Lab) -> None:
    scale.scale(lab, ["tiny_taps"], sizes=(8, 16))
    (study,) = list_studies("scale", lab.out)
    assert {(p.series, p.label) for p in study.points} == {
        ("TinyTaps, same generators", f"{n} images") for n in (8, 16, 48)
    }
    # The trace is plain: a head on all images finds it.
    assert next(p.value for p in study.points if p.label == "48 images") >= 90
    assert len(study.manifest["weights_sha256"]) == 3


def test_a_study_keeps_other_detectors_series_of_the_same_data() -> None:
    def study(series: str, value: float, data: str = "d") -> Study:
        only = Point(series=series, label="x", value=value, low=0, high=100, n=9)
        manifest = {"data_sha256": data, "steps": len(series)}
        name = f"measure {series}"
        return Study(
            study="scale", title="t", description="", command=name, manifest=manifest, points=(only,)
        )

    both = with_others(study("bb", 2), study("a", 1))
    assert [(p.series, p.value) for p in both.points] == [("bb", 2), ("a", 1)]
    assert both.manifest == {
        "data_sha256": "d", "steps": 2, "kept": {"measure a": {"data_sha256": "d", "steps": 1}},
    }  # fmt: skip
    three = with_others(study("ccc", 3), both)
    assert [p.series for p in three.points] == ["ccc", "bb", "a"]
    assert list(three.manifest["kept"]) == ["measure a", "measure bb"]
    assert three.commands == ("measure ccc", "measure a", "measure bb")
    again = with_others(study("a", 5), three)
    assert {p.series: p.value for p in again.points} == {"a": 5, "bb": 2, "ccc": 3}
    assert "measure a" not in again.manifest["kept"]
    assert with_others(study("bb", 2, "other"), both) == study("bb", 2, "other")


def test_choices_of_classes_start_at_different_ones() -> None:
    names = [f"n{i:08d}" for i in range(10)]
    assert [c[0] for c in classes._choices(names, 1)] == [names[i] for i in (0, 2, 4, 6, 8)]
    assert all(len(set(c)) == 5 for c in classes._choices(names, 5))
    assert classes._choices(names, 10) == [names]


def test_the_class_study_keeps_the_number_of_photographs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs = [r for r in scan_dataset(lab.data) if r.label == 0]
    groups = {r.image_id: f"imagenette/n{i % 10:08d}/x.JPEG" for i, r in enumerate(photographs)}
    monkeypatch.setattr(classes, "SUBSETS", ((5, 2), (10, 1)))
    classes.classes(lab, ["tiny_taps"], groups)
    (study,) = list_studies("class_subset", lab.out)
    assert [p.label for p in study.points] == ["5 x 2", "10 x 1"]
    assert {p.n for p in study.points} == {24}
    for path in (lab.runs / "lists").glob("classes_*.txt"):
        ids = path.read_text().split()
        assert len(ids) == 20
        assert sum("/nature/" in i for i in ids) == 10


def test_content_counts_faces_and_art(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "scores"
    folder.mkdir()
    rows = [
        # Faces: both fakes found, one of two reals called fake. Art: perfect.
        ("s/1", "stylegan2", 1, 0.9), ("s/2", "stylegan2", 1, 0.8),
        ("s/3", "stylegan2", 0, 0.1), ("s/4", "stylegan2", 0, 0.85),
        ("f/1", "flux_dev", 1, 0.7), ("p/1", "not_photo", 0, 0.2), ("x/1", "ldm", 1, 0.0),
        ("f/2", "flux_dev", 1, 0.6), ("p/2", "not_photo", 0, 0.3),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["image_id", "generator", "label", "p_fake"])
    frame.assign(
        split="val", detector="resnet50", degradation="none", preprocessing="tiles", weights="w"
    ).to_csv(folder / "resnet50.csv", index=False)  # fmt: skip
    sources = {
        "f/1": "flux_dev_andygock",
        "p/1": "art_louvre",
        "f/2": "sd15ft_supagruen",
        "p/2": "art_comic",
        "x/1": "dcsan_ldm",
    }
    content.content(lab, [folder], sources)
    (study,) = list_studies("content", lab.out)
    found = {(p.series, p.label): (p.value, p.n) for p in study.points}
    assert found["faces, balanced accuracy", "ResNet-50"] == (75.0, 4)
    assert found["faces, AUROC", "ResNet-50"] == (75.0, 4)
    assert found["art, balanced accuracy", "ResNet-50"] == (100.0, 4)
    assert json.loads((lab.out / "studies" / "content.json").read_text())["manifest"]["data_sha256"]


def test_content_says_what_is_missing(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no scores here"):
        content.content(lab, [tmp_path / "nothing"], {})
