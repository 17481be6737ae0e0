"""The engine on Ray: the local engine's rows, also where a worker dies."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch

from genimage_core.detectors import Detector
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.store import read_rows
from genimage_core.utils.errors import EvaluationError
from tests.evaluation.engine.test_run import KEY, plan_for, tiny_detectors, write_images

ray = pytest.importorskip("ray", reason="Ray is an extra (requirements-ray.txt)")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Room for two workers, whatever the machine has."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # By default workers stand behind all else, and may starve.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (so it is called)
    for tries_left in (3, 2, 1, 0):  # a busy machine is too slow for Ray's patience of 30 s
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
                     object_store_memory=200 << 20)  # fmt: skip
            break
        except Exception:
            ray.shutdown()
            if not tries_left:
                raise
    yield
    ray.shutdown()


def load_slowly(log: str) -> dict[str, Detector]:
    """What an actor loads: tiny detectors that take their time, and a note of who loaded them."""
    torch.set_num_threads(1)
    detectors = tiny_detectors()
    net = detectors["tiny"].net

    def slow(x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.3)
        return net(x)

    detectors["tiny"].forward = slow
    (Path(log) / str(os.getpid())).touch()
    return detectors


def test_rows_are_the_local_ones_though_a_worker_is_killed(tmp_path: Path) -> None:
    from genimage_core.evaluation.ray import run_on_ray

    records, detectors = write_images(tmp_path / "data", 60, 40), tiny_detectors()
    records[5].path.write_bytes(b"")
    plan = plan_for(records, detectors)
    assert engine.run(records, detectors, plan, tmp_path / "local", batch=3)
    log, out = tmp_path / "log", tmp_path / "ray"
    log.mkdir()
    specs = [d.net.spec for d in detectors.values()]
    killed: list[int] = []

    def strike(done: int, total: int) -> None:
        if done and not killed:
            # Not before both are at work.
            end = time.monotonic() + 120
            while len(workers := sorted(map(int, os.listdir(log)))) < 2 and time.monotonic() < end:
                time.sleep(0.1)
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    load: Callable[[], dict[str, Detector]] = partial(load_slowly, str(log))
    assert run_on_ray(records, load, specs, plan, out, workers=2, batch=3, progress=strike)
    assert killed
    assert len(os.listdir(log)) >= 3  # another one took its place
    one, two = (read_rows(tmp_path / name).sort_values(KEY).reset_index(drop=True).astype(object)
                for name in ("local", "ray"))  # fmt: skip
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_stopped_run_goes_on_locally_and_other_weights_are_refused(tmp_path: Path) -> None:
    from genimage_core.evaluation.ray import run_on_ray

    records, detectors = write_images(tmp_path / "data", 12, 40), tiny_detectors()
    plan, specs = plan_for(records, detectors), [d.net.spec for d in detectors.values()]
    out = tmp_path / "run"
    assert not run_on_ray(
        records, tiny_detectors, specs, plan, out, workers=1, batch=4, should_stop=lambda: True
    )
    assert read_rows(out)["image_id"].nunique() == 4
    assert engine.run(records, detectors, plan, out)
    assert run_on_ray(records, tiny_detectors, specs, plan, out)  # nothing is left to do
    other = plan.model_copy(update={"detectors": dict.fromkeys(plan.detectors, "f" * 64)})
    with pytest.raises(EvaluationError, match="other weights"):
        run_on_ray(records, tiny_detectors, specs, other, tmp_path / "other", workers=1)
