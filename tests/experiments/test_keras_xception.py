"""Keras' Xception to F3Net: every tensor finds its place, and the result computes the same."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor

from experiments.init.keras_xception import (
    KERAS_EPS,
    SNAKE,
    TORCH_EPS,
    read_keras_xception,
    timm_layers,
    xception_to_f3net,
)
from genimage_core.detectors import build_network
from genimage_core.utils.errors import TrainingError

h5py = pytest.importorskip("h5py", reason="h5py reads Keras files")


@pytest.fixture(scope="module")
def trunk() -> torch.nn.Module:
    torch.manual_seed(0)
    net = timm.create_model("legacy_xception", num_classes=0).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr,operator]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr,operator]
    return net


def write_keras(path: Path, state: dict[str, Tensor], *, name: str = "xception") -> None:
    """What Keras 3 saves for a model around a frozen Xception, made from timm's tensors."""
    kinds = [kind for kind, _ in timm_layers()]
    trunk = {"config": {"name": name, "layers": [{"class_name": k} for k in ["InputLayer", *kinds]]}}
    weights = path.with_suffix(".h5")
    seen: dict[str, int] = {}
    with h5py.File(weights, "w") as file:
        for kind, layer in timm_layers():
            number = seen.get(kind, 0)
            seen[kind] = number + 1
            values = {
                "Conv2D": lambda n: [state[f"{n}.weight"].permute(2, 3, 1, 0)],
                "SeparableConv2D": lambda n: [
                    state[f"{n}.conv1.weight"].permute(2, 3, 0, 1),
                    state[f"{n}.pointwise.weight"].permute(2, 3, 1, 0),
                ],
                "BatchNormalization": lambda n: [
                    state[f"{n}.weight"],
                    state[f"{n}.bias"],
                    state[f"{n}.running_mean"],
                    state[f"{n}.running_var"] - (KERAS_EPS - TORCH_EPS),
                ],
            }[kind](layer)
            folder = SNAKE[kind] + (f"_{number}" if number else "")
            for i, value in enumerate(values):
                file[f"layers/functional/layers/{folder}/vars/{i}"] = value.numpy()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [trunk]}}))
        archive.write(weights, "model.weights.h5")


def test_reading_gives_the_network_back(trunk: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    write_keras(path, trunk.state_dict())
    read = timm.create_model("legacy_xception", num_classes=0).eval()
    read.load_state_dict(read_keras_xception(path), strict=False)
    x = torch.rand(1, 3, 95, 95)
    with torch.inference_mode():
        torch.testing.assert_close(read(x), trunk(x), atol=1e-4, rtol=1e-4)


def test_both_streams_start_from_it(trunk: torch.nn.Module) -> None:
    start = xception_to_f3net({k: v for k, v in trunk.state_dict().items() if "num_batches" not in k})
    net = build_network("f3net")
    assert not net.load_state_dict(start, strict=False).unexpected_keys
    assert not {k for k in net.state_dict() if "body" in k and "num_batches" not in k} - set(start)
    x = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        stem = trunk.conv1(x)  # type: ignore[operator]
        torch.testing.assert_close(net.body.conv1(x.repeat(1, 4, 1, 1)), stem)


def test_another_file_is_refused(tmp_path: Path, trunk: torch.nn.Module) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"no archive")
    with pytest.raises(TrainingError, match="no Xception"):
        read_keras_xception(path)
    write_keras(path, trunk.state_dict(), name="mobilenet")
    with pytest.raises(TrainingError, match="no Xception"):
        read_keras_xception(path)
