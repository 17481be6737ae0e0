"""Packing: bits in and out, error bounds, and the limit on file sizes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from genimage_core.detectors.weights import packing
from genimage_core.detectors.weights import store as weights


@pytest.mark.parametrize("bits", range(2, 9))
def test_bits_round_trip(bits: int) -> None:
    values = np.random.default_rng(bits).integers(0, 2**bits, 1003).astype(np.uint8)
    packed = packing.to_bits(values, bits)
    assert len(packed) == -(-1003 * bits // 8)
    np.testing.assert_array_equal(packing.from_bits(packed, bits, 1003), values)


@pytest.mark.parametrize(("bits", "bound"), [(8, 0.01), (6, 0.04), (4, 0.15)])
def test_quantisation_error_stays_below_its_bound(bits: int, bound: float) -> None:
    torch.manual_seed(0)
    weight = torch.randn(64, 3, 7, 7) * torch.logspace(-3, 0, 64).view(-1, 1, 1, 1)
    q, scales = packing.quantise(weight, bits, 64)
    back = packing.dequantise(q, scales, packing.PackedShape((64, 3, 7, 7), bits, 64))
    per_row = (back - weight).flatten(1).norm(dim=1) / weight.flatten(1).norm(dim=1)
    assert per_row.max() < bound


def test_values_on_the_grid_come_back_exactly() -> None:
    weight = torch.arange(-7, 8).float().repeat(40, 10) * 0.25
    q, scales = packing.quantise(weight, 4, 150)
    assert torch.equal(packing.dequantise(q, scales, packing.PackedShape((40, 150), 4, 150)), weight)


def test_small_tensors_and_integers_are_kept() -> None:
    state = {"bias": torch.randn(5000), "count": torch.tensor(3), "big": torch.randn(64, 64)}
    tensors, metadata = packing.pack_state(state, 8, 64)
    back = packing.unpack_state(tensors, metadata)
    assert torch.equal(back["bias"], state["bias"])
    assert torch.equal(back["count"], state["count"])
    assert back["big"].shape == (64, 64)


def test_first_layers_can_get_eight_bits() -> None:
    torch.manual_seed(0)
    state = {name: torch.randn(64, 64) for name in ("body.conv1.weight", "body.conv10.weight", "lfs.weight")}
    tensors, metadata = packing.pack_state(state, 4, 64, fine=("body.conv1", "lfs"))
    bits = {name: entry["bits"] for name, entry in json.loads(metadata["packed"]).items()}
    assert bits == {"body.conv1.weight": 8, "body.conv10.weight": 4, "lfs.weight": 8}
    back = packing.unpack_state(tensors, metadata)
    error = {name: float((back[name] - state[name]).abs().mean()) for name in state}
    assert error["body.conv1.weight"] < 0.01 < 0.05 < error["body.conv10.weight"]


def test_the_manifest_names_what_got_eight_bits(tmp_path: Path) -> None:
    state = {"a.weight": torch.randn(64, 64), "b.weight": torch.randn(64, 64)}
    entry = weights.save_packed("net", state, tmp_path, bits=5, group=64, facts={}, fine=("a",))
    assert entry["fine"] == {"bits": 8, "modules": ["a"]}
    assert "fine" not in weights.save_packed("net", state, tmp_path, bits=5, group=64, facts={})


def test_large_networks_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_FILE_BYTES", 30_000)
    torch.manual_seed(0)
    state = {f"layer{i}": torch.randn(100, 200) for i in range(5)}
    entry = weights.save_packed("net", state, tmp_path, bits=8, group=64, facts={})
    assert len(entry["files"]) == 5
    assert all(file["bytes"] < 30_000 for file in entry["files"])
    back, digest = weights.load_state("net", tmp_path)
    assert set(back) == set(state)
    assert len(digest) == 64


def test_bundled_weights_keep_within_their_limits() -> None:
    if not (weights.BUNDLED / weights.MANIFEST).exists():
        pytest.skip("no weights are bundled")
    manifest = weights.read_manifest(weights.BUNDLED)
    files = [file for entry in manifest["detectors"].values() for file in entry["files"]]
    sizes = [(weights.BUNDLED / file["path"]).stat().st_size for file in files]
    assert max(sizes) < 40_000_000
    assert sum(sizes) < 270_000_000
    for entry in manifest["detectors"].values():
        assert entry["packing_loss"]["points"] < 0.5
