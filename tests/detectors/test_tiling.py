"""From images of any size to square views."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from genimage_core.detectors import tiling
from genimage_core.detectors.tiling import BAND, pad_to, paper_view, tile_origins, tile_views
from tests.conftest import make_image


@pytest.mark.parametrize(
    ("length", "starts"),
    [
        (128, [0]),
        (179, [25]),
        (180, [0, 52]),
        (224, [0, 96]),
        (256, [0, 128]),
        (307, [0, 179]),
        (308, [0, 90, 180]),
    ],
)
def test_tiles_cover_what_would_be_lost(length: int, starts: list[int]) -> None:
    assert tile_origins(length, 128, 128) == [(top, 0) for top in starts]
    assert tile_origins(128, length, 128) == [(0, left) for left in starts]


def test_at_most_a_fifth_of_a_tile_is_lost_at_an_edge() -> None:
    for length in range(100, 1200):
        tops = [top for top, _ in tile_origins(length, 100, 100)]
        assert max(tops[0], length - 100 - tops[-1]) <= 20
        assert all(b - a >= 40 for a, b in pairwise(tops))


def test_views_are_the_most_textured_tiles() -> None:
    image = np.full((300, 300, 3), 128, np.uint8)
    image[100:200, 200:] = make_image(1, 100)
    image[:100, :100] = make_image(2, 100) // 4
    first, second = tile_views(image, 100, 2)
    assert np.array_equal(first, image[100:200, 200:])
    assert np.array_equal(second, image[:100, :100])


def test_small_images_are_mirrored_not_stretched() -> None:
    image = make_image(3, 90)[:60]
    padded = pad_to(image, 100)
    assert padded.shape == (100, 100, 3)
    assert np.array_equal(padded[20:80, 5:95], image)
    (view,) = tile_views(image, 100, 4)
    assert np.array_equal(view, padded)


@pytest.mark.parametrize(("height", "width"), [(1, 3), (BAND, 40), (2 * BAND + 1, 300), (90, 2 * BAND)])
def test_resizing_in_bands_gives_the_values_of_one_call(height: int, width: int) -> None:
    image = np.random.default_rng(4).integers(0, 256, (height, width, 3), dtype=np.uint8)
    scale = 48 / min(height, width)
    whole = Image.fromarray(image).resize(
        (round(width * scale), round(height * scale)), Image.Resampling.BICUBIC
    )
    top, left = (whole.height - 48) // 2, (whole.width - 48) // 2
    assert np.array_equal(paper_view(image, 48, 48), np.asarray(whole)[top : top + 48, left : left + 48])


def test_the_texture_of_a_tile_is_that_of_the_whole_picture_there() -> None:
    """Only the tile is converted; a whole picture's Laplacian would take eight bytes for every pixel."""
    image = make_image(3, 300)
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    for top, left in tiling.tile_origins(*image.shape[:2], 96):
        whole = float(detail[top : top + 96, left : left + 96].mean())
        assert tiling.texture(image, top, left, 96) == pytest.approx(whole, rel=1e-6)


def test_a_large_picture_is_tiled_in_little_memory() -> None:
    image = np.zeros((4000, 4000, 3), np.uint8)
    tracemalloc.start()
    tiling.tile_views(image, 224, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
