"""The bundled samples and evaluation set: files and lists agree, and only the picture tells the truth."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.samples import (
    EVALUATION_SET,
    FOLDER,
    SHOWN,
    is_right,
    list_samples,
    shown_samples,
)

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
IMAGES = json.loads((EVALUATION_SET / "manifest.json").read_text(encoding="utf-8"))["images"]
LICENCES = {
    "MIT", "CC0", "Public domain", "CC BY 2.0", "CC BY 4.0", "CC BY-SA 3.0", "CC BY-SA 4.0", "GPL-2+",
    "LGPL-3.0",
}  # fmt: skip


def test_the_list_names_exactly_the_images_in_the_folder() -> None:
    listed = [entry["file"] for entry in ENTRIES]
    assert len(set(listed)) == len(listed)
    assert set(listed) == {p.name for p in FOLDER.iterdir()} - {"samples.json", "README.md"}
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) < 8_000_000


def test_there_are_enough_of_each_truth_and_of_many_models() -> None:
    truths = Counter(entry["truth"] for entry in ENTRIES)
    assert truths["fake"] == truths["real"] >= 20
    assert truths["neither"] >= 8
    assert len({entry["generator"] for entry in ENTRIES if entry["generator"]}) >= 20


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_an_entry_is_complete_and_matches_its_file(entry: dict) -> None:
    assert entry["licence"] in LICENCES
    assert all(entry[key] for key in ("title", "source", "attribution"))
    assert bool(entry["generator"]) is (entry["truth"] == "fake")
    assert bool(entry["kind"]) is (entry["truth"] == "neither")
    data = (FOLDER / entry["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_neither_name_nor_size_nor_format_tells_the_truth() -> None:
    files = [FOLDER / entry["file"] for entry in ENTRIES]
    facts = set()
    for file in files:
        with Image.open(file) as image:
            facts.add((image.size, image.mode, image.format, str(image.quantization), bool(image.getexif())))
    assert len(facts) == 1
    order = [entry["truth"] for entry in ENTRIES]
    assert max(len(list(run)) for run in _runs(order)) < 8
    assert len({len(file.name) for file in files}) == 1


def _runs(order: list[str]) -> list[list[str]]:
    runs: list[list[str]] = []
    for truth in order:
        if not runs or runs[-1][0] != truth:
            runs.append([])
        runs[-1].append(truth)
    return runs


def test_the_evaluation_set_is_balanced_in_each_family() -> None:
    records = scan_dataset(EVALUATION_SET)
    counts = Counter((r.generator, r.label) for r in records)
    families = {generator for generator, _ in counts}
    assert len(families) >= 8
    assert all(counts[f, 0] == counts[f, 1] > 0 for f in families)
    assert len(records) == len(IMAGES) >= 120
    assert len({image["made_by"] for image in IMAGES if image["made_by"]}) >= 20
    assert sum(p.stat().st_size for p in EVALUATION_SET.rglob("*") if p.is_file()) < 6_000_000


def test_the_evaluation_sets_files_match_their_list_and_differ_in_nothing_but_the_picture() -> None:
    facts = set()
    for image in IMAGES:
        path = EVALUATION_SET / image["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == image["sha256"]
        assert image["licence"] in LICENCES
        with Image.open(path) as opened:
            facts.add((opened.size, opened.mode, opened.format, str(opened.quantization)))
    assert len(facts) == 1


def test_no_picture_was_trained_on() -> None:
    """The measured sets name each image; ids of the bundled pictures' packages are not among them."""
    packages = {image["source"].split()[0] for image in IMAGES} | {e["source"].split()[0] for e in ENTRIES}
    named = set()
    for table in (ROOT / "assets" / "measured").rglob("*.csv"):
        text = table.read_text(encoding="utf-8", errors="replace")
        named |= {package for package in packages if package in text}
    hashes = {e["sha256"][:16] for e in ENTRIES} | {i["sha256"][:16] for i in IMAGES}
    manifests = "".join(
        p.read_text(encoding="utf-8") for p in (ROOT / "assets").rglob("*.json")
        if p.parent not in (FOLDER, EVALUATION_SET)
    )  # fmt: skip
    assert not named
    assert not [digest for digest in hashes if digest in manifests]


def test_the_readme_names_every_file_and_maker() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for entry in ENTRIES:
        assert f"`{entry['file']}`" in text
        assert entry["attribution"] in text
        assert entry["licence"] in text


def test_home_shows_samples_that_are_there_of_both_truths() -> None:
    shown = shown_samples()
    assert [sample.file for sample in shown] == list(SHOWN)
    assert {sample.truth for sample in shown} >= {"fake", "real"}
    assert len(list_samples()) == len(ENTRIES)


@pytest.mark.parametrize(
    ("answer", "truth", "right"),
    [
        ("ai", "fake", True), ("leans_photo", "fake", False), ("photo", "real", True),
        ("ai", "neither", False),
        ("cannot_tell", "fake", None), ("graphic", "neither", True), ("graphic", "real", None),
        ("photo", "neither", None),
    ],
)  # fmt: skip
def test_an_answer_is_right_or_wrong_or_takes_no_side(answer: str, truth: str, right: bool | None) -> None:
    assert is_right(answer, truth) is right


def test_the_listed_packages_hold_what_the_pictures_name() -> None:
    from experiments.samples.open_pictures import encode, read_packages, read_pictures, squares

    packages = read_packages()
    assert {p.package for p in read_pictures()} <= set(packages)
    assert all(len(entry["sha256"]) == 64 for entry in packages.values())
    ramp = np.broadcast_to(np.linspace(0, 255, 700)[None, :, None], (300, 700, 3)).astype(np.uint8)
    left, right = squares(Image.fromarray(ramp), 2)
    assert left.size == right.size == (400, 400)
    assert encode(left, 384, 92) != encode(right, 384, 92)


def test_a_package_that_is_missing_or_another_is_named(tmp_path: Path) -> None:
    from experiments.samples.open_pictures import Packages, read_packages
    from genimage_core.utils.errors import DatasetError

    with pytest.raises(DatasetError, match="Download"):
        Packages(tmp_path).read("scikit-image", "a.png")
    (tmp_path / read_packages()["scikit-image"]["file"]).write_bytes(b"something else")
    with pytest.raises(DatasetError, match="another file"):
        Packages(tmp_path).read("scikit-image", "a.png")
