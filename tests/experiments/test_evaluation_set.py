"""The bundled evaluation set: built by the project's own small models, the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.evaluation_set import build, build_evalset, crops
from experiments.evaluation_set.families import FAMILIES, AdversarialUpscaler, DiffusionRefiner, Family
from genimage_core.datasets import scan_dataset
from genimage_core.detectors.weights.store import file_sha256
from tests.conftest import make_image


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    found = {f"{i}.png": make_image(i, 240 + 40 * i) for i in range(3)}
    monkeypatch.setattr(build, "photographs", lambda: found)
    return found


def test_the_set_is_in_the_benchmarks_layout_and_says_what_it_is(
    photos: dict[str, np.ndarray], tmp_path: Path
) -> None:
    told: list[tuple[float, str]] = []
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    folder = build_evalset(tmp_path / "one", each=2, steps=2, progress=lambda *now: told.append(now))
    assert torch.equal(before, torch.random.get_rng_state())
    records = scan_dataset(folder)
    assert len(records) == 2 * 2 * len(FAMILIES)
    assert {r.generator for r in records} == {kind.name for kind in FAMILIES}
    assert {r.split for r in records} == {"val"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {e["file"]: e["sha256"] for e in manifest["images"]} == {
        r.image_id: file_sha256(r.path) for r in records
    }
    assert {e["photograph"] for e in manifest["images"]} == set(photos)
    for record in records:
        with Image.open(record.path) as image:
            assert (image.size, image.format) == ((crops.SIDE, crops.SIDE), "JPEG")
    assert told[-1][0] == 1.0
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    again = build_evalset(tmp_path / "two", each=2, steps=2)
    assert json.loads((again / "manifest.json").read_text())["images"] == manifest["images"]
    stamp = (folder / "manifest.json").stat().st_mtime_ns
    assert build_evalset(folder, each=5) == folder  # it is there
    assert (folder / "manifest.json").stat().st_mtime_ns == stamp
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


@pytest.mark.parametrize("kind", FAMILIES)
def test_training_brings_a_family_nearer_to_the_pictures(
    kind: type[Family], photos: dict[str, np.ndarray]
) -> None:
    torch.manual_seed(0)
    model = kind()
    x = build.to_tensor([crop for _, crop in crops.draw_crops(photos, 8, 5)])[:, :, :64, :64]

    @torch.inference_mode()
    def error() -> float:
        torch.manual_seed(1)
        if kind is DiffusionRefiner:  # what it draws is not meant to be near, what it estimates is
            return float(model.loss(x))
        return float((build.remake(model, x) - x).abs().mean())

    before = error()
    build.train(model, photos, 16, seed=0)
    assert error() < 0.95 * before
    assert build.remake(model, x).shape == x.shape


def test_the_upscalers_two_losses_do_not_mix() -> None:
    torch.manual_seed(0)
    model, x = AdversarialUpscaler(), torch.rand(1, 3, 32, 32)
    made = model.remake(x)
    model.loss(x).backward()
    # The critic's gradient is that of its own loss alone.
    whole = [p.grad.clone() for p in model.critic.parameters() if p.grad is not None]
    model.critic.zero_grad()
    own = (1 - model.critic(x)).relu().mean() + (1 + model.critic(made.detach())).relu().mean()
    own.backward()
    for one, other in zip(whole, model.critic.parameters(), strict=True):
        assert other.grad is not None
        torch.testing.assert_close(one, other.grad)


def test_the_photographs_are_free_and_there_are_enough() -> None:
    found = crops.photographs()
    assert len(found) >= 8
    assert not {"real_flower.jpg", "real_temple.jpg"} & set(found)  # CC BY: not without a credit on each
    drawn = crops.draw_crops(found, 40, seed=0)
    assert {name for name, _ in drawn} == set(found)
    assert all(crop.shape == (crops.SIDE, crops.SIDE, 3) and crop.dtype == np.uint8 for _, crop in drawn)
    assert build.EACH * 2 * len(FAMILIES) >= 200
    assert len({crop.tobytes() for _, crop in drawn}) == 40
