"""Conditions: what is too small, squeezed, blurred, enlarged, or no photograph, and who is not told so."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from genimage_core.evaluation.warning_rates import CHANGES
from genimage_core.images.degradations import parse
from genimage_core.images.load import ImageFacts, load_image
from genimage_core.verdict.image_type import KINDS, WORDS, ImageType
from genimage_core.verdict.image_warnings import detail, find_image_warnings
from tests.cli.test_detect import run
from tests.helpers.image_type_images import document, photograph, screen


def names(image: np.ndarray, **more: object) -> set[str]:
    return {condition.name for condition in find_image_warnings(image, **more)}  # type: ignore[arg-type]


def jpeg_facts(quality: int) -> ImageFacts:
    buffer = io.BytesIO()
    Image.fromarray(photograph(0)).save(buffer, "JPEG", quality=quality)
    return load_image(buffer.getvalue(), name="a.jpg").facts


@pytest.mark.parametrize("seed", range(5))
def test_a_plain_photograph_is_told_nothing(seed: int) -> None:
    assert names(photograph(seed)) == set()
    assert names(photograph(seed, 700), facts=jpeg_facts(90)) == set()


def test_small_and_squeezed() -> None:
    assert "too_small" in names(photograph(0, 100))
    assert names(photograph(0), facts=jpeg_facts(30)) == {"heavy_compression"}


@pytest.mark.parametrize("sigma", [2, 3, 6])
@pytest.mark.parametrize("side", [256, 900])
def test_strong_blur_is_seen_at_any_size(sigma: int, side: int) -> None:
    assert names(parse(f"blur:{sigma}")(photograph(1, side))) == {"blurred"}


def test_a_sharp_part_is_enough() -> None:
    image = np.full((900, 900, 3), 128, np.uint8)  # sky all round
    image[300:556, 300:556] = photograph(2)
    assert names(image) == set()


@pytest.mark.parametrize("factor", [2, 2.5])
@pytest.mark.parametrize("make", [screen, document])
def test_an_enlarged_picture_lacks_detail(make: Callable[[int], np.ndarray], factor: float) -> None:
    large = cv2.resize(make(3), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    assert names(make(3)) == set()
    assert names(large) == {"upscaled"}


def test_flat_pictures_have_no_detail() -> None:
    assert names(np.full((200, 200, 3), 90, np.uint8)) == {"blurred"}
    assert detail(np.full((200, 200, 3), 90, np.uint8)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_looks_like_is_said_in_words(kind: str) -> None:
    found = find_image_warnings(photograph(0), image_type=ImageType(kind=kind, probabilities={}))  # type: ignore[arg-type]
    if kind == "photograph":
        assert found == []
        return
    assert [c.name for c in found] == ["image_type"]
    assert WORDS[kind] in found[0].note  # type: ignore[index]


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (17, 16)])
def test_slivers_are_only_too_small(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert names(image) == {"too_small"}


def test_the_command_counts_notes(tmp_path: Path) -> None:
    for label, seed in (("ai", 0), ("nature", 10)):
        folder = tmp_path / "data" / "g" / "val" / label
        folder.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(photograph(seed + i)).save(folder / f"{i}.png")
    out = tmp_path / "conditions.json"
    assert (
        run("dev", "warning-rates", "--data", str(tmp_path / "data"), "--out", str(out), "--every", "1") == 0
    )
    found = json.loads(out.read_text())
    for part in ("photographs", "fakes"):
        assert found[part]["none"]["blurred"] == {**found[part]["none"]["blurred"], "value": 0.0, "n": 3}
        assert found[part]["blur:3"]["blurred"]["value"] == 1.0
        assert set(found[part]) == set(CHANGES)
