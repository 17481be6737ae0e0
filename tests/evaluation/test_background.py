"""An evaluation in a thread: watched, stopped, taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genimage_core.datasets import Record
from genimage_core.evaluation import background
from genimage_core.evaluation.background import BackgroundRun
from genimage_core.evaluation.config import Wanted, Work
from genimage_core.evaluation.live_accuracy import LiveCounts
from genimage_core.evaluation.store import read_rows
from genimage_core.utils.errors import DatasetError
from tests.evaluation.engine.test_run import plan_for, tiny_detectors, write_images


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Whatever is asked for, three tiny detectors score 12 images in three degradations."""
    records, detectors = write_images(tmp_path / "data", 12), tiny_detectors()

    def set_up(wanted: Wanted, loader: object = None) -> Work:
        return Work(records, detectors, plan_for(records, detectors), ())

    monkeypatch.setattr(background, "set_up", set_up)
    return records


def finish(run: BackgroundRun) -> BackgroundRun:
    run.join(120)
    assert not run.active
    return run


def test_a_run_is_stopped_and_goes_on(
    work: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_run, out = background.engine.run, tmp_path / "run"

    def stop_early(*args: Any, progress: Any, **options: Any) -> bool:
        def note(done: int, total: int) -> None:
            progress(done, total)
            if done == 8:
                run.stop()

        return engine_run(*args, progress=note, **options)

    with monkeypatch.context() as patch:
        patch.setattr(background.engine, "run", stop_early)
        run = BackgroundRun(Wanted(), out, batch=4)
        finish(run)
    assert (run.state, run.done, run.total, run.error) == ("stopped", 8, 12, None)
    assert run.rate > 0
    assert run.seconds_left is not None
    counts = LiveCounts(out)
    partly = counts.update()
    assert partly["n"].unique().tolist() == [8]
    second = finish(BackgroundRun(Wanted(), out, batch=4))
    assert (second.state, second.done) == ("finished", 12)
    assert (out / "report.json").is_file()
    rows = read_rows(out)
    assert len(rows) == 12 * 9
    table = counts.accuracy("none", ["tiny", "twin", "absent"], ["alpha"])
    expected = rows[(rows["degradation"] == "none") & (rows["detector"] == "tiny")]
    assert table.loc["tiny", "alpha"] == pytest.approx(
        100 * ((expected["p_fake"] > 0.5) == (expected["label"] == 1)).mean()
    )
    assert table.isna().loc["absent", "alpha"]


def test_what_goes_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(wanted: Wanted, loader: object = None) -> Work:
        raise DatasetError("no images.", hint="Bring some.")

    monkeypatch.setattr(background, "set_up", fail)
    run = finish(BackgroundRun(Wanted(), tmp_path / "run"))
    assert run.state == "failed"
    assert str(run.error) == "no images. Bring some."

    def break_down(wanted: Wanted, loader: object = None) -> Work:
        raise ZeroDivisionError

    monkeypatch.setattr(background, "set_up", break_down)
    run = finish(BackgroundRun(Wanted(), tmp_path / "run"))
    assert "ZeroDivisionError" in str(run.error)


def test_one_at_a_time_and_a_waiting_one_can_be_stopped(work: list[Record], tmp_path: Path) -> None:
    with background._one_at_a_time:
        run = BackgroundRun(Wanted(), tmp_path / "run")
        assert run.state == "waiting"
        run.stop()
        finish(run)
    assert run.state == "stopped"
