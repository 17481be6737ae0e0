"""Classes, photographs and pictures for tests of `build`, and a program that draws."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

NAMES = {"n01440764": "tench", "n01443537": "goldfish"}

PROGRAM = """
import sys, time, pathlib
import numpy as np
from PIL import Image
prompt, path, seed, fail = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
time.sleep(float(sys.argv[5]))
with open(sys.argv[6], "a") as log:
    log.write(f"{prompt}|{seed}\\n")
rng = np.random.default_rng(seed)
pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
tries = open(sys.argv[6]).read().count(prompt + "|")
if fail == "black" and "goldfish" in prompt and tries == 1:
    pixels[:] = 0
if fail == "exit" and tries == 1:
    sys.exit("no luck")
if fail == "always":
    pixels[:] = 255
Image.fromarray(pixels).save(path)
"""


def picture(seed: int, side: int = 48) -> Image.Image:
    """A picture unlike those of other seeds."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return small.resize((side, side + 8), Image.Resampling.BICUBIC)


def workplace(root: Path, photographs: int = 8) -> Path:
    """A folder with `classes.txt`, photographs by class in `real`, and the program `draw.py`."""
    (root / "classes.txt").write_text("".join(f"{i} {name}\n" for i, name in NAMES.items()))
    for number, class_id in enumerate(NAMES):
        folder = root / "real" / class_id
        folder.mkdir(parents=True)
        for i in range(photographs):
            picture(1000 * number + i).save(folder / f"{class_id}_{i}.JPEG", quality=80)
    (root / "draw.py").write_text(PROGRAM)
    return root


def program(root: Path, fail: str = "never", seconds: float = 0.0) -> str:
    """The command line that calls `draw.py`."""
    log = root / "calls.txt"
    return f'"{sys.executable}" "{root / "draw.py"}" {{prompt}} {{path}} {{seed}} {fail} {seconds} "{log}"'


def pictures(root: Path) -> Path:
    """Pictures as programs leave them: six usable ones, a copy, a broken, a black and an unclassed one."""
    folder = root / "pictures"
    folder.mkdir()
    for i, name in enumerate(("tench", "goldfish") * 3):
        text = PngInfo()
        settings = f"Steps: 20, Sampler: Euler, CFG scale: 7, Seed: {i}, Model: xl"
        words = f"photo of a {name}, sharp\nNegative prompt: dog\n{settings}"
        text.add_text("parameters", words)
        picture(50 + i).save(folder / f"{i}.png", pnginfo=text)
    picture(50).save(folder / "copy.jpg", quality=85)
    (folder / "broken.png").write_bytes((folder / "1.png").read_bytes()[:200])
    Image.new("RGB", (48, 48)).save(folder / "black.png")
    picture(99).save(folder / "something.png")
    return folder


COMFY = json.dumps(
    {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a goldfish", "clip": ["1", 1]}},
        "3": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["2", 0]}},
        "4": {"class_type": "KSampler", "inputs": {"seed": 12, "positive": ["3", 0], "negative": ["5", 0]}},
        "5": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["1", 1]}},
    }
)
