"""Folders of data sets in every layout that is read, and what is said of the rest."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from genimage_core.datasets.layout import read_place
from genimage_core.datasets.scan import Scan, scan, scan_dataset
from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import printable, safe_name
from tests.helpers.image_files import encoded, picture

PNG = encoded(picture(), "PNG")


def put(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def found(scanned: Scan) -> set[tuple[str, str, int]]:
    return {(r.generator, r.split, r.label) for r in scanned.records}


BOTH = {("G", "val", 0), ("G", "val", 1)}


@pytest.mark.parametrize(
    ("fake", "real"),
    [
        ("G/val/ai/a.png", "G/val/nature/b.JPEG"),
        ("G/imagenet_ai_0419/val/ai/a.png", "G/imagenet_ai_0419/val/nature/b.jpg"),
        ("G/Val/AI/a.PNG", "G/VAL/Nature/b.jpg"),
        ("G/val/ai/n0144/a.png", "G/val/nature/n0144/deeper/b.jpg"),
        ("G/test/ai/a.jfif", "G/testing/nature/b.apng"),
        ("G/validation/1_fake/a.png", "G/valid/0_real/b.png"),
        ("G/1_fake/a.png", "G/0_real/b.png"),
        ("G/airplane/1_fake/a.png", "G/airplane/0_real/b.png"),
        ("test/G/1_fake/a.png", "test/G/0_real/b.png"),
        ("G/val/fake/a.png", "G/val/real/b.png"),
        ("G/val/ai/real/a.png", "G/val/nature/fake/b.png"),
    ],
)
def test_layouts(tmp_path: Path, fake: str, real: str) -> None:
    scanned = scan(put(tmp_path / "set", fake, real))
    assert found(scanned) == BOTH
    assert {r.image_id for r in scanned.records} == {fake, real}
    assert not [note for note in scanned.notes if note.startswith(("Left out", "Only"))]


def test_a_set_without_generators_is_called_after_its_folder(tmp_path: Path) -> None:
    for layout in ("test/{}/a.png", "{}/a.png", "val/{}/deep/a.png"):
        root = put(tmp_path / layout[0] / "Chameleon", *(layout.format(c) for c in ("0_real", "1_fake")))
        assert found(scan(root)) == {("Chameleon", "val", 0), ("Chameleon", "val", 1)}


@pytest.mark.parametrize("around", ["GenImage", "download/GenImage", "some/data set/here"])
@pytest.mark.parametrize(
    "names", [("ADM", "glide", "VQDM"), ("mine", "yours", "theirs"), ("mine", "ADM", "x")]
)
def test_folders_around_everything_merge_no_generators(
    tmp_path: Path, around: str, names: tuple[str, ...]
) -> None:
    for name in names:
        put(tmp_path, f"{around}/{name}/val/ai/a.png", f"{around}/{name}/arch/train/nature/b.png")
    scanned = scan(tmp_path)
    assert {r.generator for r in scanned.records} == set(names)
    assert len(scanned.records) == 6
    assert any(around in note for note in scanned.notes)


def test_one_known_generator_in_a_folder_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, "GenImage/stable_diffusion_v_1_4/imagenet_ai_0419_sdv4/val/ai/a.png")
    assert found(scan(tmp_path)) == {("stable_diffusion_v_1_4", "val", 1)}


def test_several_archives_of_one_generator_are_one(tmp_path: Path) -> None:
    put(tmp_path, "New/imagenet_a/train/ai/a.png", "New/imagenet_b/val/nature/b.png")
    assert found(scan(tmp_path)) == {("New", "train", 1), ("New", "val", 0)}


def test_categories_of_one_generator_are_no_generators(tmp_path: Path) -> None:
    root = put(tmp_path / "progan", "cat/0_real/a.png", "dog/0_real/b.png", "cat/1_fake/c.png")
    assert {r.generator for r in scan(root).records} == {"progan"}
    assert {r.generator for r in scan(tmp_path).records} == {"progan"}
    put(tmp_path, "test/mine/cat/0_real/a.png", "test/mine/dog/1_fake/a.png", "test/biggan/0_real/a.png")
    assert {r.generator for r in scan(tmp_path / "test").records} == {"mine", "biggan"}


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    root = put(
        tmp_path, "G/val/ai/a.png", "G/val/nature/b.png", "G/val/other/c.png", "G/d.png", "G/val/ai/._a.png",
        "__MACOSX/G/val/ai/a.png",
    )  # fmt: skip
    (root / "G" / "readme.txt").write_text("no image")
    scanned = scan(root)
    assert len(scanned.records) == 2
    said = " ".join(scanned.notes)
    assert "images in no folder of a class (2), such as G/d.png" in said
    assert "hidden files (1)" in said
    assert "readme" not in said


@pytest.mark.parametrize("folder", ["test", "TESTING", "validation"])
def test_other_names_of_splits_are_said(tmp_path: Path, folder: str) -> None:
    scanned = scan(put(tmp_path, f"G/{folder}/ai/a.png", f"G/{folder}/nature/b.png"))
    assert any(folder in note and "val" in note for note in scanned.notes)


def test_one_class_alone_is_said(tmp_path: Path) -> None:
    put(tmp_path, "G/val/ai/a.png", "H/val/nature/b.png", "I/val/ai/a.png", "I/val/nature/b.png")
    notes = [note for note in scan(tmp_path).notes if note.startswith("Only")]
    assert len(notes) == 2
    assert "Only ai images: G (val)" in notes[1]
    assert "Only nature images: H (val)" in notes[0]


def test_an_empty_set_says_what_it_holds_instead(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"images in no folder of a class \(1\), such as x/a.png"):
        scan_dataset(put(tmp_path, "x/a.png"))
    with pytest.raises(DatasetError, match="not a folder"):
        scan_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("to", [".", "G", "G/val"])
def test_links_that_lead_back_are_not_followed(tmp_path: Path, to: str) -> None:
    root = put(tmp_path, "G/val/ai/a.png", "G/val/nature/b.png")
    (root / "G" / "val" / "again").symlink_to(root / to)
    (root / "G" / "val" / "ai" / "again").symlink_to(root / to)
    scanned = scan(root)
    assert len(scanned.records) == 2
    assert any("lead back" in note and "(2)" in note for note in scanned.notes)


def test_two_links_to_each_other(tmp_path: Path) -> None:
    root = put(tmp_path, *(f"{g}/val/{c}/a.png" for g in "GH" for c in ("ai", "nature")))
    (root / "G" / "to_h").symlink_to(root / "H")
    (root / "H" / "to_g").symlink_to(root / "G")
    records = scan(root).records
    assert len({(r.path.resolve(), r.generator) for r in records}) == len(records)


def test_photographs_shared_by_links_count_for_each_generator(tmp_path: Path) -> None:
    root = put(tmp_path, "G/val/ai/a.png", "H/val/ai/a.png", "G/val/nature/b.png")
    (root / "H" / "val" / "nature").symlink_to(root / "G" / "val" / "nature")
    (root / "H" / "val" / "nature2").symlink_to(root / "G" / "val" / "nature")
    assert [(r.generator, r.label) for r in scan(root).records] == [("G", 1), ("G", 0), ("H", 1), ("H", 0)]


def test_a_file_that_two_links_show_counts_once(tmp_path: Path) -> None:
    root = put(tmp_path, "G/val/ai/a.png", "G/val/nature/b.png")
    (root / "G" / "val" / "ai" / "same.png").symlink_to("a.png")
    (root / "G" / "val" / "ai" / "gone.png").symlink_to("nowhere.png")
    scanned = scan(root)
    assert len(scanned.records) == 2
    assert any("second time (1)" in note for note in scanned.notes)
    assert any("nowhere (1)" in note for note in scanned.notes)


def test_pipes_and_sockets_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = put(tmp_path, "G/val/ai/a.png", "G/val/nature/b.png")
    os.mkfifo(root / "G" / "val" / "ai" / "pipe.png")
    monkeypatch.chdir(root / "G" / "val" / "ai")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        scanned = scan(root)
    assert len(scanned.records) == 2
    assert any("pipes, sockets or devices (2)" in note for note in scanned.notes)


NAMES = [b"b_\xe9\xff.png", "ü 画像 🖼.png".encode(), b"n" * 250 + b".png", b"new\nline.png", b"quote\"'.png"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_becomes_an_id_that_can_be_written(tmp_path: Path, name: bytes) -> None:
    root = put(tmp_path, "G/val/ai/a.png", "G/val/nature/b.png")
    Path(os.fsdecode(os.fsencode(root / "G" / "val" / "ai") + b"/" + name)).write_bytes(PNG)
    records = scan(root).records
    assert len(records) == 3
    for record in records:
        assert json.loads(json.dumps(record.image_id.encode().decode())) == record.image_id
        assert record.path.read_bytes() == PNG


def test_names_for_files() -> None:
    assert printable(os.fsdecode(b"a_\xff")) == "a_\\xff"
    assert safe_name("photo.jpg") == "photo.jpg"
    assert safe_name('10:00 "a"\n?.png') == "10_00 _a___.png"
    assert safe_name(os.fsdecode(b"a_\xff.png")) == "a__xff.png"
    long = safe_name("ü" * 300 + ".png")
    assert len(long.encode()) <= 200
    assert long.endswith(".png")
    assert long != safe_name("ü" * 301 + ".png")


def test_places() -> None:
    assert read_place(["x", "y"]) is None
    assert read_place([]) is None
    place = read_place(["train", "G", "val", "ai", "n01"])
    assert place is not None
    assert (place.above, place.split, place.label) == (("train", "G"), "val", 1)
