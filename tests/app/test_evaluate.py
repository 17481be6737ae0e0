"""The Evaluate and Studies pages, and a run of one's own on Benchmark."""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genimage_core.datasets import Record
from genimage_core.evaluation.store import read_rows
from genimage_core.utils.settings import is_public
from tests.app.test_detect_degrade import assert_clean, instant_detectors  # noqa: F401  (a fixture)
from tests.evaluation.test_background import work  # noqa: F401  (a fixture)

APP = str(Path(__file__).resolve().parents[2] / "app.py")


@pytest.fixture
def app(work: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:  # noqa: F811
    from pages.components.benchmark import own_run
    from pages.components.evaluate import run as evaluate_run

    for module in (evaluate_run, own_run):
        monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.delenv("SPACE_ID", raising=False)
    return AppTest.from_file(APP, default_timeout=300).run().switch_page("pages/evaluate.py").run()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def wait(app: AppTest) -> None:
    end = time.monotonic() + 120
    while app.session_state["evaluate_run"].active and time.monotonic() < end:
        time.sleep(0.05)


def test_the_page_runs_an_evaluation_and_hands_it_on(app: AppTest, tmp_path: Path) -> None:
    assert not app.exception
    app.multiselect(key="evaluate_conditions").set_value(["none"])
    press(app, "Start")
    wait(app)
    app.run()
    assert not app.exception
    assert [s.value for s in app.success] == ["12 images scored."]
    run = app.session_state["evaluate_run"]
    assert run.folder.parent == tmp_path / "runs"
    assert app.session_state["own_run"] == run.folder
    assert run.wanted.degrade == "none"
    assert app.get("plotly_chart")
    measured = AppTest.from_file(APP, default_timeout=300)
    measured.session_state["own_run"] = run.folder
    measured.run().switch_page("pages/benchmark.py").run()
    assert_clean(measured)
    assert measured.selectbox(key="own_run_choice").value == run.folder
    assert "alpha" in measured.dataframe[0].value.reset_index()["column"].tolist()
    row, column = (measured.selectbox(key=f"behind_{part}_task1_sd14").value for part in ("row", "column"))
    assert (row, column) == (run.plan.detectors and next(iter(run.plan.detectors)), "alpha")
    listed = measured.dataframe[1].value
    assert len(listed) == 12
    assert listed["off by"].is_monotonic_decreasing
    assert "are not at hand" in " ".join(caption.value for caption in measured.caption)
    press(app, "Start")  # the same choices: nothing is left to score
    wait(app)
    assert app.session_state["evaluate_run"].folder == run.folder
    assert len(read_rows(run.folder)) == 12 * 9


def test_a_zip_is_unpacked_to_a_private_folder_or_refused(app: AppTest) -> None:
    from pages.components.evaluate import source

    app.button_group(key="evaluate_images").select(source.ZIPPED).run()
    for member, taken in (("../a.png", False), ("gen/val/ai/a.png", True)):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(member, b"\x89PNG\r\n\x1a\n damaged")
        app.file_uploader(key="evaluate_zip").set_value([("set.zip", data.getvalue(), "application/zip")])
        app.run()
        assert not app.exception
        assert any("1 images unpacked" in c.value for c in app.caption) is taken
        assert any("leaves the folder" in w.value for w in app.warning) is not taken


def test_strangers_are_shown_no_folder(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.components.evaluate import source

    assert source.FOLDER in app.button_group(key="evaluate_images").options
    monkeypatch.setenv("SPACE_ID", "someone/lab")
    assert is_public()
    app.run()
    assert source.FOLDER not in app.button_group(key="evaluate_images").options
    monkeypatch.setenv("GENIMAGE_PUBLIC", "0")
    assert not is_public()


def test_a_private_folder_goes_with_its_visitor(tmp_path: Path) -> None:
    from pages.components.evaluate import visit

    folder = tempfile.TemporaryDirectory(dir=tmp_path)
    (Path(folder.name) / "data").mkdir()
    visit._remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_studies_shows_every_study_and_says_what_is_not_measured(app: AppTest) -> None:
    app.switch_page("pages/studies.py").run()
    assert_clean(app)
    assert [tab.label for tab in app.tabs][:4] == ["Scale", "Classes", "Content", "Data sets compared"]
    assert len(app.table) >= 4
