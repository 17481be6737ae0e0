"""Heads by source: fitted on a manifest, judged on sources they never saw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from genimage_core.detectors import build_network, load_detector
from genimage_core.detectors.base import InputSpec
from genimage_core.detectors.models.dinov2 import DinoV2Small, TappedTransformer
from genimage_core.detectors.registry import register_detector
from genimage_core.training.heads import by_source
from genimage_core.training.heads.by_source import SourcedPlan, fit_by_source, source_weights
from genimage_core.training.web import web_chain
from genimage_core.utils.errors import TrainingError


class TinyWhole(TappedTransformer):
    """A tiny transformer that reads whole pictures."""

    info = replace(DinoV2Small.info, name="tiny_whole", title="TinyWhole")
    spec = InputSpec(tile=224, max_tiles=1, whole=True)
    recipe = DinoV2Small.recipe

    def __init__(self, backbone: str = "test_vit") -> None:
        super().__init__(backbone)


def silent(_: object) -> None:
    """Reports nothing."""


def _picture(label: str, seed: int) -> np.ndarray:
    """Fakes are stripes, the others noise: told apart by any trunk."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (240, 260, 3), dtype=np.uint8)
    if label == "ai":
        image[:, :: 2 + seed % 2] = 255
    return image


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourcedPlan:
    from genimage_core.detectors import registry

    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register_detector(TinyWhole)
    # What is tested is the fit; features in 8 bits have a test of their own.
    monkeypatch.setattr(by_source, "embed_in_8_bits", lambda net: None)
    lines = ["path,label,source,fold"]
    for number, label in enumerate(["ai", "nature", "not_photo"] * 4):
        name = f"{number}.png"
        Image.fromarray(_picture(label, number)).save(tmp_path / name)
        lines.append(f"{name},{label},{label}-{number // 6},{number // 6}")
    (tmp_path / "set.csv").write_text("\n".join(lines) + "\n")
    trunk = {k: v for k, v in build_network("tiny_whole", seed=1).state_dict().items() if "body" in k}
    save_file(trunk, tmp_path / "trunk.safetensors")
    return SourcedPlan(
        tmp_path / "set.csv", tmp_path / "trunk.safetensors", tmp_path / "features", "tiny_whole",
        inverse_penalty=1e-2, degradations=("jpeg:50",), degrade=1,
    )  # fmt: skip


def test_a_head_is_judged_without_its_sources_and_loads(plan: SourcedPlan, tmp_path: Path) -> None:
    fit_by_source(plan, tmp_path / "run", silent)
    scores = pd.read_csv(tmp_path / "run" / "held_out.csv")
    clean = scores[scores["degradation"] == "none"]
    assert len(clean) == 12
    assert clean.loc[clean["label"] == 1, "p_fake"].min() > clean.loc[clean["label"] == 0, "p_fake"].max()
    assert len(scores[scores["degradation"] == "jpeg:50"]) == 6  # one of each kind and source
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["files"], manifest["fakes"], manifest["not_photo"], manifest["sources"]) == (12, 4, 4, 6)
    detector = load_detector("tiny_whole", weights=tmp_path / "run", device="cpu", runtime="torch")
    fake, real = detector.predict([_picture("ai", 50), _picture("nature", 51)])
    assert fake > 0.5 > real


def test_pictures_without_features_can_be_left_out(plan: SourcedPlan, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="both classes"):
        fit_by_source(replace(plan, cached_only=True), tmp_path / "none", silent)
    fit_by_source(plan, tmp_path / "all", silent)
    fit_by_source(replace(plan, cached_only=True), tmp_path / "again", silent)
    assert (tmp_path / "all" / "held_out.csv").read_text() == (
        tmp_path / "again" / "held_out.csv"
    ).read_text()


def test_weights_give_kinds_their_shares_and_sources_the_root_of_their_size() -> None:
    kinds = ["ai"] * 5 + ["nature"] * 2 + ["not_photo"]
    sources = ["a"] * 4 + ["b"] + ["c", "d", "e"]
    weights = source_weights(kinds, sources)
    total = weights.sum()
    assert weights[:5].sum() / total == pytest.approx(0.5)
    assert weights[5:7].sum() / total == pytest.approx(0.3)
    assert weights[:4].sum() / weights[4] == pytest.approx(2)  # four times as many, twice the weight


def test_the_web_repeats_with_its_seed_and_changes_the_picture() -> None:
    image = _picture("nature", 3)
    first = [web_chain(image, np.random.default_rng(seed)) for seed in range(12)]
    again = [web_chain(image, np.random.default_rng(seed)) for seed in range(12)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({picture.shape for picture in first}) > 4
    assert all(picture.dtype == np.uint8 and picture.ndim == 3 for picture in first)
    tall = web_chain(np.zeros((3000, 100, 3), np.uint8), np.random.default_rng(0))
    assert max(tall.shape) <= 2048
