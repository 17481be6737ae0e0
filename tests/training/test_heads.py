"""Heads on frozen features: the cache, the fit, leave-one-out, and weights that load like any others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from genimage_core.datasets import scan_dataset
from genimage_core.detectors import build_network, load_detector
from genimage_core.detectors.base import InputSpec
from genimage_core.detectors.models.dinov2 import DinoV2Small, TappedTransformer
from genimage_core.detectors.registry import register_detector
from genimage_core.detectors.weights.store import network_options
from genimage_core.training.heads import features as features_module
from genimage_core.training.heads.features import FeatureCache, View
from genimage_core.training.heads.fit import HeadPlan, fit_head_run, leave_one_out_figures
from genimage_core.training.heads.linear import fit_linear, group_weights
from genimage_core.training.loop import Trainer
from genimage_core.training.plan import TrainingPlan
from genimage_core.utils.errors import TrainingError
from tests.conftest import make_image


class TinyTaps(TappedTransformer):
    """`dinov2` on timm's transformer for tests; a short recipe."""

    info = replace(DinoV2Small.info, name="tiny_taps", title="TinyTaps")
    spec = InputSpec(tile=224, max_tiles=1)
    recipe = replace(DinoV2Small.recipe, steps=1, batch_size=2)

    def __init__(self, backbone: str = "test_vit") -> None:
        super().__init__(backbone)


@pytest.fixture
def plan(toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HeadPlan:
    from genimage_core.detectors import registry

    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register_detector(TinyTaps)
    init = tmp_path / "trunk.safetensors"
    trunk = {k: v for k, v in build_network("tiny_taps", seed=1).state_dict().items() if "body" in k}
    save_file(trunk, init)
    return HeadPlan(toy_dataset, init, tmp_path / "features", "tiny_taps", inverse_penalty=1e-2)


def silent(_: object) -> None:
    """Reports nothing."""


def test_a_head_becomes_weights_that_load_and_separate(plan: HeadPlan, tmp_path: Path) -> None:
    fit_head_run(plan, tmp_path / "run", silent)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["trunk"] == "frozen"
    assert manifest["files"] == 48
    detector = load_detector("tiny_taps", weights=tmp_path / "run", device="cpu", runtime="torch")
    records = scan_dataset(plan.data)
    images = {y: [make_image(5000 + i, fake=bool(y)) for i in range(6)] for y in (0, 1)}
    scores = {y: detector.predict(images[y]) for y in (0, 1)}
    assert scores[1].mean() > scores[0].mean() + 0.1
    assert len(records) == 72


def test_the_cache_computes_a_file_once_whatever_its_name(
    plan: HeadPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = build_network("tiny_taps")
    records = scan_dataset(plan.data)[:5]
    cache = FeatureCache(tmp_path / "cache", net, "w")
    keys = cache.fill(records, View())
    copy = tmp_path / "copies" / "gamma" / "val" / "ai" / "renamed.png"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(records[0].path.read_bytes())
    monkeypatch.setattr(features_module, "read_rgb", lambda _: pytest.fail("computed again"))
    again = FeatureCache(tmp_path / "cache", net, "w")
    assert again.fill(scan_dataset(tmp_path / "copies"), View()) == keys[:1]
    assert np.array_equal(again.read(keys), cache.read(keys))


def test_another_augmentation_is_another_view(plan: HeadPlan, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache", build_network("tiny_taps"), "w")
    record = scan_dataset(plan.data)[:1]
    views = [View(), View(TinyTaps.recipe, 0), View(TinyTaps.recipe, 1)]
    views.append(View(replace(TinyTaps.recipe, blur_p=0.9), 0))
    keys = [cache.fill(record, view)[0] for view in views]
    assert len(set(keys)) == 4
    rows = cache.read(keys)
    assert not np.allclose(rows[1], rows[2], atol=1e-2)


def test_a_cache_of_other_weights_is_refused(plan: HeadPlan, tmp_path: Path) -> None:
    FeatureCache(tmp_path / "cache", build_network("tiny_taps"), "one")
    with pytest.raises(TrainingError, match="other weights"):
        FeatureCache(tmp_path / "cache", build_network("tiny_taps"), "two")


def test_leaving_one_out_leaves_its_fakes_out(plan: HeadPlan) -> None:
    figures = leave_one_out_figures(plan, silent)
    assert set(figures["generators"]) == {"alpha", "beta"}
    assert figures["generators"]["alpha"]["n"] == 12
    values = [f["value"] for f in figures["generators"].values()]
    assert figures["mean_auroc"] == pytest.approx(np.mean(values), abs=1e-4)
    # Both carry the same trace, so a head that knows one finds the other.
    assert min(values) > 0.7


def test_the_linear_fit_agrees_with_its_folded_form() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    x = (rng.normal(size=(80, 12)) * np.linspace(0.1, 40, 12) + labels[:, None]).astype(np.float16)
    head = fit_linear(x, labels, inverse_penalty=1.0)
    assert ((head.log_odds(x) > 0) == (labels == 1)).mean() > 0.8
    shifted = fit_linear(x + np.float16(3), labels, inverse_penalty=1.0)
    assert np.allclose(shifted.log_odds(x + np.float16(3)), head.log_odds(x), atol=0.1)
    with pytest.raises(TrainingError, match="both classes"):
        fit_linear(x, np.ones(80))


def test_weights_balance_classes_and_lift_small_groups() -> None:
    labels = np.array([1] * 100 + [1] * 4 + [0] * 20)
    weights = group_weights(["big"] * 100 + ["small"] * 4 + ["photo"] * 20, labels)
    assert weights.mean() == pytest.approx(1)
    assert weights[labels == 1].sum() == pytest.approx(weights[labels == 0].sum())
    assert weights[100] == pytest.approx(5 * weights[0])


def test_another_backbone_is_remembered_by_the_weights(plan: HeadPlan, tmp_path: Path) -> None:
    other = "vit_tiny_patch16_224"
    net = build_network("tiny_taps", backbone=other)
    init = tmp_path / "other.safetensors"
    save_file({k: v for k, v in net.state_dict().items() if "body" in k}, init)
    run = tmp_path / "run"
    changed = replace(plan, backbone=other, init=init, features=tmp_path / "others")
    fit_head_run(changed, run, silent)
    assert network_options("tiny_taps", run) == {"backbone": other}
    assert load_detector("tiny_taps", weights=run, device="cpu").net.body.embed_dim == 192


def test_tuning_starts_from_the_fitted_head(plan: HeadPlan, tmp_path: Path) -> None:
    weights = fit_head_run(plan, tmp_path / "run", silent)
    tuning = TrainingPlan(
        "tiny_taps", plan.data, "all", tmp_path / "tuned", init=weights, workers=0, device="cpu",
        validate_every=0,
    )  # fmt: skip
    trainer = Trainer(tuning)
    assert trainer.init_tensors == len(trainer.net.state_dict())
    assert any(g["params"][0] is trainer.net.head.weight for g in trainer.optimizer.param_groups)
    assert trainer.run() == tmp_path / "tuned" / "weights.safetensors"


def test_every_block_is_tapped() -> None:
    net = build_network("dinov2").eval()
    with torch.inference_mode():
        prepared = net.prepare(torch.rand(1, 3, 224, 224))
        features = net.embed(prepared)
    assert features.shape == (1, 12 * 3 * 384)
    parts = features.reshape(36, 384)
    assert torch.allclose(parts.mean(1), torch.zeros(36), atol=1e-4)
