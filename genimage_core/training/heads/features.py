"""Frozen features of a data set, kept by content hash, so that a new linear head trains in seconds.

A cache is a folder for one network: shards of at most 256 rows, each an array and the keys of its rows. A
key is the sha256 of an image file and the name of the view; a file that is met again, in another folder or
under another name, is not computed again, and a kill loses at most one shard.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from genimage_core.datasets import Record
from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.tiling import paper_view
from genimage_core.detectors.weights.store import file_sha256
from genimage_core.images.degradations import parse
from genimage_core.training.augment import augment, random_crop
from genimage_core.training.data import read_rgb
from genimage_core.training.plan import bf16_pays
from genimage_core.training.web import web_chain
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import TrainingError

SHARD = 256
AUGMENTATION = (
    "blur_p", "encode_p", "erasing_p", "jpeg_quality", "rescale_p", "rescale_range", "webp_share",
)  # fmt: skip
"""What of a recipe `augment` reads: another learning rate does not make another view."""


@dataclass(frozen=True)
class View:
    """One way to look at an image.

    Attributes:
        recipe: whose augmentation is drawn, or None for the image as it is.
        seed: of the draw; the draw also depends on the file's content, not on its place.
        whole: the whole picture resized, instead of a crop at full size.
        web: what the web does to a picture is drawn, instead of a recipe's augmentation.
        degradation: text form of what is done to the image before it is cut.
    """

    recipe: Recipe | None = None
    seed: int = 0
    whole: bool = False
    web: bool = False
    degradation: str = ""

    @property
    def name(self) -> str:
        """Part of the cache's key: another augmentation is another view."""
        part = "whole" if self.whole else "centre"
        if self.degradation:
            return f"{self.degradation}-{part}"
        if self.web:
            return f"web-{self.seed}-{part}"
        if self.recipe is None:
            return part
        facts = {name: getattr(self.recipe, name) for name in AUGMENTATION}
        return f"{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]}-{self.seed}"

    def of(self, image: np.ndarray, digest: str, side: int) -> np.ndarray:
        """(H, W, 3) uint8 -> the (side, side, 3) view of the file with that sha256."""
        rng = np.random.default_rng([self.seed, int(digest[:15], 16)])
        if self.web:
            image = web_chain(image, rng)
            return paper_view(image, side, side) if self.whole else random_crop(image, side, rng)
        if self.degradation:
            image = parse(self.degradation)(image)
        if self.recipe is None:
            return paper_view(image, side if self.whole else None, side)
        return augment(image, self.recipe, side, rng)


@dataclass
class FeatureCache:
    """Features of one frozen network, (D,) float16 a key.

    Args:
        folder: where the shards lie; made where absent.
        net: the frozen network; its `embed` gives the features.
        weights_id: what tells its weights from others.
        embed: (N, S, S, 3) uint8 -> (N, D) features; None asks the network itself.
    """

    folder: Path
    net: DetectorNet
    weights_id: str
    embed: Callable[[np.ndarray], np.ndarray] | None = None
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = self.folder / "weights_id.txt"
        if identity.exists() and identity.read_text() != self.weights_id:
            raise TrainingError(
                "this cache holds the features of other weights.",
                hint="Choose another folder.", source=str(self.folder),
            )  # fmt: skip
        fill_text(identity, self.weights_id)
        self.net.eval()
        for path in sorted(self.folder.glob("keys-*.json")):
            number = int(path.stem.split("-")[1])
            self.places |= {key: (number, row) for row, key in enumerate(json.loads(path.read_text()))}

    def fill(
        self,
        records: Sequence[Record],
        view: View,
        *,
        batch: int = 32,
        report: Callable[[int, int], None] | None = None,
    ) -> list[str]:
        """Compute what is missing; returns each record's key.

        Raises:
            TrainingError: a file cannot be decoded.
        """
        digests = [file_sha256(record.path) for record in records]
        keys = [f"{digest}:{view.name}" for digest in digests]
        missing = list({k: i for i, k in enumerate(keys) if k not in self.places}.values())
        for start in range(0, len(missing), SHARD):
            part = missing[start : start + SHARD]
            rows = [
                self._features([self._view(records[i], digests[i], view) for i in part[s : s + batch]])
                for s in range(0, len(part), batch)
            ]
            self._write([keys[i] for i in part], np.concatenate(rows))
            if report:
                report(start + len(part), len(missing))
        return keys

    def read(self, keys: Sequence[str]) -> np.ndarray:
        """(N, D) float16 features of `keys`."""
        shards: dict[int, np.ndarray] = {}
        out: list[np.ndarray] = []
        for key in keys:
            number, row = self.places[key]
            if number not in shards:
                shards[number] = np.load(self.folder / f"rows-{number:05d}.npy", mmap_mode="r")
            out.append(shards[number][row])
        return np.stack(out)

    def _view(self, record: Record, digest: str, view: View) -> np.ndarray:
        image = read_rgb(record.path)
        if image is None:
            raise TrainingError("cannot be decoded.", hint="Remove the file.", source=str(record.path))
        return view.of(image, digest, self.net.spec.tile)

    @torch.inference_mode()
    def _features(self, views: Sequence[np.ndarray]) -> np.ndarray:
        if self.embed:
            return self.embed(np.stack(views)).astype(np.float16)
        x = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float().div_(255.0)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16_pays(torch.device("cpu"))):
            features = self.net.embed(self.net.prepare(x))
        return features.float().numpy().astype(np.float16)

    def _write(self, keys: Sequence[str], rows: np.ndarray) -> None:
        number = 1 + max((n for n, _ in self.places.values()), default=-1)
        fill_whole(self.folder / f"rows-{number:05d}.npy", partial(_save_array, rows))
        text = json.dumps(list(keys))
        # The keys come last: rows without keys are as good as not there.
        fill_text(self.folder / f"keys-{number:05d}.json", text)
        self.places |= {key: (number, row) for row, key in enumerate(keys)}


def embed_in_8_bits(net: DetectorNet) -> Callable[[np.ndarray], np.ndarray]:
    """A network's `embed` in ONNX Runtime with 8-bit matrix products: on a CPU twice as fast as bfloat16.

    What is fitted on such features suits the network that a CPU will run in 8 bits.
    """
    from genimage_core.detectors.onnx.detector import OnnxDetector
    from genimage_core.detectors.onnx.export import export_onnx, known
    from genimage_core.detectors.onnx.quantize import quantised

    model = quantised(export_onnx(net, "features"), known(net), [], net.keep_float, "int8_dynamic")
    return OnnxDetector(model, known(net), "features", lambda: net).run


def _save_array(rows: np.ndarray, path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, rows)
