"""Hashes of files, and data at addresses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from genimage_core.datasets import file_hashes, scan_dataset
from genimage_core.datasets.file_hashes import content_hashes
from genimage_core.datasets.storage import data_place
from genimage_core.detectors.weights.store import file_sha256
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.engine.views import _load
from genimage_core.evaluation.select import fingerprint
from genimage_core.evaluation.store import read_rows
from genimage_core.utils.errors import DatasetError, ImageReadError
from tests.evaluation.engine.test_run import KEY, plan_for, tiny_detectors, write_images


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENIMAGE_CACHE", str(tmp_path / "cache"))
    read: list[Path] = []
    digest = file_hashes._digest

    def note(path: Path) -> str:
        read.append(path)
        return digest(path)

    monkeypatch.setattr(file_hashes, "_digest", note)
    files = [tmp_path / f"{i}" for i in range(3)]
    for i, file in enumerate(files):
        file.write_bytes(bytes([i] * 10))
    expected = [file_sha256(file) for file in files]
    assert content_hashes(files) == content_hashes(files[::-1])[::-1] == expected
    assert sorted(read) == files
    files[1].write_bytes(b"another ten")
    assert content_hashes(files) == [expected[0], file_sha256(files[1]), expected[2]]
    assert len(read) == 4
    os.utime(files[2], ns=(1, 1))
    assert content_hashes(files)[2] == expected[2]
    assert len(read) == 5


def test_without_a_place_to_remember_hashes_are_right_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setenv("GENIMAGE_CACHE", str(tmp_path / "file" / "no folder"))
    assert content_hashes([tmp_path / "file"]) == [file_sha256(tmp_path / "file")]
    (tmp_path / "hashes.sqlite").write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("GENIMAGE_CACHE", str(tmp_path))
    assert content_hashes([tmp_path / "file"]) == [file_sha256(tmp_path / "file")]


def test_data_at_an_address_are_scored_like_a_folder(tmp_path: Path) -> None:
    fsspec: Any = pytest.importorskip("fsspec")
    pytest.importorskip("upath")
    here = write_images(tmp_path / "data", 6)
    here[2].path.write_bytes(b"")
    memory = fsspec.filesystem("memory")
    for record in here:
        memory.pipe(f"/bucket/set/{record.image_id}", record.path.read_bytes())
    there = scan_dataset("memory://bucket/set")
    assert [r.image_id for r in there] == [r.image_id for r in here]
    assert fingerprint(there) == fingerprint(here)
    detectors = tiny_detectors()
    for name, records in (("here", here), ("there", there)):
        assert engine.run(records, detectors, plan_for(records, detectors), tmp_path / name)
    one, two = (read_rows(tmp_path / name).set_index(KEY).sort_index() for name in ("here", "there"))
    assert (one["p_fake"].fillna(-1) == two["p_fake"].fillna(-1)).all()
    assert list(one["error"].dropna()) == list(two["error"].dropna())
    assert len(two["error"].dropna()) == 9
    memory.rm(f"/bucket/set/{here[0].image_id}")
    with pytest.raises(ImageReadError, match="fetched"):
        _load(there[0].path)
    with pytest.raises(DatasetError, match="not a folder"):
        scan_dataset("memory://bucket/absent")


def test_an_address_that_cannot_be_read_is_said() -> None:
    pytest.importorskip("upath")
    with pytest.raises(DatasetError):
        data_place("nosuchkind://somewhere")
