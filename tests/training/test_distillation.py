"""Distillation: views and tokens belong together, a student resumes to the same weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from genimage_core.datasets import Record, scan_dataset
from genimage_core.detectors import build_network, detector_class
from genimage_core.detectors.base import DenseLayer
from genimage_core.detectors.registry import list_detectors, register_detector
from genimage_core.training.data import select_training
from genimage_core.training.distillation import teacher as teaching
from genimage_core.training.distillation.student import DistilledSamples, TokenLoss, soft_labels
from genimage_core.training.distillation.teacher import (
    GRID,
    PATCH,
    SIDE,
    WIDTH,
    TeacherViews,
    make_teacher_views,
)
from genimage_core.training.loop import Trainer
from genimage_core.training.plan import TrainingPlan
from genimage_core.utils.errors import TrainingError
from tests.detectors.test_every_detector import TinyNet


class Student(TinyNet):
    """The tests' tiny network, one of whose layers can learn from tokens."""

    info = replace(TinyNet.info, name="student")
    recipe = replace(TinyNet.recipe, crop=64, final_crop=96, final_share=0.5, batch_size=8, steps=6)


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core.detectors import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    detector_class("resnet50")
    register_detector(Student)


def write_views(folder: Path, n: int = 12, records: Sequence[Record] = ()) -> TeacherViews:
    """A set of lessons in which each token's first channel says where its patch lies in the view.

    With records, as many as they are, two views each.
    """
    n = 2 * len(records) or n
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    tokens = np.zeros((n, GRID, GRID, WIDTH), np.float16)
    tokens[..., 0] = np.arange(GRID)[None, :, None]
    tokens[..., 1] = np.arange(GRID)[None, None, :]
    views = rng.integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    views[..., 0] = (np.arange(SIDE) // PATCH)[None, :, None]
    views[..., 1] = (np.arange(SIDE) // PATCH)[None, None, :]
    np.save(folder / "views.npy", views)
    np.save(folder / "tokens.npy", tokens)
    np.save(folder / "log_odds.npy", np.linspace(-3, 3, n, dtype=np.float32))
    labels = [r.label for r in records] * 2 or [i % 2 for i in range(n)]
    facts = {
        "teacher": "none",
        "ids": [r.image_id for r in records] * 2 or [str(i) for i in range(n)],
        "labels": labels,
        "done": n,
        "evidence": [1.0] + [0.0] * 383,
    }
    (folder / "facts.json").write_text(json.dumps(facts))
    return TeacherViews.load(folder)


def test_crops_and_tokens_show_the_same_patches(tmp_path: Path) -> None:
    lessons = write_views(tmp_path / "views")
    samples = DistilledSamples(lessons, Student.recipe, 6, seed=0)
    for k in range(48):
        crop, label, p_teacher, tokens = samples[k]
        side = samples.crop_at(k // 8)
        assert crop.shape == (3, side, side)
        assert tokens.shape == (side // PATCH, side // PATCH, WIDTH)
        assert label == k % 2
        assert 0 < p_teacher < 1
        patches = crop[:2, ::PATCH, ::PATCH].permute(1, 2, 0).float()
        assert torch.equal(patches, tokens[..., :2])
    assert samples.crop_at(5) == 96


def test_teacher_looks_at_every_view_and_resumes(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "deit"
    weights.mkdir()
    save_file(build_network("deit_s", seed=1).state_dict(), weights / "weights.safetensors")
    (weights / "manifest.json").write_text(json.dumps({"detector": "deit_s"}))
    records = select_training(scan_dataset(toy_dataset), "all")[::6]
    options = {"weights": weights, "views": 2, "batch": 3, "seed": 4}
    make_teacher_views(records, tmp_path / "whole", **options)  # type: ignore[arg-type]
    whole = TeacherViews.load(tmp_path / "whole")
    assert len(whole.ids) == len(whole.views) == 2 * len(records)
    assert list(whole.labels[: len(records)]) == [r.label for r in records]
    assert np.abs(whole.tokens[:3].astype(np.float32).mean((0, 1, 2))).max() < 0.1
    assert not np.array_equal(whole.views[0], whole.views[len(records)])

    looks = teaching._look

    def stop_after_one(net: object, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        monkeypatch.setattr(teaching, "_look", interrupt)
        return looks(net, views)

    def interrupt(*_: object) -> tuple[np.ndarray, np.ndarray]:
        raise KeyboardInterrupt

    monkeypatch.setattr(teaching, "_look", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        make_teacher_views(records, tmp_path / "parts", **options)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=r"teach|incomplete"):
        TeacherViews.load(tmp_path / "parts")
    monkeypatch.setattr(teaching, "_look", looks)
    make_teacher_views(records, tmp_path / "parts", **options)  # type: ignore[arg-type]
    parts = TeacherViews.load(tmp_path / "parts")
    np.testing.assert_array_equal(parts.views, whole.views)
    np.testing.assert_allclose(parts.log_odds, whole.log_odds, atol=1e-5)


def test_a_student_that_stops_ends_in_the_same_weights(
    toy_dataset: Path, tmp_path: Path, student: None
) -> None:
    records = select_training(scan_dataset(toy_dataset), "all")
    write_views(tmp_path / "views", records=records)
    plan = TrainingPlan(
        "student", toy_dataset, "all", tmp_path / "whole", workers=0, device="cpu", validate_every=0,
        teacher=tmp_path / "views",
    )  # fmt: skip
    whole = Trainer(plan).run()
    assert whole is not None
    halves = replace(plan, out=tmp_path / "halves")
    first = Trainer(halves)
    update = first._update

    def stop_at_three(*batch: torch.Tensor) -> float:
        if first.step == 3:
            first._save()
            raise KeyboardInterrupt
        return update(*batch)

    first._update = stop_at_three  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        first.run()
    again = Trainer(halves).run()
    assert again is not None
    one, two = load_file(whole), load_file(again)
    assert all(torch.equal(one[k], two[k]) for k in one)
    manifest = json.loads((tmp_path / "whole" / "manifest.json").read_text())
    assert manifest["teacher"]["views"] == 2 * len(records)
    assert "ids" not in manifest["teacher"]


@pytest.mark.parametrize("name", [n for n in list_detectors() if detector_class(n).dense_layer])
def test_the_named_layer_has_one_vector_for_16_px(name: str) -> None:
    net = build_network(name)
    dense = net.dense_layer
    assert isinstance(dense, DenseLayer)
    loss = TokenLoss(net, np.eye(1, WIDTH, dtype=np.float32)[0]).train()
    side = 64 if name != "swin_t" else 112
    net(torch.rand(2, 3, side, side))
    assert loss.features is not None
    if dense.layout == "NC":
        assert loss.features.shape == (2, dense.channels)
        assert loss(torch.zeros(2, side // PATCH, side // PATCH, WIDTH)).item() > 0
        return
    shape = (
        loss.features.shape[1:]
        if dense.layout == "NCHW"
        else (*loss.features.shape[3:], *loss.features.shape[1:3])
    )
    assert tuple(shape) == (dense.channels, side // PATCH, side // PATCH)
    tokens = torch.zeros(2, side // PATCH, side // PATCH, WIDTH)
    value = loss(tokens)
    value.backward()
    assert loss.map.weight.grad is not None
    assert loss.map.weight.grad.abs().sum() > 0
    loss.features = None
    net(torch.rand(2, 3, side, side))
    with torch.no_grad():
        loss.map.weight.zero_()
        loss.map.bias.zero_()
    # An error of 1 in the evidence's channel alone: its share of the mean, and once in full.
    assert loss(tokens + loss.evidence).item() == pytest.approx(1 / WIDTH + 1, rel=1e-4)
    assert loss.features is None


def test_soft_labels_lie_halfway() -> None:
    out = soft_labels(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 1.0]))
    assert out.tolist() == [0.25, 1.0]


def test_a_run_learns_from_the_views_of_its_own_images_alone(toy_dataset: Path, tmp_path: Path) -> None:
    records = select_training(scan_dataset(toy_dataset), "all")
    lessons = write_views(tmp_path / "views", records=records)
    some = {r.image_id for r in records[::2]}
    fewer = lessons.of_images(some)
    assert len(fewer.rows) == 2 * len(some)
    assert {fewer.ids[row] for row in fewer.rows} == some
    samples = DistilledSamples(fewer, Student.recipe, 6, seed=0)
    assert {int(i) for rows in samples.by_label for i in rows} == set(fewer.rows)
    with pytest.raises(TrainingError, match="1 of 1 training images"):
        lessons.of_images({"never/seen"})


def test_without_generators_only_what_the_teacher_sees_is_learned(
    toy_dataset: Path, tmp_path: Path, student: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = select_training(scan_dataset(toy_dataset), "none")
    assert records
    assert not any(r.label for r in records)
    lessons = write_views(tmp_path / "views", records=records)
    samples = DistilledSamples(lessons, Student.recipe, 1, seed=0)
    assert {samples[k][1] for k in range(8)} == {0.0}
    facts = json.loads((tmp_path / "views" / "facts.json").read_text())
    (tmp_path / "views" / "facts.json").write_text(json.dumps(facts | {"bare_trunk": True}))
    assert not TeacherViews.load(tmp_path / "views").of_images({r.image_id for r in records}).evidence.any()
    plan = TrainingPlan(
        "student", toy_dataset, "none", tmp_path / "run", workers=0, device="cpu", steps=2,
        teacher=tmp_path / "views",
    )  # fmt: skip
    with pytest.raises(TrainingError, match="nothing to learn"):
        Trainer(plan)  # names no layer that could learn from tokens
    monkeypatch.setattr(Student, "dense_layer", DenseLayer("body.2", 64, "NC"))
    assert not Trainer(plan).labelled
    head = Trainer(plan).net.state_dict()["body.3.weight"].clone()
    weights = Trainer(plan).run()
    assert weights is not None
    assert torch.equal(load_file(weights)["body.3.weight"], head)  # no label has reached it
    with pytest.raises(TrainingError, match="nothing to learn"):
        Trainer(replace(plan, teacher=None, out=tmp_path / "other"))


def test_a_bare_trunk_gets_its_evidence_from_the_images_at_hand(toy_dataset: Path, tmp_path: Path) -> None:
    records = select_training(scan_dataset(toy_dataset), "all")[::6]
    state = build_network("deit_s", seed=1).body.state_dict()
    trunk = tmp_path / "trunk.safetensors"
    save_file({f"body.{k}": v for k, v in state.items() if not k.startswith("head")}, trunk)
    make_teacher_views(records, tmp_path / "views", trunk=trunk, views=2)
    lessons = TeacherViews.load(tmp_path / "views")
    assert lessons.facts["bare_trunk"]
    assert not lessons.log_odds.any()
    tokens = lessons.tokens.copy()
    tokens[..., 7] += 30.0 * lessons.labels[:, None, None]  # one channel that tells the classes apart
    np.save(tmp_path / "views" / "tokens.npy", tokens)
    taught = TeacherViews.load(tmp_path / "views").of_images({r.image_id for r in records})
    assert np.abs(taught.evidence).argmax() == 7
    assert (taught.log_odds[taught.labels == 1] > 0).mean() > 0.9
    assert (taught.log_odds[taught.labels == 0] < 0).mean() > 0.9
    save_file({"body.cls_token": state["cls_token"]}, tmp_path / "part.safetensors")
    with pytest.raises(TrainingError, match="not a trunk of deit_s"):
        make_teacher_views(records, tmp_path / "no", trunk=tmp_path / "part.safetensors")
