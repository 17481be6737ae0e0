"""Measured beside published: the same rows and columns, and a difference only where both are."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.report import make_report, write_report
from genimage_core.results.comparison import compare
from genimage_core.results.measured import (
    Cell,
    MeasuredTable,
    Point,
    Study,
    degradation_column,
    generator_column,
    list_measured_tables,
    list_studies,
    merged,
    table_of_report,
)
from genimage_core.results.plots_paper import study_figure, study_frame
from genimage_core.results.published import load_table
from genimage_core.utils.errors import DatasetError, EvaluationError
from pages.components.evaluate.run_zip import pack_run, unpack_run
from tests.cli.test_detect import run as command
from tests.evaluation.engine.test_run import plan_for, tiny_detectors, write_images


def figure(value: float, n: int = 100) -> dict[str, Any]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": n}


def report(detectors: tuple[str, ...] = ("resnet50", "dinov2x")) -> dict[str, Any]:
    """The parts of a report that tables are made of."""
    plan = {
        "detectors": dict.fromkeys(detectors, "0" * 64), "command": "evaluate", "data_protocol": "raw",
        "preprocessing": "tiles", "data": {"split": "val", "fingerprint": "f"},
    }  # fmt: skip
    results = [
        {
            "degradation": degradation, "detector": name,
            "mean": {"accuracy": figure(0.7 - 0.1 * i), "auroc": figure(0.8)},
            "generators": {
                "midjourney": {"accuracy": figure(0.6 + 0.1 * i), "auroc": figure(0.75)},
                "strange": {"accuracy": figure(0.5)},
            },
            "real_only": {"drawings": {"called_fake": figure(0.2)}},
        }
        for i, name in enumerate(detectors)
        for degradation in ("none", "jpeg:65", "lowres:112:down")
    ]  # fmt: skip
    return {"plan": plan, "images": {"done": 200}, "results": results}


def test_a_run_becomes_a_table_by_generator_and_one_by_condition() -> None:
    table = table_of_report(report(), "task1_sd14", command="export-table")
    cells = {(c.row, c.column, c.metric): c.value for c in table.cells}
    assert cells["resnet50", "Midjourney", "accuracy"] == 0.6
    assert cells["dinov2x", "strange", "accuracy"] == 0.5
    assert cells["resnet50", "drawings", "called_fake"] == 0.2
    assert table.command == "evaluate\nexport-table"
    degraded = table_of_report(report(), "task2_degradations")
    assert {c.column for c in degraded.cells} == {"as is", "JPEG 65", "LR 112 down"}
    with pytest.raises(EvaluationError, match="one row"):
        table_of_report(report(), "resnet50_matrix", row="midjourney")
    with pytest.raises(DatasetError):
        table_of_report(report(), "no_such_table")


def test_rows_of_many_runs_make_one_table() -> None:
    first = table_of_report(report(("resnet50",)), "resnet50_matrix", row="midjourney")
    second = table_of_report(report(("resnet50",)), "resnet50_matrix", row="sd_v1")
    both = merged(first, second)
    assert set(both.weights) == {"midjourney", "sd_v1"}
    assert len(both.cells) == 2 * len(first.cells)
    assert merged(both, second) == both.model_copy(update={"cells": both.cells})
    fewer = second.model_copy(update={"description": "12 images."})
    assert merged(first, fewer).description == f"{first.description} Rows added later: 12 images."
    rows = compare(load_table("resnet50_matrix"), both).measured.dropna(how="all").index
    assert list(rows) == ["Midjourney", "SD V1.4"]
    with pytest.raises(EvaluationError, match="another data protocol"):
        merged(first, second.model_copy(update={"data_protocol": "unbiased"}))


def test_published_measured_and_difference_share_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core.results import comparison

    titles = {"resnet50": "ResNet-50", "dinov2x": "DINO"}
    monkeypatch.setattr(comparison, "_rows", lambda: (titles, {"DINO"}))
    both = compare(load_table("task1_sd14"), table_of_report(report(), "task1_sd14"))
    assert both.published.loc["ResNet-50", "Midjourney"] == 54.9
    assert both.measured.loc["ResNet-50", "Midjourney"] == pytest.approx(60)
    assert both.difference.loc["ResNet-50", "Midjourney"] == pytest.approx(5.1)
    assert both.difference.notna().sum().sum() == 1
    assert both.apart == ("DINO",)
    assert both.measured.index[-1] == "DINO"
    assert both.details.loc["DINO", "Midjourney"] == "<br>65.0 to 75.0 %<br>n = 100"
    assert both.published.shape == both.measured.shape == both.difference.shape == both.details.shape
    other = compare(load_table("task1_sd14"), table_of_report(report(), "task1_sd14"), "auroc")
    assert other.published.isna().all().all()
    assert other.measured.loc["ResNet-50", "Midjourney"] == pytest.approx(75)


def test_names_of_columns() -> None:
    assert generator_column("stable_diffusion_v_1_4") == "SD V1.4"
    assert generator_column("VQDM") == "VQDM"
    assert generator_column("glid3xl") == "glid3xl"
    assert degradation_column("blur:5") == "Blur 5"
    assert degradation_column("blur:3+jpeg:65") == "blur:3+jpeg:65"


def test_files_are_found_by_table_and_damaged_ones_named(tmp_path: Path) -> None:
    assert list_measured_tables("task1_sd14", tmp_path) == list_studies("scale", tmp_path) == []
    for folder in ("tables", "studies"):
        (tmp_path / folder).mkdir()
    table = table_of_report(report(), "task1_sd14")
    (tmp_path / "tables" / "a.json").write_text(table.model_dump_json())
    assert list_measured_tables("task1_sd14", tmp_path) == [table]
    assert list_measured_tables("task1_mean", tmp_path) == []
    for stem in ("a_dinov2", "b_resnet50"):
        named = table.model_copy(update={"title": stem}).model_dump_json()
        (tmp_path / "tables" / f"{stem}.json").write_text(named)
    titles = [entry.title for entry in list_measured_tables("task1_sd14", tmp_path)]
    assert titles == [table.title, "b_resnet50", "a_dinov2"]  # what is not the benchmark's comes last
    (tmp_path / "studies" / "b.json").write_text("{}")
    with pytest.raises(EvaluationError, match="damaged") as found:
        list_studies("scale", tmp_path)
    assert found.value.source == "b.json"
    with pytest.raises(ValidationError):
        Cell(row="a", column="b", metric="c", value=1, low=0, high=1, n=1, more=1)  # type: ignore[call-arg]


def test_a_study_is_drawn_with_its_intervals() -> None:
    points = [
        Point(series=s, label=f"{n} images", value=v, low=v - 5, high=v + 2, n=n)
        for s, n, v in (("same", 100, 70.0), ("same", 200, 80.0), ("cross", 100, 55.0))
    ]
    study = Study(study="scale", title="t", description="d", command="c", points=tuple(points))
    same, cross = study_figure(study).data
    assert list(same.y) == [70, 80]
    assert list(same.error_y.array) == [2, 2]
    assert list(same.error_y.arrayminus) == [5, 5]
    assert cross.name == "cross"
    frame = study_frame(study)
    assert frame.loc["200 images", "same"] == "80.0 (75.0 to 82.0, n = 200)"
    assert frame.loc["200 images", "cross"] == ""


def test_a_run_is_exported_as_a_table_and_comes_back_as_a_zip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, detectors, out = write_images(tmp_path / "data", 8), tiny_detectors(), tmp_path / "run"
    plan = plan_for(records, detectors, degradations=("none",))
    engine.run(records, detectors, plan, out)
    write_report(out)
    target = tmp_path / "tables" / "t.json"
    assert command("dev", "export-table", str(out), str(target), "--table", "task1_sd14") == 0
    assert {c.row for c in MeasuredTable.model_validate_json(target.read_text()).cells} == set(detectors)
    data = pack_run(out)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "report.json" in archive.namelist()
    back = unpack_run(data, tmp_path / "back")
    assert not (back / "report.json").exists()
    expected = json.loads((out / "report.json").read_text())
    assert json.loads(json.dumps(make_report(back)))["results"] == expected["results"]


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no ZIP"):
        unpack_run(b"nothing", tmp_path / "a")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../run.json", "{}")
        archive.writestr("rows/../../x", "{}")
    with pytest.raises(EvaluationError, match="no run"):
        unpack_run(data.getvalue(), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
