"""Train the project's own small generator on the bundled photographs and paint the bundled fake images.

    python -m experiments.samples.make_samples                          # train, paint, write assets/samples
    python -m experiments.samples.make_samples --weights runs/samples.pt --out /tmp/fakes

Reads the photographs (entries with truth "real") from assets/samples/samples.json, trains
`samples_model.Cascade` on those in `TRAIN_ON`, paints every picture of `PICTURES` and rewrites the fake
entries of the manifest; the entries of the photographs are kept. The same seed and steps on one thread of
the same kind of processor give the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from experiments.samples.diffusion import Cascade, Photographs, train
from experiments.samples.network import LEVELS
from experiments.samples.render import Scene, paint

SAMPLES = Path(__file__).resolve().parents[2] / "assets" / "samples"
GENERATOR = "GenImage Lab patch cascade (pixel diffusion)"
TRAIN_ON = ("cat", "coffee", "deep_field", "flower", "raccoon", "retina", "rocket", "temple")
STEPS = (4200, 3600)
SEED = 0
CREDIT = (
    "Made by GenImage Lab's own generator, trained on eight bundled photographs: coffee (Rachel Michetti), "
    "cat (Stefan van der Walt), retina (Mikael Häggström), deep field (NASA), rocket (SpaceX), raccoon "
    "(public-domain-image.com), temple (danielbuechele, CC BY 2.0, "
    "https://www.flickr.com/photos/danielbuechele/6061409035/sizes/z/in/photostream/) and flower "
    "(vultilion, named danielbuechele by scikit-learn, CC BY 2.0, "
    "https://www.flickr.com/photos/vultilion/6056698931/sizes/z/in/photostream/). "
    "Generated, so changed throughout; no photographer endorses it."
)


@dataclass(frozen=True)
class Picture:
    """One fake image: its file, a short title and what to paint."""

    file: str
    title: str
    scene: Scene


PICTURES = (
    Picture("fake_cup.png", "Tilted cup of coffee", Scene((("coffee", 1.0),), 2, place="yx", warp=0.2)),
    Picture("fake_cups.png", "Two cups of coffee", Scene((("coffee", 1.0),), 6, warp=0.2)),
    Picture("fake_dahlias.png", "Two dahlias", Scene((("flower", 1.0),), 5, place="yx", fold=2)),
    Picture(
        "fake_dahlia_in_grass.png",
        "Dahlia in the grass",
        Scene((("flower", 1.0),), 9, below=(("raccoon", 1.0),), split=0.6),
    ),
    Picture("fake_galaxies.png", "Galaxies", Scene((("deep_field", 1.0),), 3, 320, 320)),
    Picture("fake_night_tower.png", "Tower at night", Scene((("rocket", 1.0),), 3)),
    Picture(
        "fake_night_grass.png",
        "Tall grass at night",
        Scene((("rocket", 1.0),), 8, below=(("raccoon", 1.0),), split=0.6),
    ),
    Picture(
        "fake_stars.png",
        "Stars above a garden",
        Scene((("deep_field", 1.0),), 1, below=(("temple", 1.0),), split=0.6),
    ),
    Picture("fake_temple.png", "Temple by a lake", Scene((("temple", 1.0),), 6, warp=0.2)),
    Picture("fake_temples.png", "Two temples", Scene((("temple", 1.0),), 11, 256, 512)),
)


def photographs(folder: Path, names: tuple[str, ...] = TRAIN_ON) -> dict[str, Path]:
    """Map each name to its photograph in `folder`; FileNotFoundError if one is missing."""
    found = {}
    for name in names:
        matches = sorted(folder.glob(f"real_{name}.*"))
        if not matches:
            raise FileNotFoundError(f"no photograph real_{name}.* in {folder}")
        found[name] = matches[0]
    return found


def describe(path: Path) -> dict[str, Any]:
    """Width, height and sha256 of an image file, as the manifest has them."""
    with Image.open(path) as image:
        width, height = image.size
    return {"width": width, "height": height, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def how(scene: Scene, trained: tuple[int, int, int]) -> str:
    """Say in one sentence how a fake was made."""
    manner = " + ".join(f"{name} {weight:g}" for name, weight in scene.photos)
    if scene.below:
        manner += " above, " + " + ".join(f"{name} {weight:g}" for name, weight in scene.below) + " below"
    told = {"": "none", "y": "vertical only", "yx": "both"}[scene.place]
    return (
        f"Sampled from noise: a {scene.width >> LEVELS}x{scene.height >> LEVELS} thumbnail, doubled "
        f"{LEVELS} times. Manner of {manner}; coordinates told: {told}; fold {scene.fold}, warp "
        f"{scene.warp:g}, zoom {scene.zoom:g}. "
        f"Trained for {trained[0]} + {trained[1]} steps from seed {trained[2]}. "
        "Picked by eye among several seeds; not retouched; saved as PNG."
    )


def obtain(args: argparse.Namespace) -> Cascade:
    """Load the generator from `--weights` if that file exists, else train it (and save it there)."""
    if args.weights and args.weights.exists():
        return Cascade.load(args.weights)
    data = Photographs.load(photographs(args.samples))
    torch.manual_seed(args.seed)
    model = Cascade(data.names, data.detail_std)
    train(model, data, tuple(args.steps), args.seed, minutes=args.minutes)
    if args.weights:
        model.save(args.weights)
    return model


def write_manifest(real: list[dict[str, Any]], fakes: list[dict[str, Any]], out: Path) -> None:
    """Write samples.json into `out`: the photographs first, then the fakes."""
    text = json.dumps(real + fakes, indent=2, ensure_ascii=False)
    (out / "samples.json").write_text(text + "\n", encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    made = argparse.ArgumentParser(
        prog="python -m experiments.samples.make_samples",
        description="Train the project's small generator on the bundled photographs and paint the fakes.",
    )
    add = made.add_argument
    add("--steps", type=int, nargs=2, default=STEPS, metavar=("COARSE", "DETAIL"), help="training steps")
    add("--minutes", type=float, default=math.inf, help="stop training after so long (not repeatable)")
    add("--seed", type=int, default=SEED, help="seed of the training, added to each picture's own seed")
    add("--weights", type=Path, help="use this trained generator; if it is not there yet, save it there")
    add("--samples", type=Path, default=SAMPLES, help="folder with the photographs and samples.json")
    add("--out", type=Path, help="folder for the fakes and the manifest (default: --samples)")
    add("--threads", type=int, default=1, help="threads for PyTorch")
    return made


def main(argv: list[str] | None = None) -> int:
    """Train, paint and write the manifest; returns the exit code."""
    args = parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    out: Path = args.out or args.samples
    out.mkdir(parents=True, exist_ok=True)
    listed = json.loads((args.samples / "samples.json").read_text(encoding="utf-8"))
    real = [entry | describe(args.samples / entry["file"]) for entry in listed if entry["truth"] == "real"]
    model = obtain(args)
    fakes = []
    for picture in PICTURES:
        started = time.monotonic()
        scene = replace(picture.scene, seed=picture.scene.seed + args.seed)
        pixels: np.ndarray = paint(model, scene).numpy()
        path = out / picture.file
        Image.fromarray(pixels).save(path, optimize=True)
        entry = {
            "file": picture.file,
            "truth": "fake",
            "title": picture.title,
            "source": "experiments/samples/make_samples.py",
            "licence": "Apache-2.0",
            "attribution": CREDIT,
            "generator": GENERATOR,
            "seed": scene.seed,
            **describe(path),
            "how": how(scene, model.trained),
        }
        fakes.append(entry)
        print(f"{path} {time.monotonic() - started:.1f} s")
    write_manifest(real, fakes, out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
