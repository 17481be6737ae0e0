"""The reader against a second decoder and against the picture that was written: every format and mode.

OpenCV is the second decoder. Where it is known to be wrong or cannot read a kind, the picture itself is the
truth. What is not read the same way must be refused, never another picture.
"""

from __future__ import annotations

import io
import itertools
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from genimage_core.images.load import load_image
from genimage_core.utils.errors import ImageReadError
from tests.helpers.image_files import encoded, picture, png_chunk, raw_png
from tests.helpers.odd_images import (
    HEIGHT,
    WIDTH,
    bitmap,
    run_length_bitmap,
    samples,
    tiff,
    with_orientation,
)
from tests.helpers.provenance_files import with_xmp, xmp

pytest.importorskip("tifffile")


def by_opencv(data: bytes) -> np.ndarray[Any, Any] | None:
    """RGB uint8 (H, W, 3) as OpenCV reads it, None where it cannot."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if pixels is None else pixels[..., ::-1]


def assert_same(data: bytes, truth: np.ndarray[Any, Any] | None, tolerance: int) -> None:
    """The reader gives this picture, or refuses the file."""
    try:
        pixels = load_image(data).pixels
    except ImageReadError:
        return
    assert truth is not None
    assert pixels.shape == truth.shape
    assert np.abs(pixels.astype(int) - truth).max() <= tolerance


TIFFS = [
    (bands, dtype, planar, packed, order, tile)
    for bands, dtype, planar, packed, order, tile in itertools.product(
        (1, 3, 4), ("u1", "u2", "u4", "f4"), (False, True), (None, "deflate"), "<>", (None, (16, 16))
    )
    if bands > 1 or not planar
]


@pytest.mark.parametrize(("bands", "dtype", "planar", "packed", "order", "tile"), TIFFS)
def test_tiff_samples(
    bands: int, dtype: str, planar: bool, packed: str | None, order: str, tile: tuple[int, int] | None
) -> None:
    data = samples(bands, dtype)
    file = tiff(data, planar=planar, compression=packed, byteorder=order, tile=tile)
    eight = samples(bands, "u1")
    truth = np.repeat(eight[..., None], 3, -1) if bands == 1 else eight[..., :3]
    if bands == 1 and dtype == "u4":  # stretched from its own darkest to its own brightest
        low, high = int(eight.min()), int(eight.max())
        truth = np.rint((truth.astype(float) - low) * 255 / (high - low))
    assert_same(file, truth, 1)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_in_16_bits_is_read_and_not_only_refused(planar: bool, order: str) -> None:
    loaded = load_image(tiff(samples(3, "u2"), planar=planar, byteorder=order))
    np.testing.assert_array_equal(loaded.pixels, samples(3, "u1"))
    assert loaded.facts.bit_depth == 16


@pytest.mark.parametrize("dtype", ["bool", "u1", "u2"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [None, "deflate"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_grey_from_black_and_from_white(dtype: str, order: str, packed: str | None, photometric: str) -> None:
    data = samples(1, "u1") > 128 if dtype == "bool" else samples(1, dtype)
    file = tiff(data, photometric=photometric, byteorder=order, compression=packed)
    assert_same(file, by_opencv(file), 1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("packed", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_tiff_modes(mode: str, packed: str | None) -> None:
    file = encoded(
        picture(WIDTH, HEIGHT).convert(mode), "TIFF", **({"compression": packed} if packed else {})
    )
    assert_same(file, by_opencv(file), 6)


@pytest.mark.parametrize(("depth", "colour"), [
    (1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4), (16, 4),
    (8, 6), (16, 6),
])  # fmt: skip
def test_png_depths(depth: int, colour: int) -> None:
    rng = np.random.default_rng(depth * 10 + colour)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = (
        np.frombuffer(rng.bytes(HEIGHT * -(-WIDTH * channels * depth // 8)), np.uint8)
        .reshape(HEIGHT, -1)
        .copy()
    )
    if colour in (4, 6):
        rows.reshape(HEIGHT, WIDTH, -1)[..., -depth // 8 :] = (
            255  # opaque: what lies behind is a matter of taste
        )
    palette = (png_chunk(b"PLTE", rng.bytes(3 * 2**depth)),) if colour == 3 else ()
    file = raw_png(WIDTH, HEIGHT, depth, colour, b"".join(b"\0" + row.tobytes() for row in rows), *palette)
    assert_same(file, by_opencv(file), 1)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_modes(mode: str, subsampling: int, progressive: bool) -> None:
    image = picture(WIDTH, HEIGHT).convert(mode)
    file = encoded(image, "JPEG", subsampling=subsampling, progressive=progressive, quality=95)
    assert_same(file, by_opencv(file), 4)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"keep_rgb": True, "quality": 95}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 90}),
        ("GIF", {"interlace": 0}),
        ("GIF", {"interlace": 1}),
        ("BMP", {}),
    ],
)
def test_other_kinds(kind: str, options: dict[str, Any]) -> None:
    file = encoded(picture(WIDTH, HEIGHT), kind, **options)
    assert_same(file, by_opencv(file), 4)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("seed", range(12))
def test_run_length_bitmaps(bits: int, seed: int) -> None:
    file, truth = run_length_bitmap(bits, seed)
    np.testing.assert_array_equal(load_image(file).pixels, truth)
    np.testing.assert_array_equal(by_opencv(file), truth)


@pytest.mark.parametrize("bits", [1, 4, 8, 16, 24, 32])
@pytest.mark.parametrize("top_down", [False, True])
def test_plain_bitmaps(bits: int, top_down: bool) -> None:
    rng = np.random.default_rng(bits)
    palette = b"".join(rng.bytes(3) + b"\0" for _ in range(2**bits)) if bits <= 8 else b""
    file = bitmap(rng.bytes((WIDTH * bits + 31) // 32 * 4 * HEIGHT), bits, palette, top_down=top_down)
    assert_same(file, by_opencv(file), 8)


@pytest.mark.parametrize("masks", list(itertools.permutations((0xFF000000, 0xFF0000, 0xFF00, 0xFF), 3)))
def test_bitmaps_with_masks(masks: tuple[int, int, int]) -> None:
    data = np.random.default_rng(3).integers(0, 2**32, (HEIGHT, WIDTH), dtype=np.uint32)
    shifts = [(mask & -mask).bit_length() - 1 for mask in masks]
    truth = np.stack([data[::-1] >> shift & 255 for shift in shifts], -1)
    assert_same(bitmap(data.astype("<u4").tobytes(), 32, compression=3, masks=masks), truth, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_turns(orientation: int, kind: str) -> None:
    file = with_orientation(kind, orientation, **({"lossless": True} if kind == "WEBP" else {}))
    assert_same(file, by_opencv(file), 8)
    assert load_image(file).facts.exif_orientation == orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "form", ['tiff:Orientation="6"/>', "><tiff:Orientation>6</tiff:Orientation></rdf:Description>"]
)
def test_xmp_turns_nothing(kind: str, form: str) -> None:
    loaded = load_image(with_xmp(kind, xmp(form)))
    assert (loaded.facts.width, loaded.facts.height) == (61, 47)
    assert loaded.facts.exif_orientation == 1
    assert not loaded.facts.notes


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_outranks_xmp(kind: str) -> None:
    exif = Image.Exif()
    exif[274] = 3
    out = io.BytesIO()
    with Image.open(io.BytesIO(with_xmp(kind, xmp('tiff:Orientation="6"/>')))) as image:
        image.load()
        kept = {"xmp": image.info["xmp"]} if kind != "PNG" else {}
        Image.fromarray(np.asarray(image)).save(out, kind, exif=exif.tobytes(), **kept)
    loaded = load_image(out.getvalue())
    assert (loaded.facts.width, loaded.facts.exif_orientation) == (61, 3)


def test_xmp_behind_the_pixels_of_a_png_turns_nothing() -> None:
    data = encoded(picture(), "PNG")
    packet = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp('tiff:Orientation="6"/>'))
    loaded = load_image(data[:-12] + packet + data[-12:])
    assert (loaded.facts.width, loaded.facts.exif_orientation) == (61, 1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_bands_of_rows_give_the_same_pixels_as_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large picture is converted band by band; what is said of it must not depend on the bands."""
    from genimage_core.images import color

    image = picture(WIDTH, HEIGHT)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode in ("I", "F"):
        image = Image.fromarray(np.asarray(image.convert("L")).astype("i4" if mode == "I" else "f4") * 3 - 40)
    else:
        image = image.convert(mode)
    depth = {"I": 32, "F": 32, "I;16": 16}.get(mode, 8)
    whole = color.to_rgb(image.copy(), depth)
    monkeypatch.setattr(color, "_BAND", WIDTH * 7)
    bands = color.to_rgb(image.copy(), depth)
    np.testing.assert_array_equal(whole[0], bands[0])
    assert whole[1:] == bands[1:]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_a_large_webp_is_decoded_to_the_same_pixels(
    alpha: bool, lossless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genimage_core.images import pillow_gaps

    image = picture(WIDTH, HEIGHT)
    if alpha:
        image.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    file = encoded(image, "WEBP", lossless=lossless)
    before = load_image(file)
    monkeypatch.setattr(pillow_gaps, "_LARGE", 0)
    after = load_image(file)
    np.testing.assert_array_equal(before.pixels, after.pixels)
    assert before.facts == after.facts
