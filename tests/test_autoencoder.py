"""Aligned fakes: same content, new traces; the tool resumes and refuses other files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from genimage_core.datasets import scan_dataset
from genimage_core.errors import TrainingError
from genimage_core.training.autoencoder import GENERATOR, TinyAutoencoder, reconstruct, write_aligned
from genimage_core.training.data import read_rgb, select_training_fakes
from genimage_core.training.simulators import DESIGNS, Design, train_simulator
from tests.conftest import make_image

TAEF2 = Path(__file__).resolve().parents[2] / "shared" / "autoencoder" / "taef2.safetensors"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "random.safetensors"
    save_file({k: v.half() for k, v in TinyAutoencoder().state_dict().items()}, path)
    return path


def test_reconstructions_become_a_generator(toy_dataset: Path, tmp_path: Path, weights: Path) -> None:
    out = tmp_path / "aligned"
    records = scan_dataset(toy_dataset)
    write_aligned(records, TinyAutoencoder.load(weights), GENERATOR, out, limit=5)
    found = scan_dataset(out)
    assert {r.generator for r in found} == {GENERATOR}
    assert len(select_training_fakes(found)) == 5
    image = read_rgb(found[0].path)
    assert image is not None
    assert image.shape == (160, 160, 3)

    before = [r.path.stat().st_mtime_ns for r in found]
    write_aligned(records, TinyAutoencoder.load(weights), GENERATOR, out, limit=7)
    assert [r.path.stat().st_mtime_ns for r in found] == before
    assert len(scan_dataset(out)) == 7


def test_a_kill_while_writing_leaves_no_half_picture(
    toy_dataset: Path, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_image: np.ndarray, path: Path) -> None:
        path.write_bytes(b"half a picture")
        raise KeyboardInterrupt

    records, out = scan_dataset(toy_dataset), tmp_path / "aligned"
    write_aligned(records, TinyAutoencoder.load(weights), GENERATOR, out, limit=1)
    with monkeypatch.context() as patch:
        patch.setattr("genimage_core.training.autoencoder._write_png", killed)
        with pytest.raises(KeyboardInterrupt):
            write_aligned(records, TinyAutoencoder.load(weights), GENERATOR, out, limit=2)
    assert len(scan_dataset(out)) == 1
    write_aligned(records, TinyAutoencoder.load(weights), GENERATOR, out, limit=2)
    assert all(read_rgb(r.path) is not None for r in scan_dataset(out))


def test_sides_are_cut_to_multiples_of_eight(weights: Path) -> None:
    out = reconstruct(TinyAutoencoder.load(weights), make_image(0, 45))
    assert out.shape == (40, 40, 3)
    assert out.dtype == np.uint8


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    for wrong in (path, tmp_path / "absent.safetensors"):
        with pytest.raises(TrainingError, match="TAEF2"):
            TinyAutoencoder.load(wrong)


@pytest.mark.skipif(not TAEF2.exists(), reason="TAEF2's weights are not part of this project")
def test_the_real_network_keeps_the_picture() -> None:
    # The scene of the tests is noisy; a blurred one is what an autoencoder can keep.
    import cv2

    image = cv2.GaussianBlur(make_image(3), (0, 0), 3)
    out = reconstruct(TinyAutoencoder.load(TAEF2), image)
    error = np.square(out.astype(float) - image).mean()
    assert 10 * np.log10(255**2 / error) > 25
    assert error > 0


@pytest.mark.parametrize("design", DESIGNS)
def test_a_simulator_learns_to_copy_and_leaves_traces(toy_dataset: Path, design: Design) -> None:
    records = scan_dataset(toy_dataset)
    image = make_image(0, 64)
    errors = [
        np.abs(reconstruct(train_simulator(records, design, steps=n, crop=32), image) - image.astype(float))
        for n in (1, 60)
    ]
    assert errors[1].mean() < 0.8 * errors[0].mean()
    assert errors[1].mean() > 0.1


def test_simulators_repeat_with_their_seed(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    nets = [train_simulator(records, "shuffle", steps=2, crop=32, seed=s) for s in (3, 3, 4)]
    weights = [net.state_dict()["decoder.1.0.weight"] for net in nets]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_simulators_need_real_images() -> None:
    with pytest.raises(TrainingError, match="no real training images"):
        train_simulator([], "nearest")
