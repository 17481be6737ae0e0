"""Copies: found across splits, labels, sizes and formats; unlike and empty pictures are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genimage_core.datasets.audit.duplicates import find_copies, near_hashes
from genimage_core.datasets.audit.file_facts import read_bytes, read_file
from genimage_core.datasets.audit.run import audit_dataset
from genimage_core.datasets.scan import scan_dataset
from tests.conftest import make_image
from tests.helpers.audit_sets import copies_set, save


def test_copies_across_splits_and_labels_are_found(tmp_path: Path) -> None:
    copies_set(tmp_path)
    found = audit_dataset(tmp_path, ["raw"], split="all")
    by_first = {one.image_ids[0]: one for one in found.copies}
    leak = by_first["g/train/ai/a.png"]
    assert leak.image_ids == ["g/train/ai/a.png", "g/val/ai/a_smaller.jpg"]
    assert (leak.across_splits, leak.across_labels, leak.identical) == (True, False, False)
    conflict = by_first["g/val/ai/b.png"]
    assert conflict.image_ids == ["g/val/ai/b.png", "h/val/nature/b_again.jpg"]
    assert (conflict.across_splits, conflict.across_labels) == (False, True)
    twice = by_first["h/val/nature/c.png"]
    assert (twice.across_splits, twice.across_labels, twice.identical) == (False, False, True)
    assert len(found.copies) == 3


def test_empty_pictures_are_no_copies_unless_their_bytes_are(tmp_path: Path) -> None:
    for i, level in enumerate((100, 101, 101)):
        save(tmp_path / "g" / "val" / "ai" / f"{i}.png", np.full((64, 64, 3), level, np.uint8))
    found = audit_dataset(tmp_path, ["raw"])
    assert found.n_flat == 3
    assert [one.image_ids for one in found.copies] == [["g/val/ai/1.png", "g/val/ai/2.png"]]


def test_unlike_pictures_are_no_copies(tmp_path: Path) -> None:
    for i in range(60):
        save(tmp_path / "g" / "val" / "ai" / f"{i}.png", make_image(i))
    files = [read_file(r, read_bytes(r), []) for r in scan_dataset(tmp_path)]
    assert find_copies(files) == []


@pytest.mark.parametrize("radius", [0, 5, 20])
def test_near_hashes_finds_what_counting_bits_one_by_one_finds(radius: int) -> None:
    rng = np.random.default_rng(radius)
    hashes = rng.random((700, 64)) < 0.5
    hashes[350:] = hashes[:350] ^ (rng.random((350, 64)) < 0.05)
    expected = {
        (i, j)
        for i in range(len(hashes))
        for j in i + 1 + np.flatnonzero((hashes[i + 1 :] != hashes[i]).sum(axis=1) <= radius)
    }
    assert expected
    assert {tuple(pair) for pair in near_hashes(hashes, radius).tolist()} == expected
