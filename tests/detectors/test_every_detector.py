"""Every registered detector: shapes, parameters, gradients, label direction, saving and loading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import nn

from genimage_core.detectors import (
    build_network,
    detector_class,
    detector_info,
    list_detectors,
    load_detector,
)
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec, fake_log_odds
from genimage_core.detectors.detector import Detector
from genimage_core.detectors.onnx.export import in_memory
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import _REGISTRY, register_detector
from genimage_core.detectors.weights.store import load_state, save_packed
from genimage_core.utils.errors import UnknownDetectorError, WeightsError
from tests.conftest import make_image

BENCHMARK = ["resnet50", "deit_s", "swin_t", "cnnspot", "spec", "f3net", "gramnet"]
CPU = torch.device("cpu")


def timm_parameters(name: str, **options: int) -> int:
    return sum(p.numel() for p in timm.create_model(name, **options).parameters())


def expected_parameters(name: str) -> int:
    """Counted from timm's backbones and the layers that the papers add."""
    if name == "f3net":
        xceptions = timm_parameters("legacy_xception", num_classes=0, in_chans=12)
        xceptions += timm_parameters("legacy_xception", num_classes=0, in_chans=6)
        mix = sum(4 * (c * c + c) + 2 * (2 * c + 2 * c) + 2 for c in (728, 1024))
        return xceptions + mix + 4 * 299 * 299 + 6 * 100 + 4096 + 1
    if name == "gramnet":
        reduce = sum(32 * 9 * c + 32 + 64 for c in (3, 64, 64, 64, 128, 256))
        read = 6 * ((16 * 9 + 16 + 32) + (32 * 16 * 9 + 32 + 64))
        head = (512 + 192) * 512 + 512 + 512 + 1
        return timm_parameters("resnet18", num_classes=0) + reduce + read + head
    backbones = {
        "resnet50": ("resnet50", 2),
        "deit_s": ("deit_small_patch16_224", 2),
        "swin_t": ("swin_tiny_patch4_window7_224", 2),
        "cnnspot": ("resnet50", 1),
        "spec": ("resnet34", 2),
    }
    backbone, classes = backbones[name]
    return timm_parameters(backbone, num_classes=classes)


def test_the_seven_are_listed_in_the_papers_order() -> None:
    assert list_detectors()[:7] == BENCHMARK
    assert all(detector_info(name).in_benchmark for name in BENCHMARK)


