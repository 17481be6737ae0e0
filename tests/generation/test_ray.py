"""`build` on Ray: the same set as one process makes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from genimage_core.generation.build import Request, build
from tests.helpers.build_sets import program, workplace

ray = pytest.importorskip("ray", reason="Ray is an extra (requirements-ray.txt)")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def test_a_cluster_makes_the_same_set(tmp_path: Path) -> None:
    from genimage_core.generation.ray import build_on_ray

    workplace(tmp_path)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        sets = {}
        for out, how in (("local", build), ("cluster", lambda request: build_on_ray(request, 2))):
            request = Request(
                tmp_path / out, "drawn", tmp_path / "real", str(tmp_path / "classes.txt"), 2,
                command=program(tmp_path),
            )  # fmt: skip
            assert how(request) is not None
            sets[out] = pd.read_csv(tmp_path / out / "manifest.csv")
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(sets["local"], sets["cluster"])
