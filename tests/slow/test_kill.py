"""kill -9 at random moments of what writes files: what is left is never read as if it were whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.evaluation.store import read_rows

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")]

PREPARE = ("-m", "genimage_core", "prepare", "--detectors", "spec")
CHECK_PREPARED = (
    "import numpy as np\n"
    "from genimage_core.detectors import load_detector\n"
    "image = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)\n"
    "print(float(load_detector('spec').predict([image])[0]))"
)


def command(tmp_path: Path, *words: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"GENIMAGE_CACHE": str(tmp_path / "cache")}
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


def told(tmp_path: Path, code: str) -> str:
    out, err = command(tmp_path, "-c", code).communicate(timeout=600)
    assert out, err.decode()[-2000:]
    return out.decode().splitlines()[-1]


def killed(tmp_path: Path, moment: float, *words: str) -> bool:
    """Start a command and kill it; say whether it was still running."""
    process = command(tmp_path, *words)
    time.sleep(moment)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return running


def data_set(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    for label in ("ai", "nature"):
        place = folder / "val" / label
        place.mkdir(parents=True)
        for number in range(20):
            Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(place / f"{number}.png")
    return folder


def test_an_evaluation(tmp_path: Path) -> None:
    data = data_set(tmp_path / "made")
    evaluate = ("-m", "genimage_core", "evaluate", "--data", str(data), "--detectors", "spec", "--batch", "2")
    start = time.monotonic()
    process = command(tmp_path, *evaluate, "--out", str(tmp_path / "whole"))
    process.communicate(timeout=600)
    assert process.returncode == 0
    took, rng = time.monotonic() - start, random.Random(7)
    again = (*evaluate, "--out", str(tmp_path / "parts"))
    assert sum(killed(tmp_path, rng.uniform(0.5, 1.0) * took, *again) for _ in range(8)) > 0
    process = command(tmp_path, *again)
    process.communicate(timeout=600)
    assert process.returncode == 0
    columns = ["image_id", "p_fake"]
    whole, parts = (read_rows(tmp_path / run)[columns] for run in ("whole", "parts"))
    assert sorted(whole.image_id) == sorted(parts.image_id)
    merged = whole.merge(parts, on="image_id")
    np.testing.assert_allclose(merged.p_fake_x, merged.p_fake_y, atol=1e-4)


def test_a_prepared_detector(tmp_path: Path) -> None:
    start = time.monotonic()
    process = command(tmp_path / "whole", *PREPARE)
    process.communicate(timeout=600)
    assert process.returncode == 0
    took, whole = time.monotonic() - start, float(told(tmp_path / "whole", CHECK_PREPARED))
    rng = random.Random(8)
    moments = [rng.uniform(0.2, 1.0) * took for _ in range(8)]
    assert sum(killed(tmp_path / "parts", moment, *PREPARE) for moment in moments) > 0
    np.testing.assert_allclose(float(told(tmp_path / "parts", CHECK_PREPARED)), whole, atol=1e-3)
