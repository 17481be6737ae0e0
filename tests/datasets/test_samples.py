"""The bundled samples: files and manifest agree, and the generator that made the fakes still runs."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the scripts are not an installed package

from experiments.samples import make_samples  # noqa: E402
from experiments.samples.diffusion import Cascade, Photographs, train  # noqa: E402
from experiments.samples.network import SCALE  # noqa: E402
from experiments.samples.render import Scene, paint  # noqa: E402

FOLDER = ROOT / "assets" / "samples"
ENTRIES = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
KEYS = {
    "file", "truth", "title", "source", "licence", "attribution", "generator", "seed", "width", "height",
    "sha256", "how",
}  # fmt: skip
LICENCES = {"CC0", "Public domain", "CC BY 2.0", "Apache-2.0"}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks on a busy machine are fastest on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_manifest_lists_exactly_the_images_in_the_folder() -> None:
    listed = [entry["file"] for entry in ENTRIES]
    assert len(set(listed)) == len(listed)
    present = {p.name for p in FOLDER.iterdir()} - {"samples.json", "README.md"}
    assert set(listed) == present


def test_enough_of_each_truth_and_not_too_large() -> None:
    truths = [entry["truth"] for entry in ENTRIES]
    assert set(truths) == {"real", "fake"}
    assert truths.count("real") >= 6
    assert truths.count("fake") >= 6
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) < 6_000_000


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_entry_is_complete_and_matches_its_file(entry: dict) -> None:
    assert set(entry) == KEYS
    assert entry["licence"] in LICENCES
    for key in ("title", "source", "attribution", "how"):
        assert entry[key].strip()
    fake = entry["truth"] == "fake"
    assert (entry["generator"] is not None) is fake
    assert isinstance(entry["seed"], int) is fake
    path = FOLDER / entry["file"]
    assert path.name.startswith(entry["truth"] + "_")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    with Image.open(path) as image:
        image.load()
        assert image.size == (entry["width"], entry["height"])
        assert min(image.size) >= 256
        assert image.mode in {"RGB", "L"}
        if fake:
            assert not image.getexif()
            assert image.mode == "RGB"


def test_readme_names_every_photographer_and_the_command() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for entry in ENTRIES:
        assert entry["file"] in text
    for needed in ("danielbuechele", "vultilion", "creativecommons.org/licenses/by/2.0", "make_samples"):
        assert needed in text


def test_fakes_in_the_manifest_are_the_pictures_of_the_script() -> None:
    fakes = {entry["file"]: entry["seed"] for entry in ENTRIES if entry["truth"] == "fake"}
    assert fakes == {p.file: p.scene.seed + make_samples.SEED for p in make_samples.PICTURES}


def _tiny(seed: int) -> torch.Tensor:
    data = Photographs.load(make_samples.photographs(FOLDER, ("flower", "temple")), sides=(256,))
    torch.manual_seed(seed)
    model = Cascade(data.names, data.detail_std, width=8, blocks=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, data, (3, 3), seed, batch=(2, 2), crop=32, log=lambda _: None)
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert any(name.startswith("coarse.") for name in moved)
    assert any(name.startswith("detail.") for name in moved)
    scene = Scene((("flower", 1.0),), seed, 64, 96, "yx", below=(("temple", 1.0),), fold=2, warp=0.1)
    return paint(model, scene, steps=(3, 2))


def test_generator_trains_and_paints_the_same_picture_from_the_same_seed() -> None:
    picture = _tiny(1)
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == torch.uint8
    assert picture.float().std() > 1
    assert torch.equal(picture, _tiny(1))
    assert not torch.equal(picture, _tiny(2))


def test_a_few_steps_lower_the_loss_of_both_networks() -> None:
    data = Photographs.load(make_samples.photographs(FOLDER, ("flower",)), sides=(256,))
    torch.manual_seed(0)
    model = Cascade(data.names, data.detail_std, width=8, blocks=1)

    def losses() -> list[float]:
        with torch.no_grad():
            coarse = model.loss_coarse(data, 16, np.random.default_rng(7))
            detail = model.loss_detail(data, 16, 32, np.random.default_rng(7))
        return [float(coarse), float(detail)]

    before = losses()
    train(model, data, (25, 40), 0, batch=(4, 4), crop=32, log=lambda _: None)
    after = losses()
    assert after[0] < before[0]
    assert after[1] < before[1]


def test_a_saved_generator_paints_the_same_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Cascade(("flower",), [0.1, 0.1, 0.1], width=8, blocks=1).eval()
    model.save(tmp_path / "g.pt")
    scene = Scene((("flower", 1.0),), 5, 64, 64)
    assert torch.equal(paint(model, scene, (2, 2)), paint(Cascade.load(tmp_path / "g.pt"), scene, (2, 2)))


def test_wrong_size_or_name_is_refused() -> None:
    model = Cascade(("flower",), [0.1, 0.1, 0.1], width=8, blocks=1)
    with pytest.raises(ValueError, match=str(SCALE)):
        paint(model, Scene((("flower", 1.0),), 0, 100, 96))
    with pytest.raises(ValueError, match="training photographs"):
        paint(model, Scene((("cat", 1.0),), 0, 64, 64))


def test_script_writes_images_and_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene((("rocket", 1.0),), 1, 64, 64)
    monkeypatch.setattr(make_samples, "PICTURES", (make_samples.Picture("fake_a.png", "A", scene),))
    monkeypatch.setattr(make_samples, "paint", lambda model, scene: paint(model, scene, (2, 2)))
    arguments = ["--steps", "1", "1", "--out", str(tmp_path), "--threads", "1"]
    assert make_samples.main(arguments) == 0
    written = json.loads((tmp_path / "samples.json").read_text(encoding="utf-8"))
    made = [entry for entry in written if entry["truth"] == "fake"]
    assert [entry["file"] for entry in made] == ["fake_a.png"]
    assert set(made[0]) == KEYS
    assert made[0] | make_samples.describe(tmp_path / "fake_a.png") == made[0]
