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

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")]

BUILD = "from experiments.evaluation_set import build_evalset\nbuild_evalset(each=2, steps=3)\nprint('built')"
PREPARE = ("-m", "genimage_core", "prepare", "--detectors", "spec")
CHECK_BUILT = (
    "from experiments.evaluation_set import evalset_folder, is_built\n"
    "from genimage_core.datasets import scan_dataset\n"
    "from genimage_core.images.load import load_image\n"
    "if is_built():\n"
    "    records = scan_dataset(evalset_folder())\n"
    "    print(len([load_image(r.path) for r in records]))\n"
    "else:\n"
    "    print('none')"
)
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


def test_the_evaluation_set(tmp_path: Path) -> None:
    start = time.monotonic()
    assert told(tmp_path / "whole", BUILD) == "built"
    took, whole = time.monotonic() - start, told(tmp_path / "whole", CHECK_BUILT)
    rng = random.Random(7)
    for _ in range(8):
        killed(tmp_path / "parts", rng.uniform(0.2, 1.0) * took, "-c", BUILD)
        assert told(tmp_path / "parts", CHECK_BUILT) in ("none", whole)
    assert told(tmp_path / "parts", BUILD) == "built"
    assert told(tmp_path / "parts", CHECK_BUILT) == whole


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
