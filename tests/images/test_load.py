"""Reading images: every kind that must be read, its pixels, its facts and its notes."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.images.jpeg_quality import estimate_quality
from genimage_core.images.load import ImageFacts, LoadedImage, list_image_files, load_image
from genimage_core.utils.errors import UnsupportedFormatError
from tests.helpers.image_files import HAS_AVIF, KINDS, SAMPLES, encoded, picture, png_chunk, raw_png


@pytest.mark.parametrize(
    ("kind", "name", "tolerance"),
    [
        ("png", "PNG", 0),
        ("tiff", "TIFF", 0),
        ("tiff lzw", "TIFF", 0),
        ("big tiff", "TIFF", 0),
        ("bmp", "BMP", 0),
        ("jpeg", "JPEG", 5),
        ("progressive jpeg", "JPEG", 5),
        ("mpo", "MPO", 5),
        ("webp", "WEBP", 6),
        ("lossless webp", "WEBP", 0),
        pytest.param("avif", "AVIF", 6, marks=pytest.mark.skipif(not HAS_AVIF, reason="Pillow without AVIF")),
    ],
)
def test_every_kind_gives_the_picture(kind: str, name: str, tolerance: float) -> None:
    data = KINDS[kind]()
    loaded = load_image(data, name="photo")
    truth = np.asarray(picture()).astype(float)
    assert loaded.pixels.dtype == np.uint8
    assert loaded.pixels.flags.c_contiguous
    assert loaded.pixels.flags.writeable
    assert np.abs(loaded.pixels - truth).mean() <= tolerance
    facts = loaded.facts
    assert (facts.format, facts.width, facts.height) == (name, 61, 47)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.n_bytes == len(data)
    assert (facts.name, facts.exif_orientation, facts.bit_depth) == ("photo", 1, 8)
    assert facts.progressive == (kind == "progressive jpeg")
    assert not facts.has_transparency
    assert (facts.jpeg_quality is not None) == (name in ("JPEG", "MPO"))


def test_all_sources_agree(tmp_path: Path) -> None:
    data = KINDS["png"]()
    path = tmp_path / "a photo.png"
    path.write_bytes(data)
    with open(path, "rb") as file:
        loaded = [load_image(s) for s in (data, path, str(path), io.BytesIO(data), file, bytearray(data))]  # type: ignore[arg-type]
    assert [one.facts.name for one in loaded] == [
        "image",
        *["a photo.png"] * 2,
        "image",
        "a photo.png",
        "image",
    ]
    for one in loaded[1:]:
        np.testing.assert_array_equal(one.pixels, loaded[0].pixels)
    assert sorted(tmp_path.iterdir()) == [path]


def test_facts_are_json_ready() -> None:
    facts = load_image(KINDS["gif"]()).facts
    written = json.loads(json.dumps(facts.as_dict()))
    assert set(written) == set(ImageFacts.__dataclass_fields__)
    assert written["notes"] == list(facts.notes)
    assert written["n_frames"] == 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    upright = picture(64, 32)
    # The stored picture is such that the orientation brings it upright: the inverse of what EXIF asks for.
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(inverse[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    loaded = load_image(encoded(stored, kind, exif=exif, **options))
    assert np.abs(loaded.pixels.astype(float) - np.asarray(upright)).max() <= (12 if kind == "JPEG" else 0)
    assert (loaded.facts.width, loaded.facts.height) == (64, 32)
    assert loaded.facts.exif_orientation == orientation
    assert any("EXIF orientation" in note for note in loaded.facts.notes) == (orientation > 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "gif"])
def test_transparency_is_laid_on_white_and_said_so(mode: str) -> None:
    image = Image.new("RGBA", (20, 10), (200, 30, 60, 255))
    image.paste((10, 20, 30, 0), (0, 0, 10, 10))
    if mode == "P":
        image = Image.new("P", (20, 10), 1)
        image.putpalette([10, 20, 30, 200, 30, 60])
        image.paste(0, (0, 0, 10, 10))
        data = encoded(image, "PNG", transparency=0)
    elif mode == "gif":
        data = encoded(image, "GIF")
    else:
        data = encoded(image.convert(mode), "PNG")
    loaded = load_image(data)
    assert (loaded.pixels[:, :10] == 255).all()
    assert loaded.pixels[0, 15, 2] < 120
    assert loaded.facts.has_transparency
    assert "Transparent areas were laid on white." in loaded.facts.notes


def test_half_transparency_is_mixed_and_full_opacity_is_no_transparency() -> None:
    half = load_image(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"))
    assert (half.pixels == 127).all()
    opaque = load_image(encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 255)), "PNG"))
    assert not opaque.facts.has_transparency
    assert opaque.facts.mode == "RGBA"
    assert opaque.facts.notes == ()


def test_transparent_color_of_a_two_bit_png() -> None:
    # One row of grey levels 0, 1, 2, 3 with level 2 transparent.
    data = raw_png(4, 1, 2, 0, b"\0\x1b", png_chunk(b"tRNS", b"\0\x02"))
    loaded = load_image(data)
    assert loaded.pixels[0, :, 0].tolist() == [0, 85, 255, 255]
    assert (loaded.facts.bit_depth, loaded.facts.has_transparency) == (2, True)


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    levels = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        loaded = load_image(encoded(Image.fromarray(levels), kind))
        np.testing.assert_array_equal(loaded.pixels[..., 1].ravel(), np.arange(256))
        assert loaded.facts.bit_depth == 16
        assert loaded.facts.mode == "I;16"
        assert "16 bits per channel reduced to 8." in loaded.facts.notes


def test_sixteen_bit_grey_png_with_a_transparent_level() -> None:
    rows = b"\0" + struct.pack(">3H", 0, 40000, 65535)
    loaded = load_image(raw_png(3, 1, 16, 0, rows, png_chunk(b"tRNS", struct.pack(">H", 40000))))
    assert loaded.pixels[0, :, 0].tolist() == [0, 255, 255]
    assert loaded.facts.has_transparency


def test_sixteen_bit_color_png() -> None:
    rows = b"\0" + struct.pack(">6H", 0, 0x8000, 0xFFFF, 0x1234, 0x4000, 0xC000)
    data = raw_png(2, 1, 16, 2, rows, png_chunk(b"tRNS", struct.pack(">3H", 0x1234, 0x4000, 0xC000)))
    loaded = load_image(data)
    assert loaded.pixels.tolist() == [[[0, 0x80, 0xFF], [255, 255, 255]]]
    assert loaded.facts.bit_depth == 16


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 200.0]], dtype=np.float32), [0, 100, 200]),
        (np.array([[-50.0, 0.0, 50.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[0, 500_000, 1_000_000]], dtype=np.int32), [0, 128, 255]),
        (np.array([[-np.inf, np.nan, np.inf]], dtype=np.float32), [0, 128, 255]),
        (np.array([[7, 7, 7]], dtype=np.int32), [0, 0, 0]),
    ],
    ids=["unit float", "byte float", "signed float", "wide integer", "no numbers", "flat"],
)
def test_wide_tiffs_are_scaled(values: np.ndarray, expected: list[int]) -> None:
    loaded = load_image(encoded(Image.fromarray(values), "TIFF"))
    assert loaded.pixels[0, :, 0].tolist() == expected
    assert "32 bits per channel reduced to 8." in loaded.facts.notes


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_color_modes(mode: str) -> None:
    image = picture(mode=mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    loaded = load_image(encoded(image, kind))
    np.testing.assert_array_equal(loaded.pixels, np.asarray(image.convert("RGB")))
    assert loaded.facts.mode == mode
    assert loaded.facts.bit_depth == (1 if mode == "1" else 8)
    assert ("CMYK converted to RGB." in loaded.facts.notes) == (mode == "CMYK")


def test_cmyk_jpeg() -> None:
    loaded = load_image(encoded(picture(mode="CMYK"), "JPEG", quality=95))
    assert np.abs(loaded.pixels.astype(float) - np.asarray(picture())).mean() < 3
    assert "CMYK converted to RGB." in loaded.facts.notes


def test_a_color_mode_without_conversion_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="LAB"):
        load_image(encoded(Image.new("LAB", (8, 8)), "TIFF"))


@pytest.mark.parametrize("kind", ["gif", "apng", "animated webp"])
def test_animations_give_their_first_frame(kind: str) -> None:
    loaded = load_image(KINDS[kind]())
    assert loaded.facts.n_frames == 5
    assert "Animation with 5 frames: only the first is examined." in loaded.facts.notes
    assert np.abs(loaded.pixels.astype(float) - np.asarray(picture())).mean() < 12


def test_pages_and_further_pictures_are_said() -> None:
    pages = encoded(picture(), "TIFF", save_all=True, append_images=[picture(20, 20)] * 2)
    assert load_image(pages).facts.notes == ("3 pages: only the first is examined.",)
    facts = load_image(KINDS["mpo"]()).facts
    assert facts.n_frames == 2
    assert "2 pictures in one file: only the first is examined." in facts.notes


def test_jpeg_quality_is_exact_for_the_ijg_tables() -> None:
    for quality in range(1, 101):
        with Image.open(io.BytesIO(encoded(picture(8, 8), "JPEG", quality=quality))) as image:
            estimate = estimate_quality(image.quantization)  # type: ignore[attr-defined]
        assert estimate is not None
        assert (estimate.quality, estimate.exact) == (quality, True)
    assert load_image(encoded(picture(), "JPEG", quality=73)).facts.jpeg_quality == 73
    assert load_image(encoded(picture(mode="L"), "JPEG", quality=41)).facts.jpeg_quality == 41


def test_jpeg_quality_of_foreign_tables_is_near_and_said() -> None:
    with Image.open(io.BytesIO(encoded(picture(), "JPEG", quality=80))) as image:
        tables = {
            k: [min(255, v + (i % 3 == 0)) for i, v in enumerate(t)] for k, t in image.quantization.items()
        }  # type: ignore[attr-defined]
    facts = load_image(encoded(picture(), "JPEG", qtables=tables)).facts
    assert facts.jpeg_quality is not None
    assert abs(facts.jpeg_quality - 80) <= 3
    assert any("tables of its own" in note for note in facts.notes)
    assert estimate_quality({}) is None
    assert estimate_quality({0: [1, 2, 3]}) is None


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("photo.png", "Named .png but holds JPEG data."),
        ("photo.HEIC", "Named .heic but holds JPEG data."),
        ("photo.JPG", None),
        ("photo.jfif", None),
        ("photo.v2", None),
        ("photo", None),
    ],
)
def test_a_wrong_ending_is_noted(name: str, note: str | None) -> None:
    notes = load_image(KINDS["jpeg"](), name=name).facts.notes
    assert notes == (() if note is None else (note,))


def test_list_image_files(tmp_path: Path) -> None:
    for name in ("b/deep/2.JPG", "b/1.png", "a.webp", "b/notes.txt", "b/.hidden.png", "odd.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = list_image_files([tmp_path])
    assert [str(p.relative_to(tmp_path)) for p in found] == ["a.webp", "b/1.png", "b/deep/2.JPG"]
    named = [tmp_path / "odd.bin", str(tmp_path / "b"), tmp_path / "b" / "1.png", tmp_path / "gone.png"]
    assert [p.name for p in list_image_files(named)] == ["odd.bin", "1.png", "2.JPG", "gone.png"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the full-size sample images are not here")
def test_full_size_samples() -> None:
    loaded: dict[str, LoadedImage] = {p.name: load_image(p) for p in list_image_files([SAMPLES])}
    assert len(loaded) == 16
    for name, image in loaded.items():
        assert image.pixels.shape == (image.facts.height, image.facts.width, 3), name
        assert image.pixels.std() > 5
        assert not any(note.startswith("Named") for note in image.facts.notes)
    phone = loaded["real_plush_toy_iphone.jpg"].facts
    assert (phone.format, phone.n_frames, phone.width, phone.height) == ("MPO", 2, 2048, 2048)
    bridge = loaded["real_bridge_canon.jpg"].facts
    assert (bridge.format, bridge.width, bridge.height) == ("JPEG", 3000, 2000)
