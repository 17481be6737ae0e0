"""Runs that stop, are killed, go on, and stay small."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pandas as pd
import pytest
import torch

from genimage_core.datasets import Record, scan_dataset
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.engine import views as engine_views
from genimage_core.evaluation.store import list_shards, read_rows
from genimage_core.images.load import load_image
from tests.evaluation.engine.test_run import KEY, plan_for, records, tiny_detectors, write_images

__all__ = ["records"]  # a fixture


def test_a_stopped_run_goes_on_and_scores_nothing_twice(records: list[Record], tmp_path: Path) -> None:
    detectors = tiny_detectors()
    plan = plan_for(records, detectors)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    engine.run(records, detectors, plan, whole, batch=5)
    told: list[tuple[int, int]] = []
    options: dict[str, Any] = {"batch": 5, "progress": lambda *done: told.append(done)}
    assert not engine.run(records, detectors, plan, parts, should_stop=lambda: True, **options)
    assert told == [(0, 24), (5, 24)]
    first = read_rows(parts)
    assert not engine.run(records, detectors, plan, parts, should_stop=lambda: True, **options)
    assert engine.run(records, detectors, plan, parts, **options)
    assert told[2:4] == [(5, 24), (10, 24)]
    assert told[-1] == (24, 24)
    rows = read_rows(parts)
    pd.testing.assert_frame_equal(rows.iloc[: len(first)].astype(object), first.astype(object))
    both = rows.merge(read_rows(whole), on=KEY, validate="one_to_one")
    assert len(both) == len(rows) == 24 * plan.rows_per_image
    np.testing.assert_allclose(both["p_fake_x"], both["p_fake_y"], atol=1e-5)
    before = [path.stat().st_mtime_ns for path in list_shards(parts)]
    assert engine.run(records, detectors, plan, parts)
    assert [path.stat().st_mtime_ns for path in list_shards(parts)] == before


def score_slowly(data: str, out: str, log: str) -> None:
    """What the process does that is killed; notes every image that was stored for certain."""
    torch.set_num_threads(1)
    records, detectors = scan_dataset(data), tiny_detectors()
    net = detectors["wider"].net

    def slow(x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.01)
        return net(x)

    detectors["wider"].forward = slow

    def note(done: int, total: int) -> None:
        with open(log, "a") as file:
            file.write(f"{done}\n")

    engine.run(records, detectors, plan_for(records, detectors), Path(out), batch=2, workers=1, progress=note)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_9_at_ten_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Streamlit's test driver leaves app.py as the main module, which a new process would run first.
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    records = write_images(tmp_path / "data", 120, 40)
    # A fresh process that has imported everything and forks: killing costs no second import of torch.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.evaluation.engine.test_resume"])
    rng = np.random.default_rng(0)
    kills, run_number = 0, 0
    stored: pd.DataFrame | None = None
    while kills < 10:
        out, log = tmp_path / f"run{run_number}", tmp_path / f"log{run_number}"
        lines_before = len(log.read_text().splitlines()) if log.exists() else 0
        process = context.Process(target=score_slowly, args=(str(tmp_path / "data"), str(out), str(log)))
        process.start()
        wait_for = lines_before + int(rng.integers(0, 4))
        while process.is_alive() and (len(log.read_text().splitlines()) if log.exists() else 0) < wait_for:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.06))
        process.kill()
        process.join()
        rows = read_rows(out)  # refuses doubled rows
        noted = max(map(int, log.read_text().split()), default=0) if log.exists() else 0
        assert rows["image_id"].nunique() >= noted
        assert len(rows) == rows["image_id"].nunique() * 9
        if stored is not None:
            pd.testing.assert_frame_equal(rows.iloc[: len(stored)].astype(object), stored.astype(object))
        stored = rows
        if process.exitcode == -signal.SIGKILL:
            kills += 1
        else:  # it was through before the blow: the next one hits a new run
            assert process.exitcode == 0
            assert rows["image_id"].nunique() == 120
            run_number, stored = run_number + 1, None
    detectors = tiny_detectors()
    plan, out = plan_for(records, detectors), tmp_path / f"run{run_number}"
    assert engine.run(records, detectors, plan, out)
    assert engine.run(records, detectors, plan, tmp_path / "whole")
    both = read_rows(out).merge(read_rows(tmp_path / "whole"), on=KEY, validate="one_to_one")
    assert len(both) == 120 * plan.rows_per_image
    np.testing.assert_allclose(both["p_fake_x"], both["p_fake_y"], atol=1e-5)


def test_memory_does_not_grow_with_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = write_images(tmp_path / "data", 200)
    detectors = tiny_detectors()
    net = detectors["tiny"].net

    def slow(x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.005)  # decoding could run far ahead, if nothing held it
        return net(x)

    detectors["tiny"].forward = slow
    alive: WeakSet[engine_views.Prepared] = WeakSet()
    most, sizes = 0, []

    class Watched(engine_views.Prepared):
        __hash__ = object.__hash__

        def __post_init__(self) -> None:
            nonlocal most
            alive.add(self)
            most = max(most, len(alive))

    def watch_score(images: Any, *rest: Any) -> Any:
        sizes.extend(view.nbytes for image in images for views in image.views.values() for view in views)
        return score_batch(images, *rest)

    def watch_memory(done: int, total: int) -> None:
        nonlocal settled
        if done == 40:  # by now all that is imported or built once is there
            settled = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()

    # From memory: reading a path sets aside as much as a file may have, for a moment and for each thread.
    from_memory = lambda path: load_image(path.read_bytes(), name=path.name)  # noqa: E731
    score_batch, settled = engine.score_batch, 0
    monkeypatch.setattr(engine_views, "Prepared", Watched)
    monkeypatch.setattr(engine_views, "load_image", from_memory)
    monkeypatch.setattr(engine, "score_batch", watch_score)
    plan = plan_for(records, detectors)
    tracemalloc.start()
    try:
        engine.run(records, detectors, plan, tmp_path / "run", batch=4, workers=2, progress=watch_memory)
        growth = tracemalloc.get_traced_memory()[1] - settled
    finally:
        tracemalloc.stop()
    assert most <= 2 * 4 + 2 + 1  # the batch, as many ahead, one a thread, one just made
    assert growth < sum(sizes) / 4  # of all views, made after the first 40 images or before
