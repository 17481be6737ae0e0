"""Reading images: files that are cut short, damaged, too large or no images, and hostile bytes."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from genimage_core.images.load import Limits, list_image_files, load_image
from genimage_core.utils.errors import (
    CorruptImageError,
    EmptyFileError,
    GenImageError,
    ImageReadError,
    ImageTooLargeError,
    UnsupportedFormatError,
)
from tests.helpers.image_files import KINDS, SAMPLES, bomb, encoded, picture

kinds = pytest.mark.parametrize("kind", KINDS)


def test_a_jpeg_whose_further_pictures_were_taken_off_is_whole() -> None:
    data = KINDS["mpo"]()
    first_end = data.index(b"\xff\xd9\xff\xd8") + 2
    assert load_image(data[:first_end]).facts.width == 61
    with pytest.raises(CorruptImageError):
        load_image(data[: first_end + 40])


@kinds
def test_cut_anywhere_is_an_error(kind: str) -> None:
    data = KINDS[kind]()
    cuts = {1, 2, 3, 5, 8, 12, 20, len(data) - 1, len(data) - 2, len(data) - 3}
    cuts |= {random.Random(kind).randrange(1, len(data)) for _ in range(150)}
    if kind == "mpo":
        cuts.discard(data.index(b"\xff\xd9\xff\xd8") + 2)
    for cut in sorted(cuts):
        with pytest.raises((CorruptImageError, UnsupportedFormatError)):
            load_image(data[:cut])
        if cut >= 20:
            with pytest.raises(CorruptImageError):
                load_image(data[:cut])


def test_cut_files_stay_errors_when_pillow_is_told_to_pad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for make in KINDS.values():
        data = make()
        with pytest.raises(CorruptImageError):
            load_image(data[: len(data) * 2 // 3])


@kinds
@pytest.mark.filterwarnings("ignore")
def test_flipped_bits_load_or_raise_a_typed_error(kind: str) -> None:
    data = KINDS[kind]()
    source = random.Random(kind)
    errors: list[GenImageError] = []
    for _ in range(200):
        damaged = bytearray(data)
        # Half of the damage goes to the first bytes, where the structure is.
        span = min(len(data), 200) if source.random() < 0.5 else len(data)
        for _ in range(source.choice((1, 1, 3, 20))):
            damaged[source.randrange(span)] ^= 1 << source.randrange(8)
        try:
            loaded = load_image(bytes(damaged), name=f"{kind}.bin", limits=Limits(max_pixels=4_000_000))
        except GenImageError as error:
            errors.append(error)
        else:
            assert loaded.pixels.dtype == np.uint8
            assert loaded.pixels.shape == (loaded.facts.height, loaded.facts.width, 3)
    assert errors
    assert all(isinstance(error, ImageReadError) and error.hint for error in errors)
    assert {error.source for error in errors} == {f"{kind}.bin"}


@pytest.mark.filterwarnings("ignore")
def test_random_bytes_behind_a_signature_raise_a_typed_error() -> None:
    source = random.Random(7)
    for make in KINDS.values():
        start = make()[: source.randrange(4, 40)]
        for _ in range(20):
            with pytest.raises(ImageReadError):
                load_image(start + source.randbytes(source.randrange(0, 3000)))


def test_a_damaged_png_is_no_image() -> None:
    data = bytearray(KINDS["png"]())
    data[data.index(b"IDAT") + 20] ^= 4
    with pytest.raises(CorruptImageError, match="checksum"):
        load_image(bytes(data))


@pytest.mark.filterwarnings("error")
def test_bombs_are_refused_by_their_header() -> None:
    data = bomb()
    assert len(data) < 1_000_000
    with pytest.raises(ImageTooLargeError, match=r"50000 x 50000 = 2,500\.0 megapixels; the limit is 64"):
        load_image(data, name="bomb.png")
    for kind, limit in (("JPEG", 100), ("WEBP", 100), ("GIF", 100), ("BMP", 100), ("TIFF", 100)):
        with pytest.raises(ImageTooLargeError, match="61 x 47"):
            load_image(encoded(picture(), kind), limits=Limits(max_pixels=limit))


@pytest.mark.filterwarnings("error")
def test_the_callers_limit_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert load_image(KINDS["png"]()).facts.width == 61
    assert load_image(KINDS["png"](), limits=Limits(max_pixels=61 * 47)).facts.width == 61


def test_the_limit_on_bytes_is_met_before_everything_is_read(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= 1001
            self.asked += size
            return b"\xff" * size

    endless = Endless()
    limits = Limits(max_bytes=1000)
    path = tmp_path / "big.png"
    path.write_bytes(b"\x89PNG" * 1000)
    for source in (endless, path, path.read_bytes()):
        with pytest.raises(ImageTooLargeError, match="limit"):
            load_image(source, limits=limits)  # type: ignore[arg-type]
    assert endless.asked == 1001


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"Just some text, renamed.\n" * 50, "not an image"),
        (b"BMW builds cars, and this is a text about them.\n" * 9, "not an image"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video"),
        (b"PK\x03\x04" + bytes(100), "ZIP"),
        (bytes(500), "not an image"),
    ],
)
def test_other_files_are_named_as_such(data: bytes, what: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=what) as caught:
        load_image(data, name="picture.png")
    assert str(caught.value).startswith("picture.png: ")
    assert "PNG" in caught.value.hint


def test_heic_without_its_package_says_convert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    data = struct.pack(">I4s4sI4s", 24, b"ftyp", b"heic", 0, b"mif1") + bytes(4)
    with pytest.raises(UnsupportedFormatError, match=r"HEIC.*JPEG or PNG"):
        load_image(data + struct.pack(">I4s", 8, b"mdat"))


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"gone\.png: There is no such file"):
        load_image(tmp_path / "gone.png")
    with pytest.raises(ImageReadError, match="folder"):
        load_image(tmp_path)
    with pytest.raises(ImageReadError, match="cannot be opened"):
        load_image("nul\0byte.png")


def broken_files() -> list[tuple[str, bytes, type[ImageReadError]]]:
    """Return thirty broken files: (name, bytes, the error that each must give)."""
    source = random.Random(30)
    files: list[tuple[str, bytes, type[ImageReadError]]] = []
    for number in range(24):
        kind = list(KINDS)[number % len(KINDS)]
        data = KINDS[kind]()
        files.append((f"cut {number} {kind}", data[: source.randrange(24, len(data) - 2)], CorruptImageError))
    return [
        *files,
        ("empty.jpg", b"", EmptyFileError),
        ("text.png", b"This is a text.\n" * 40, UnsupportedFormatError),
        ("page.jpg", b"<!DOCTYPE html><html></html>", UnsupportedFormatError),
        ("bomb.png", bomb(20_000), ImageTooLargeError),
        ("photo.gif", b"\x7fELF" + bytes(60), UnsupportedFormatError),
        ("zeros.tiff", bytes(4096), UnsupportedFormatError),
    ]


def test_thirty_broken_files_each_give_a_clear_message() -> None:
    files = broken_files()
    assert len(files) == 30
    for name, data, expected in files:
        with pytest.raises(expected) as caught:
            load_image(data, name=name)
        text = str(caught.value)
        assert text.startswith(f"{name}: ")
        assert text == f"{name}: {caught.value.message} {caught.value.hint}"
        assert caught.value.message.endswith(".")
        assert caught.value.hint.endswith(".")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the full-size sample images are not here")
def test_full_size_samples_cut_at_random() -> None:
    source = random.Random(3)
    for path in list_image_files([SAMPLES]):
        data = path.read_bytes()
        for _ in range(6):
            with pytest.raises(CorruptImageError):
                load_image(data[: source.randrange(24, len(data))])
