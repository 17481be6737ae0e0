"""The largest allowed picture in every format, in bounded memory: measured in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="measures by getrusage")]

SIDE = 8000
LIMIT_DETECT, LIMIT_EVIDENCE = 1.2, 1.6  # GB
MEASURE = (
    "import resource, subprocess, sys\n"
    "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
    "assert done.returncode == 0, done.stderr.decode()[-2000:]\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def peak_gb(*command: str) -> float:
    """Peak resident memory of a command, in GB."""
    run = [sys.executable, "-c", MEASURE, sys.executable, *command]
    return int(subprocess.run(run, capture_output=True, check=True, timeout=900).stdout) / 1024**2


def save(path: Path, kind: str) -> Path:
    ramp = np.add.outer(np.arange(SIDE) // 40, np.arange(SIDE) // 37).astype(np.uint8)
    image = Image.fromarray(np.stack([ramp, ramp.T, 255 - ramp], -1))
    exif = Image.Exif()
    exif[274] = 6
    if kind == "turned.jpg":
        image.save(path, quality=60, exif=exif.tobytes())
    elif kind == "progressive.jpg":
        image.save(path, quality=60, progressive=True)
    elif kind.startswith("alpha"):
        image.putalpha(Image.fromarray(ramp))
        image.save(path, **({"lossless": True, "method": 0} if kind.endswith("webp") else {}))
    elif kind == "deep.png":
        Image.fromarray(ramp.astype(np.uint16) * 257).save(path)
    elif kind == "wide.tif":
        Image.fromarray(ramp.astype(np.int32) * 60_000).save(path, compression="tiff_deflate")
    else:
        image.save(path, **({"compression": "tiff_deflate"} if kind.endswith("tif") else {"quality": 60}))
    return path


KINDS = [
    "plain.jpg", "turned.jpg", "progressive.jpg", "plain.png", "alpha.png", "deep.png",
    "plain.webp", "alpha.webp", "plain.tif", "wide.tif",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_detect_with_every_detector(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path / kind, kind)
    assert peak_gb("-m", "genimage_core", "detect", str(path), "--json") < LIMIT_DETECT


@pytest.mark.parametrize("kind", ["noise", "ela", "spectrum"])
def test_evidence_of_the_file(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path / "plain.jpg", "plain.jpg")
    code = (
        "import sys\nfrom genimage_core.explain import explain\n"
        "from genimage_core.images.load import load_image\n"
        "explain(load_image(sys.argv[1]).pixels, {}, sys.argv[2])"
    )
    assert peak_gb("-c", code, str(path), kind) < LIMIT_EVIDENCE
