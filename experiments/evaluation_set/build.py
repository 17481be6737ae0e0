"""Build the evaluation set: train the families, write the images in GenImage's layout and a manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from experiments.evaluation_set.crops import SIDE, draw_crops, photographs
from experiments.evaluation_set.families import FAMILIES, Family
from genimage_core.datasets.file_hashes import cache_folder
from genimage_core.utils.errors import DatasetError

SEED = 0
EACH = 28
"""Images of each class and family."""
STEPS = 260
_BATCH, _PATCH = 8, 64
_QUALITY = 95
MANIFEST = "manifest.json"
Progress = Callable[[float, str], None]


def evalset_folder() -> Path:
    """Where the set lies once it is built: in the user's cache."""
    return cache_folder() / "evalset-1"


def is_built() -> bool:
    """Whether the set is there."""
    return (evalset_folder() / MANIFEST).is_file()


def build_evalset(
    out: Path | None = None, *, each: int = EACH, steps: int = STEPS, progress: Progress | None = None
) -> Path:
    """Build the set, unless it is there.

    The same seed gives the same images on the same kind of processor and version of PyTorch.

    Args:
        out: folder to make; None: `evalset_folder()`.
        each: images of each class and family, 2 x 4 x `each` together.
        steps: of each model's training.
        progress: called with (share done in [0, 1], what is being done).

    Returns:
        The folder: `<family>/val/{ai,nature}/*.jpg`, `manifest.json`.

    Raises:
        DatasetError: the bundled photographs are missing, or the folder cannot be written.
    """
    out = out or evalset_folder()
    if (out / MANIFEST).is_file():
        return out
    photos = photographs()
    if not photos:
        raise DatasetError("the bundled photographs are missing.", hint="Restore assets/samples.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f"{out.name}-", dir=out.parent))
    except OSError as error:
        raise DatasetError(
            f"the evaluation set cannot be written ({error.strerror}).",
            hint="Set GENIMAGE_CACHE to a folder that can.",
            source=str(out.parent),
        ) from None
    try:
        _fill(part, photos, each, steps, progress or (lambda share, what: None))
        if not (out / MANIFEST).is_file():  # unless another process was faster
            part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def _fill(folder: Path, photos: dict[str, np.ndarray], each: int, steps: int, progress: Progress) -> None:
    entries: list[dict[str, Any]] = []
    # The caller's own draws go on as if nothing had happened.
    with torch.random.fork_rng(devices=[]):
        for number, kind in enumerate(FAMILIES):
            torch.manual_seed(SEED + number)
            model = kind()

            def tell(share: float, number: int = number, name: str = kind.name) -> None:
                progress((number + share) / len(FAMILIES), name)

            train(model, photos, steps, SEED + number, tell)
            reals = draw_crops(photos, each, seed=1000 * (1 + number))
            sources = draw_crops(photos, each, seed=1000 * (1 + number) + 1)
            fakes = [(name, to_pixels(remake(model, to_tensor([crop])))[0]) for name, crop in sources]
            for label, pictures in (("nature", reals), ("ai", fakes)):
                entries += _write(folder, kind.name, label, pictures)
    progress(1.0, "done")
    text = json.dumps(_manifest(entries, each, steps), indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def train(
    model: Family,
    photos: dict[str, np.ndarray],
    steps: int,
    seed: int,
    tell: Callable[[float], None] = lambda share: None,
) -> list[float]:
    """Train a family on patches of the photographs; returns the loss of each step."""
    crops = to_tensor([crop for _, crop in draw_crops(photos, 60, seed)])
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=max(steps, 2))
    losses = []
    for step in range(steps):
        chosen = rng.integers(len(crops), size=_BATCH)
        places = rng.integers((SIDE - _PATCH) // 8 + 1, size=(_BATCH, 2)) * 8
        patches = [
            crops[i, :, y : y + _PATCH, x : x + _PATCH] for i, (y, x) in zip(chosen, places, strict=True)
        ]
        loss = model.loss(torch.stack(patches))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss))
        if step % 10 == 0:
            tell(step / steps)
    return losses


@torch.inference_mode()
def remake(model: Family, x: Tensor) -> Tensor:
    """Fakes of (N, 3, H, W) pictures."""
    return model.eval().remake(x)


def to_tensor(images: list[np.ndarray]) -> Tensor:
    """RGB uint8 (H, W, 3) of one size -> (N, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(x: Tensor) -> list[np.ndarray]:
    """(N, 3, H, W) in [-1, 1] -> RGB uint8 (H, W, 3)."""
    pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return list(pixels.permute(0, 2, 3, 1).numpy())


def _write(
    folder: Path, family: str, label: str, pictures: list[tuple[str, np.ndarray]]
) -> list[dict[str, Any]]:
    place = folder / family / "val" / label
    place.mkdir(parents=True)
    entries = []
    for number, (source, pixels) in enumerate(pictures):
        path = place / f"{number:03}.jpg"
        # One size, one format, one quality for both classes: none of it gives the answer away.
        Image.fromarray(pixels).save(path, "JPEG", quality=_QUALITY, subsampling=0)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        file = path.relative_to(folder).as_posix()
        entries.append({"file": file, "photograph": source, "sha256": digest})
    return entries


def _manifest(entries: list[dict[str, Any]], each: int, steps: int) -> dict[str, Any]:
    return {
        "title": "GenImage Lab's bundled evaluation set",
        "what": (
            f"{each} crops of photographs and {each} fakes for each of {len(FAMILIES)} small generative "
            f"models, {SIDE} x {SIDE} px, JPEG {_QUALITY}. Made on this machine by the project's own code."
        ),
        "caution": (
            "All images come from a few photographs, which the models were trained on as well: the figures "
            "show how the tool works, not how good a detector is."
        ),
        "photographs": "public domain and CC0; sources in assets/samples/README.md",
        "families": {kind.name: kind.description for kind in FAMILIES},
        "seed": SEED,
        "steps": steps,
        "torch": torch.__version__,
        "images": entries,
    }
