"""Manifests: any folder of files, described by a CSV file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.manifest import read_manifest, source_fold
from genimage_core.utils.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    return tmp_path


def _write(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_become_records_sorted_by_path(folder: Path) -> None:
    path = _write(
        folder,
        "path,label,source,generator,split,fold,note\n"
        "c.png,not_photo,museum,,,,x\nb.png,nature,flickr,,train,7,\na.png,ai,prompts,sdxl,val,2,y\n",
    )
    fake, photo, painting = read_manifest(path)
    assert (fake.image_id, fake.label, fake.generator, fake.source, fake.fold) == (
        "a.png",
        1,
        "sdxl",
        "prompts",
        2,
    )
    assert (photo.label, photo.generator, photo.split, photo.fold) == (0, "photographs", "train", 7)
    assert (painting.label, painting.generator, painting.split) == (0, "not_photo", "val")
    assert painting.fold == source_fold("museum")
    assert [r.path for r in scan_dataset(path)] == [folder / n for n in ("a.png", "b.png", "c.png")]


def test_a_fake_without_generator_is_named_after_its_source(folder: Path) -> None:
    assert read_manifest(_write(folder, "path,label,source\na.png,ai,site\n"))[0].generator == "site"


def test_folds_follow_the_source_alone(folder: Path) -> None:
    rows = read_manifest(_write(folder, "path,label,source\na.png,ai,s\nb.png,nature,s\nc.png,nature,t\n"))
    assert rows[0].fold == rows[1].fold == source_fold("s")
    assert {source_fold(f"source {i}") for i in range(200)} == set(range(10))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("path,label\na.png,ai\n", "source"),
        ("path,label,source\n", "no rows"),
        ("path,label,source\na.png,fake,s\n", "line 2"),
        ("path,label,source\na.png,ai,s\nnone.png,ai,s\n", "line 3"),
        ("path,label,source\na.png,ai,\n", "line 2"),
        ("path,label,source,fold\na.png,ai,s,x\n", "line 2"),
        ("path,label,source,split\na.png,ai,s,test\n", "line 2"),
        ("path,label,source\na.png,ai,s\na.png,ai,s\n", "twice"),
    ],
)
def test_a_wrong_manifest_names_the_line(folder: Path, text: str, word: str) -> None:
    with pytest.raises(DatasetError, match=word):
        read_manifest(_write(folder, text))


def test_a_missing_or_binary_file_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        read_manifest(tmp_path / "none.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DatasetError):
        read_manifest(tmp_path / "x.csv")
