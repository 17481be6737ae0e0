"""ImageNet starting weights for F3Net's two Xceptions, out of a Keras file that holds the network.

F3Net's own code starts from ImageNet weights. Keras' Xception and timm's `legacy_xception` are the
same network; Keras keeps its layers in the order in which they were built, so both are walked side by side.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimage_core.utils.errors import TrainingError

KERAS_EPS, TORCH_EPS = 1e-3, 1e-5
SNAKE = {
    "Conv2D": "conv2d",
    "SeparableConv2D": "separable_conv2d",
    "BatchNormalization": "batch_normalization",
}
# Blocks of timm's Xception whose shortcut has a convolution of its own.
WITH_SKIP = {1, 2, 3, 12}


def timm_layers() -> Iterator[tuple[str, str]]:
    """(kind, name) of timm's layers in Keras' order: the shortcut's come after its block's."""
    yield from (("Conv2D", "conv1"), ("BatchNormalization", "bn1"))
    yield from (("Conv2D", "conv2"), ("BatchNormalization", "bn2"))
    for block in range(1, 13):
        skip = block in WITH_SKIP
        first = 0 if block == 1 else 1
        for i in range(2 if skip else 3):
            yield "SeparableConv2D", f"block{block}.rep.{first + 3 * i}"
            yield "BatchNormalization", f"block{block}.rep.{first + 3 * i + 1}"
        if skip:
            yield from (("Conv2D", f"block{block}.skip"), ("BatchNormalization", f"block{block}.skipbn"))
    for i in (3, 4):
        yield from (("SeparableConv2D", f"conv{i}"), ("BatchNormalization", f"bn{i}"))


def _convert(kind: str, name: str, values: list[np.ndarray]) -> dict[str, np.ndarray]:
    if kind == "Conv2D":
        return {f"{name}.weight": values[0].transpose(3, 2, 0, 1)}
    if kind == "SeparableConv2D":
        return {
            f"{name}.conv1.weight": values[0].transpose(2, 3, 0, 1),
            f"{name}.pointwise.weight": values[1].transpose(3, 2, 0, 1),
        }
    gamma, beta, mean, variance = values
    # The two libraries add another epsilon to the variance; the difference goes into the variance.
    return {
        f"{name}.weight": gamma,
        f"{name}.bias": beta,
        f"{name}.running_mean": mean,
        f"{name}.running_var": variance + (KERAS_EPS - TORCH_EPS),
    }


def read_keras_xception(path: Path) -> dict[str, Tensor]:
    """The trunk's tensors under timm's names for `legacy_xception` (no classifier).

    Args:
        path: a `.keras` archive (Keras 3) with a model that contains a layer named `xception`.

    Raises:
        TrainingError: the file holds no such network.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
            trunk = next(layer for layer in layers if layer["config"]["name"] == "xception")
            kinds = [
                layer["class_name"] for layer in trunk["config"]["layers"] if layer["class_name"] in SNAKE
            ]
            wanted = list(timm_layers())
            if kinds != [kind for kind, _ in wanted]:
                raise KeyError("layers in another order")
            with h5py.File(archive.extract("model.weights.h5", folder)) as weights:
                return _read_layers(weights["layers/functional/layers"], wanted)
    except (KeyError, StopIteration, zipfile.BadZipFile):
        raise TrainingError("this file holds no Xception of Keras.", source=str(path)) from None


def _read_layers(group: Any, wanted: list[tuple[str, str]]) -> dict[str, Tensor]:
    seen: dict[str, int] = {}
    state: dict[str, Tensor] = {}
    for kind, name in wanted:
        number = seen.get(kind, 0)
        seen[kind] = number + 1
        stored = group[SNAKE[kind] + (f"_{number}" if number else "")]["vars"]
        values = [np.asarray(stored[str(i)]) for i in range(len(stored))]
        for key, value in _convert(kind, name, values).items():
            state[key] = torch.tensor(np.ascontiguousarray(value))
    return state


def xception_to_f3net(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """One ImageNet Xception -> both streams of F3Net, under the detector's names.

    As in public F3Net code, the stem's kernels are repeated over the 12 (FAD) and 6 (LFS) input
    channels and divided by the number of copies.
    """
    out: dict[str, Tensor] = {}
    for stream, copies in (("body", 4), ("lfs_body", 2)):
        for key, value in state.items():
            stem = key == "conv1.weight"
            out[f"{stream}.{key}"] = value.repeat(1, copies, 1, 1) / copies if stem else value.clone()
    return out
