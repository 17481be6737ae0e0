"""Training: data selection, determinism, stop and resume, both classes treated alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from genimage_core.datasets import list_generators, scan_dataset
from genimage_core.detectors import detector_class, load_detector
from genimage_core.detectors.registry import register_detector
from genimage_core.evaluation.engine.run import score_in_memory
from genimage_core.metrics.classification import auroc
from genimage_core.training import loop
from genimage_core.training.augment import augment, cutmix, reencode
from genimage_core.training.data import TrainingSamples, data_hash, select_training
from genimage_core.training.loop import Trainer
from genimage_core.training.optim import lr_factor
from genimage_core.training.plan import TrainingPlan
from genimage_core.utils.errors import DatasetError, TrainingError
from tests.conftest import make_image
from tests.detectors.test_every_detector import TinyNet


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core.detectors import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    detector_class("resnet50")
    register_detector(TinyNet)


def plan(data: Path, out: Path, **changes: object) -> TrainingPlan:
    base = TrainingPlan("tiny", data, "all", out, workers=0, device="cpu", validate_every=0)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_scan_reads_both_layouts(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    assert list_generators(records, "train") == ["alpha", "beta"]
    assert len(records) == 2 * 2 * (12 + 6)
    assert sum(r.label for r in records) == len(records) // 2
    assert {r.generator for r in scan_dataset(toy_dataset / "alpha")} == {"alpha"}


def test_scan_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="ai,nature"):
        scan_dataset(tmp_path)
    with pytest.raises(DatasetError, match="not a folder"):
        scan_dataset(tmp_path / "absent")


def test_selection_pools_reals_or_keeps_them_apart(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    pool, own = select_training(records, "alpha"), select_training(records, "alpha", "own")
    assert {r.generator for r in pool if r.label} == {"alpha"}
    assert {r.generator for r in pool if not r.label} == {"alpha", "beta"}
    assert {r.generator for r in own} == {"alpha"}
    assert all(r.split == "train" for r in pool)
    with pytest.raises(TrainingError, match="alpha, beta"):
        select_training(records, "gamma")


def test_data_hash_sees_contents(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    before = data_hash(records)
    records[0].path.write_bytes(records[1].path.read_bytes())
    assert data_hash(records) != before


def test_samples_depend_on_seed_and_place_alone(toy_dataset: Path, tiny: None) -> None:
    records = select_training(scan_dataset(toy_dataset), "all")
    recipe = TinyNet.recipe
    one, two = TrainingSamples(records, recipe, 6, 0), TrainingSamples(records, recipe, 6, 0)
    _ = one[0]
    for k in (5, 40):
        assert torch.equal(one[k][0], two[k][0])
        assert one[k][1] == k % 2
    assert not torch.equal(one[5][0], TrainingSamples(records, recipe, 6, 1)[5][0])


def test_augmentation_treats_classes_alike() -> None:
    """The label is no input: equal images and draws give equal views, and every view is re-encoded."""
    recipe = replace(
        TinyNet.recipe, crop=48, jpeg_quality=(30, 40), webp_share=0.0, blur_p=0.0, rescale_p=0.0
    )
    image = make_image(5)
    views = [augment(image, recipe, 48, np.random.default_rng(9)) for _ in range(2)]
    np.testing.assert_array_equal(views[0], views[1])
    sharp = augment(image, replace(recipe, encode_p=0.0), 48, np.random.default_rng(9))
    assert np.abs(sharp.astype(int) - views[0]).mean() > 1
    assert views[0].shape == (48, 48, 3)
    assert augment(make_image(1, 20), recipe, 48, np.random.default_rng(0)).shape == (48, 48, 3)


@pytest.mark.parametrize("webp", [False, True])
def test_reencoding_keeps_colours_in_place(webp: bool) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[..., 0] = 200
    out = reencode(image, 95, webp=webp)
    assert abs(int(out[..., 0].mean()) - 200) < 6
    assert out[..., 2].mean() < 12


def test_learning_rate_warms_up_and_ends_at_zero() -> None:
    factors = [lr_factor(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == 1.0
    assert factors[-1] < 0.01


def test_training_learns_a_planted_trace(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: None
) -> None:
    """The real ResNet-18 trunk of GramNet separates a checkerboard within a few steps."""
    gram = detector_class("gramnet")
    light = replace(gram.recipe, jpeg_quality=(95, 100), webp_share=0.0, rescale_p=0.0, blur_p=0.0,
                    crop=48, final_crop=None, batch_size=8, steps=20, lr=3e-4)  # fmt: skip
    monkeypatch.setattr(gram, "recipe", light)
    run = plan(toy_dataset, tmp_path / "run", detector="gramnet", seed=4)
    assert Trainer(run).run() == tmp_path / "run" / "weights.safetensors"
    records = [r for r in scan_dataset(toy_dataset) if r.split == "val"]
    scores = score_in_memory(records, {"gramnet": load_detector("gramnet", weights=tmp_path / "run")})
    assert auroc(np.array([r.label for r in records]), scores["gramnet"]).value > 0.9
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["fakes"] == 24
    assert len(manifest["data_sha256"]) == 64
    assert manifest["versions"]["torch"]


def test_a_stopped_run_goes_on_to_the_same_weights(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: None
) -> None:
    whole = Trainer(plan(toy_dataset, tmp_path / "whole")).run()

    class StopAtThree(loop.Stop):
        looks = 0

        @property
        def asked(self) -> bool:
            self.looks += 1
            return self.looks > 3

        @asked.setter
        def asked(self, value: bool) -> None:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(loop, "Stop", StopAtThree)
        assert Trainer(plan(toy_dataset, tmp_path / "parts")).run() is None
    second = Trainer(plan(toy_dataset, tmp_path / "parts"))
    assert 0 < second.step < 6
    parts = second.run()
    assert whole is not None
    assert parts is not None
    a, b = load_file(whole), load_file(parts)
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_another_run_in_the_same_folder_is_refused(toy_dataset: Path, tmp_path: Path, tiny: None) -> None:
    Trainer(plan(toy_dataset, tmp_path / "run")).run()
    with pytest.raises(TrainingError, match="another run"):
        Trainer(plan(toy_dataset, tmp_path / "run", seed=1))


def test_corrupt_training_files_are_skipped(toy_dataset: Path, tmp_path: Path, tiny: None) -> None:
    for path in sorted((toy_dataset / "alpha/train/ai").iterdir())[:3]:
        path.write_bytes(b"not an image")
    assert Trainer(plan(toy_dataset, tmp_path / "run")).run() is not None


def test_cutmix_labels_follow_the_areas() -> None:
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    images = labels.view(4, 1, 1, 1).expand(4, 3, 40, 40).contiguous()
    torch.manual_seed(3)
    mixed, shares = cutmix(images, labels, 1.0)
    assert torch.allclose(mixed.mean((1, 2, 3)), shares, atol=1e-5)
    assert ((shares > 0) & (shares < 1)).all()
    torch.manual_seed(3)
    assert torch.equal(cutmix(images, labels, 1.0)[0], mixed)
    assert cutmix(images, labels, 0.0)[0] is images


def test_a_stopped_run_with_cutmix_goes_on_to_the_same_weights(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: None
) -> None:
    plain = Trainer(plan(toy_dataset, tmp_path / "plain")).run()
    whole = Trainer(plan(toy_dataset, tmp_path / "whole", cutmix=0.7)).run()
    with monkeypatch.context() as patch:
        patch.setattr(loop.Stop, "asked", property(lambda _: True, lambda *_: None), raising=False)
        assert Trainer(plan(toy_dataset, tmp_path / "parts", cutmix=0.7)).run() is None
    parts = Trainer(plan(toy_dataset, tmp_path / "parts", cutmix=0.7)).run()
    assert plain is not None
    assert whole is not None
    assert parts is not None
    a, b, c = load_file(whole), load_file(parts), load_file(plain)
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not all(torch.equal(a[k], c[k]) for k in a)
    assert json.loads((whole.parent / "manifest.json").read_text())["recipe"]["cutmix_p"] == 0.7


def test_cutmix_and_a_teacher_are_refused(toy_dataset: Path, tmp_path: Path, tiny: None) -> None:
    with pytest.raises(TrainingError, match="mixed crops"):
        Trainer(plan(toy_dataset, tmp_path / "run", cutmix=0.5, teacher=tmp_path / "lessons"))
