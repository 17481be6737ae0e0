"""`build` with a program and a folder: layout, kills, bad images, balance, clear stops."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from genimage_core.datasets.scan import counts, scan_dataset
from genimage_core.generation import make as making
from genimage_core.generation.build import Request, Watcher, build
from genimage_core.utils.errors import GenerationError
from tests.cli.test_detect import run
from tests.helpers.build_sets import picture, pictures, program, workplace


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return workplace(tmp_path)


def request(place: Path, **more: object) -> Request:
    options: dict[str, object] = {
        "out": place / "set", "generator": "drawn", "real": place / "real", "per_class": 4,
        "classes": str(place / "classes.txt"), "command": program(place),
    }  # fmt: skip
    return Request(**(options | more))  # type: ignore[arg-type]


def manifest(place: Path, folder: str = "set") -> pd.DataFrame:
    return pd.read_csv(place / folder / "manifest.csv", keep_default_na=False)


def test_a_set_is_made_balanced_with_a_manifest_and_an_audit(place: Path) -> None:
    verdict = build(request(place, align=True, align_side=32))
    table = counts(scan_dataset(place / "set"))
    assert table.to_dict("records") == [
        {"generator": "drawn", "split": "train", "ai": 6, "nature": 6},
        {"generator": "drawn", "split": "val", "ai": 2, "nature": 2},
    ]
    rows = manifest(place)
    assert sorted(rows["path"]) == [record.image_id for record in scan_dataset(place / "set")]
    fakes = rows[rows["label"] == "ai"]
    assert set(fakes.groupby("class").size()) == {4}
    assert set(fakes["prompt"]) == {"photo of a tench", "photo of a goldfish"}
    reals = rows[rows["label"] == "nature"]
    assert reals["source"].is_unique
    assert all(source.startswith(c) for source, c in zip(reals["source"], reals["class"], strict=True))
    assert all((place / "set" / path).is_symlink() for path in reals["path"])
    aligned = place / "set-aligned32"
    assert {Image.open(r.path).size for r in scan_dataset(aligned)} == {(32, 32)}
    assert {Image.open(r.path).format for r in scan_dataset(aligned)} == {"JPEG"}
    assert len(manifest(place, "set-aligned32")) == len(rows)
    assert verdict is not None
    assert "raw: " in verdict
    assert "aligned: " in verdict
    assert json.loads((place / "set" / "audit.json").read_text())["manifest"]["n_files"] == 16


def test_shards_in_any_order_give_the_same_set_as_one_run(place: Path) -> None:
    build(request(place))
    whole = manifest(place)
    (place / "calls.txt").unlink()
    for shard, ends in (("2/3", None), ("1/3", None), ("3/3", str)):
        verdict = build(request(place, out=place / "parts", shard=shard))
        assert verdict is None if ends is None else isinstance(verdict, ends)
    pd.testing.assert_frame_equal(manifest(place, "parts"), whole)
    assert len((place / "calls.txt").read_text().splitlines()) == 8  # nothing was made twice


@pytest.mark.parametrize(("fail", "reason"), [("black", "the picture is black"), ("exit", "no luck")])
def test_bad_images_are_made_again_under_another_seed(place: Path, fail: str, reason: str) -> None:
    build(request(place, per_class=2, command=program(place, fail)))
    rows = manifest(place)
    fakes = rows[rows["label"] == "ai"]
    assert len(fakes) == 4
    assert set(fakes["attempt"].astype(int)) == {0, 1}
    assert fakes["seed"].is_unique
    assert reason in (place / "set" / "drawn" / "build" / "problems.log").read_text()


def test_a_generator_that_gives_nothing_usable_is_a_clear_stop(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "ATTEMPTS", 1)
    with pytest.raises(GenerationError, match="5 images in a row"):
        build(request(place, command=program(place, "always")))
    assert "of one colour" in (place / "set" / "drawn" / "build" / "problems.log").read_text()


def _start(place: Path, *more: str) -> subprocess.Popen[str]:
    words = [
        sys.executable, "-m", "genimage_core", "build", "--out", str(place / "set"), "--generator", "drawn",
        "--real", str(place / "real"), "--classes", str(place / "classes.txt"), "--per-class", "4",
        "--command", program(place, seconds=0.3), *more,
    ]  # fmt: skip
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for(place: Path, images: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if len(list((place / "set").glob("drawn/*/ai/*.png"))) >= images:
            return
        time.sleep(0.02)
    raise AssertionError("no images were made")


def test_two_kills_and_ctrl_c_lose_at_most_one_image_each(place: Path) -> None:
    for images in (1, 3):
        process = _start(place)
        _wait_for(place, images)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        time.sleep(0.6)  # the program that it had called ends
        torn = place / "set" / "drawn" / "build" / "shard-1-of-1.jsonl"
        with torn.open("ab") as file:  # what a loss of power leaves
            file.write(b'{"path": "drawn/tr')
    process = _start(place)
    _wait_for(place, 5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "the same command resumes" in said
    assert build(request(place, command=program(place, seconds=0.3))) is not None
    rows = manifest(place)
    assert (rows["label"] == "ai").sum() == (rows["label"] == "nature").sum() == 8
    calls = (place / "calls.txt").read_text().splitlines()
    assert len(set(calls)) == 8
    assert len(calls) <= 8 + 2  # Ctrl-C loses none
    assert not list((place / "set").rglob("*.part"))


def test_a_full_disk_is_a_clear_stop_and_resumes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = making.fill_whole
    written: list[Path] = []

    def full(path: Path, write: object) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        whole(path, write)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "fill_whole", full)
    with pytest.raises(GenerationError, match="disk is full"):
        build(request(place))
    monkeypatch.setattr(making, "fill_whole", whole)
    assert build(request(place)) is not None
    calls = (place / "calls.txt").read_text().splitlines()
    assert (len(set(calls)), len(calls)) == (8, 9)


def test_another_plan_in_the_same_folder_is_refused(place: Path) -> None:
    build(request(place, per_class=2))
    with pytest.raises(GenerationError, match="per_class 2, not 3"):
        build(request(place, per_class=3))


def test_what_is_asked_wrongly_is_told_before_anything_is_made(place: Path) -> None:
    for more, words in (
        ({"per_class": 9}, "9 photographs of n01440764 are needed, 8 are there"),
        ({"command": "draw {path}"}, "prompt and path"),
        ({"command": "", "generator": "nonsense"}, "no preset, no folder"),
        ({"align": True, "size": 40, "align_side": 64}, "smaller than the aligned"),
        ({"real": place / "nowhere"}, "no photographs"),
        ({"command": "no-such-program {prompt} {path}"}, "cannot be started"),
    ):
        with pytest.raises(GenerationError, match=words):
            build(request(place, out=place / "other", **more))
    assert not list((place / "other").rglob("*.png"))


def test_unusable_photographs_are_passed_over(place: Path) -> None:
    folder = place / "real" / "n01440764"
    for path in sorted(folder.iterdir())[:3]:
        path.write_bytes(path.read_bytes()[:300])
    picture(2000).save(folder / "a.JPEG", quality=80)
    (folder / "b.JPEG").write_bytes((folder / "a.JPEG").read_bytes())
    build(request(place, per_class=6, copy=True))
    reals = manifest(place).query("label == 'nature'")
    assert len(reals) == 12
    assert reals["sha256"].is_unique
    assert not any((place / "set" / path).is_symlink() for path in reals["path"])


def test_pictures_that_exist_are_imported(place: Path) -> None:
    told: list[str] = []
    options = {"generator": str(pictures(place)), "command": "", "per_class": 2}
    verdict = build(request(place, **options), Watcher(report=told.append))
    rows = manifest(place)
    fakes = rows[rows["label"] == "ai"]
    assert fakes.groupby("class").size().to_dict() == {"n01440764": 2, "n01443537": 2}
    assert set(fakes["model"]) == {"xl"}
    assert all(prompt.startswith("photo of a") for prompt in fakes["prompt"])
    assert all(
        int(s) == int(Path(source).stem) for s, source in zip(fakes["seed"], fakes["source"], strict=True)
    )
    log = (place / "set" / "pictures" / "build" / "problems.log").read_text()
    for name in (
        "copy.jpg: a copy of 0.png",
        "broken.png",
        "black.png: the picture is black",
        "something.png: no",
    ):
        assert name in log
    assert verdict is not None
    again = build(request(place, **options))
    assert again == verdict
    pd.testing.assert_frame_equal(manifest(place), rows)


def test_the_command_line_makes_a_set(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--out",
        str(place / "set"),
        "--generator",
        "drawn",
        "--real",
        str(place / "real"),
        "--per-class",
        "2",
    ]
    words += ["--classes", str(place / "classes.txt"), "--command", program(place)]
    assert run("build", *words) == 0
    printed = capsys.readouterr()
    assert "raw: " in printed.out
    assert "images: 4 / 4" in printed.err
    assert run("build", *words[:-4]) == 1
    assert "no preset, no folder" in capsys.readouterr().err
