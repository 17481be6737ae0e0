"""The figures behind a verdict: only those of the combination in use, as text and as a diagram."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genimage_core.evaluation.calibration.calibrate import calibrate
from genimage_core.verdict import reliability as module
from genimage_core.verdict.combine import Combination
from genimage_core.verdict.reliability import VerdictFigures, reliability_diagram, verdict_figures
from tests.evaluation.calibration.test_calibrate import scores


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    verdict_figures.cache_clear()
    yield
    verdict_figures.cache_clear()


@pytest.fixture(scope="module")
def fitted() -> tuple[Combination, dict]:
    unseen = scores(200, {"a": 1.0, "b": 1.0}, ("u",), seed=1)
    return calibrate(scores(200, {"a": 2.0, "b": 1.0}), {}, "made up", band_rows=unseen)


@pytest.fixture
def measured(
    fitted: tuple[Combination, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Combination:
    how, figures = fitted[0].model_copy(deep=True), fitted[1]
    how.figures["file"] = "x_calibration.json"
    (tmp_path / "x_calibration.json").write_text(
        json.dumps({"scores": "x", "band_scores": "held_out"} | figures)
    )
    monkeypatch.setattr(module, "load_combination", lambda: how)
    return how


def test_rows_and_diagram_show_both_sets(measured: Combination, tmp_path: Path) -> None:
    figures = verdict_figures(tmp_path)
    assert figures is not None
    rows = {row.pop("figure"): row for row in figures.rows()}
    assert all(set(row) == {"x", "Further generators"} for row in rows.values())
    assert "n = 100" in rows["photographs called AI-generated"]["Further generators"]
    assert {row["detector"] for row in figures.detector_rows()} == {"a", "b"}
    lines = {line.name: line for line in reliability_diagram(figures).data}
    for key in module.SETS:
        points = figures.data["sets"][key]["combination"]["reliability"]
        title = figures.title(key)
        assert list(lines[title].y) == [point["share"] for point in points]
        assert sum(lines[title].customdata) == 200
    assert figures.stability_words() == ""


def test_figures_of_another_combination_are_not_shown(measured: Combination, tmp_path: Path) -> None:
    measured.high = 0.9995
    assert verdict_figures(tmp_path) is None


def test_without_figures_nothing_is_shown(measured: Combination, tmp_path: Path) -> None:
    assert verdict_figures(tmp_path / "absent") is None
    measured.figures.pop("file")
    assert verdict_figures(tmp_path) is None


def test_stability_is_told_in_a_sentence(measured: Combination, tmp_path: Path) -> None:
    figure = {"value": 0.02, "low": 0.01, "high": 0.04, "n": 300}
    worst = figure | {"value": 0.015}
    data = {"any": figure, "each": {"jpeg:90": figure | {"value": 0.0}, "jpeg:50": worst}}
    (tmp_path / "x_stability.json").write_text(json.dumps(data))
    figures = verdict_figures(tmp_path)
    assert figures is not None
    words = figures.stability_words()
    assert "2.0%" in words
    assert "`jpeg:50`: 1.5%" in words
    nothing = {"any": figure | {"value": 0.0}, "each": {"jpeg:90": figure | {"value": 0.0}}}
    assert "flips most" not in VerdictFigures({}, nothing).stability_words()


def test_the_section_shows_them_or_nothing(
    measured: Combination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        from pages.components.about.reliability import trust

        trust()

    figures = verdict_figures(tmp_path)
    monkeypatch.setattr("pages.components.about.reliability.verdict_figures", lambda: figures)
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    assert [h.value for h in app.header] == ["How far to trust a verdict"]
    assert len(app.dataframe) == 2
    monkeypatch.setattr("pages.components.about.reliability.verdict_figures", lambda: None)
    assert not app.run().header