def test_two_threads_see_the_same_registry() -> None:
    """The app lists detectors while a thread still loads them: no thread may see half of them."""
    code = (
        "import threading; from genimage_core.detectors import list_detectors; found = []\n"
        "threads = [threading.Thread(target=lambda: found.append(len(list_detectors()))) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; print(set(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{{len(list_detectors())}}}"


@pytest.mark.parametrize("name", BENCHMARK)
def test_parameter_count(name: str) -> None:
    net = build_network(name)
    assert sum(p.numel() for p in net.parameters()) == expected_parameters(name)


@pytest.mark.parametrize("name", list_detectors())
def test_shape_for_tiles_and_the_papers_input(name: str) -> None:
    net = build_network(name).eval()
    sides = {net.spec.tile, 224 if name == "gramnet" else net.spec.paper_crop}
    for side in sides:
        with torch.inference_mode():
            out = net(torch.rand(2, 3, side, side))
        assert out.shape == (2,)
        assert out.isfinite().all()


@pytest.mark.parametrize("name", list_detectors())
def test_gradient_reaches_every_parameter(name: str) -> None:
    net = build_network(name).train()
    torch.manual_seed(0)
    side = net.recipe.crop
    net(torch.rand(4, 3, side, side)).square().sum().backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert silent == []
    # Zero-initialised gates and residual scales may pass nothing on at first; the first and last layers must.
    first, last = next(net.body.parameters()), list(net.parameters())[-1]
    assert first.grad.abs().sum() > 0
    assert last.grad.abs().sum() > 0


@pytest.mark.parametrize("name", list_detectors())
def test_label_direction(name: str) -> None:
    """A few steps towards label 1 raise P(fake), through the training loss and `predict` alike."""
    from genimage_core.training.optim import loss_fn

    net = build_network(name).train()
    image = make_image(3, net.recipe.crop)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float().div(255).repeat(4, 1, 1, 1)
    x = (x + 0.05 * torch.rand_like(x)).clamp(0, 1)
    head = list(net.parameters())[-2:]
    before = float(net.eval()(x).mean().detach())
    optimizer = torch.optim.SGD(head, lr=0.05)
    for _ in range(5):
        optimizer.zero_grad()
        loss_fn(net(x), torch.ones(4), 0.0).backward()
        optimizer.step()
    after = float(net(x).mean().detach())
    assert after > before
    fake, real = torch.tensor([9.0]), torch.tensor([-9.0])
    for log_odds, side in ((fake, 1.0), (real, 0.0)):
        net.forward = lambda x, value=log_odds: value.expand(len(x))  # type: ignore[method-assign]
        assert Detector(net, CPU, "test").predict([image])[0] == pytest.approx(side, abs=1e-3)


@pytest.mark.parametrize("name", list_detectors())
def test_save_and_load_round_trip(name: str, tmp_path: Path) -> None:
    net = build_network(name, seed=1).eval()
    save_packed(name, net.state_dict(), tmp_path, bits=8, group=64, facts={})
    detector = load_detector(name, weights=tmp_path, device="cpu", runtime="torch")
    side = net.spec.tile
    views = [make_image(i, side) for i in range(2)]
    x = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        expected = net(x).numpy()
    assert np.abs(detector.log_odds(views) - expected).max() < 0.1
    assert len(detector.weights_id) == 64


@pytest.mark.parametrize("name", list_detectors())
def test_both_runtimes_agree(name: str) -> None:
    """ONNX Runtime and torch give the same log-odds, for any batch size, once the norms have data."""
    net = build_network(name, seed=2).train()
    side = net.spec.tile
    views = np.stack([make_image(i, side) for i in range(3)])
    x = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        net(x)
    detector = in_memory(net.eval(), "untrained")
    with torch.inference_mode():
        expected = net(x).numpy()
    np.testing.assert_allclose(detector.log_odds(list(views)), expected, atol=1e-3, rtol=1e-3)
    np.testing.assert_allclose(detector.log_odds(list(views[:1])), expected[:1], atol=1e-3, rtol=1e-3)
    crop = net.spec.paper_crop
    assert detector.log_odds([make_image(0, crop)]).shape == (1,)


@pytest.mark.parametrize("name", list_detectors())
def test_predict_takes_any_sizes_in_one_batch(name: str) -> None:
    detector = Detector(build_network(name), CPU, "untrained")
    images = [make_image(0, 40), make_image(1, 300)[:, :170]]
    scores = detector.predict(images)
    assert scores.shape == (2,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    alone = [detector.predict([image])[0] for image in images]
    np.testing.assert_allclose(scores, alone, atol=1e-4)
    assert detector.predict([]).shape == (0,)


@pytest.mark.parametrize("name", list_detectors())
def test_card_says_what_it_must(name: str) -> None:
    text = detector_info(name).card_path.read_text()
    for heading in ("Paper", "Input", "Preprocessing", "What it looks at", "Licence", "Known failure modes"):
        assert f"## {heading}" in text, heading


def test_wrong_sha256_is_refused(tmp_path: Path) -> None:
    net = build_network("gramnet")
    save_packed("gramnet", net.state_dict(), tmp_path, bits=4, group=32, facts={})
    file = tmp_path / "gramnet.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(WeightsError, match="sha256"):
        load_state("gramnet", tmp_path)


def test_unknown_names_and_missing_weights_are_clear(tmp_path: Path) -> None:
    with pytest.raises(UnknownDetectorError, match="resnet50"):
        load_detector("resnet5000")
    with pytest.raises(WeightsError, match="no weights here"):
        load_detector("resnet50", weights=tmp_path)


class TinyNet(DetectorNet):
    """An eighth detector, defined here alone."""

    info = DetectorInfo(
        name="tiny",
        title="Tiny",
        year=2026,
        paper="none",
        paper_url="",
        reads="The mean colour.",
        card_path=Path(__file__),
        in_benchmark=False,
    )
    spec = InputSpec(tile=32, max_tiles=2)
    recipe = Recipe(
        original="", scaled_down="", optimizer="adam", lr=0.02, weight_decay=0, batch_size=8, steps=6, crop=32
    )

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 64), nn.Linear(64, 2))

    def classify(self, prepared: torch.Tensor) -> torch.Tensor:
        return fake_log_odds(self.body(prepared))


def test_another_detector_is_one_class(tmp_path: Path, toy_dataset: Path) -> None:
    """Listed, trained, saved, loaded and asked, with no edit anywhere else."""
    from genimage_core.training.loop import Trainer
    from genimage_core.training.plan import TrainingPlan

    register_detector(TinyNet)
    try:
        assert list_detectors() == [*BENCHMARK, "clip_b", "dinov2", "tiny"]
        plan = TrainingPlan("tiny", toy_dataset, "all", tmp_path / "run", workers=0, device="cpu")
        assert Trainer(plan).run() is not None
        scores = load_detector("tiny", weights=tmp_path / "run").predict([make_image(1)])
        assert 0 <= scores[0] <= 1
        assert detector_class("tiny") is TinyNet
    finally:
        del _REGISTRY["tiny"]
    assert list_detectors() == [*BENCHMARK, "clip_b", "dinov2"]
