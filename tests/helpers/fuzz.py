"""Damaged image files, made from a seed: the same number gives the same file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np

from tests.helpers.image_files import KINDS, animation, encoded, picture, png_chunk, raw_png
from tests.helpers.metadata_files import (
    extended_xmp,
    gif_comment,
    gif_with,
    gif_xmp,
    iim,
    png_behind_pixels,
    raw_profile,
    stealth,
    user_comment,
    with_iptc,
    with_segment,
)
from tests.helpers.odd_images import run_length_bitmap, samples, tiff
from tests.helpers.provenance_files import A1111, COMFY, exif, png, with_xmp, xmp

_PACKET = xmp('photoshop:Credit="Made with Google AI" exif:UserComment="{}"/>')


@functools.cache
def seeds() -> dict[str, bytes]:
    """Sound files of every format, mode and kind of metadata that is read."""
    made = {kind: make() for kind, make in KINDS.items()}
    depths = ((1, 0), (16, 0), (8, 2), (16, 2), (4, 3), (8, 4), (16, 6))
    made |= {f"png {depth} {colour}": _png(depth, colour) for depth, colour in depths}
    made |= {f"jpeg {mode}": encoded(picture().convert(mode), "JPEG") for mode in ("L", "CMYK")}
    made |= {f"bmp rle{bits}": run_length_bitmap(bits, 3)[0] for bits in (4, 8)}
    made |= {
        f"tiff {bands} {kind} {planar}": tiff(samples(bands, kind), planar=planar, compression=packed)
        for bands, kind, planar, packed in (
            (1, "u1", False, None), (1, "u2", False, "deflate"), (1, "f4", False, None),
            (1, "u4", False, None),
            (3, "u2", True, None), (3, "u2", False, "deflate"), (4, "u1", True, "deflate"),
        )
    }  # fmt: skip
    made |= {f"{mode} tiff": encoded(picture().convert(mode), "TIFF") for mode in ("1", "P", "CMYK")}
    made |= {
        "png texts": png(parameters=A1111, prompt=COMFY, Comment="{}"),
        "png packed texts": png(True, parameters=A1111, workflow=COMFY),
        "png comf": png_behind_pixels(png_chunk(b"comf", b"prompt\0" + COMFY.encode())),
        "png profiles": raw_profile("exif", exif(comment=user_comment(A1111))),
        "png iptc": raw_profile("iptc", iim((110, "Made with Google AI"))),
        "png stealth": stealth(A1111),
        "webp stealth": stealth(COMFY, kind="WEBP"),
        "jpeg exif": encoded(picture(), "JPEG", exif=exif(make="Canon", comment=user_comment(A1111))),
        "jpeg xmp": with_xmp("JPEG", _PACKET),
        "jpeg extended xmp": extended_xmp(_PACKET),
        "jpeg iptc": with_iptc((110, "Made with Google AI"), (80, "someone")),
        "jpeg comment": with_segment(0xFE, A1111.encode()),
        "webp xmp": with_xmp("WEBP", _PACKET),
        "tiff xmp": with_xmp("TIFF", _PACKET),
        "gif metadata": gif_with(gif_comment(A1111), gif_xmp(_PACKET)),
        "gif animation": animation("GIF", 3),
    }
    return made


def _png(depth: int, colour: int) -> bytes:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + bytes(-(-20 * channels * depth // 8))
    palette = (png_chunk(b"PLTE", bytes(range(48))),) if colour == 3 else ()
    return raw_png(20, 15, depth, colour, row * 15, *palette)


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, len(data), int(rng.integers(1, 12))):
        data[place] ^= 1 << int(rng.integers(8))


def _overwrite(data: bytearray, rng: np.random.Generator) -> None:
    place, size = int(rng.integers(len(data))), int(rng.integers(1, 64))
    data[place : place + size] = rng.bytes(len(data[place : place + size]))


def _extreme(data: bytearray, rng: np.random.Generator) -> None:
    """A length or a count that is nothing, all, or nearly so."""
    width = int(rng.choice([1, 2, 4]))
    place = int(rng.integers(max(1, len(data) - width)))
    value = int(rng.choice([0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1]))
    data[place : place + width] = value.to_bytes(width, "big" if rng.random() < 0.5 else "little")


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(1, max(2, len(data)))) :]


def _remove(data: bytearray, rng: np.random.Generator) -> None:
    place = int(rng.integers(len(data)))
    del data[place : place + int(rng.integers(1, 100))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    place, size = int(rng.integers(len(data))), int(rng.integers(1, 200))
    data[place:place] = data[place : place + size] * int(rng.integers(1, 4))


def _splice(data: bytearray, rng: np.random.Generator) -> None:
    """A part of another file of another kind."""
    others = list(seeds().values())
    other = others[int(rng.integers(len(others)))]
    start = int(rng.integers(len(other)))
    place = int(rng.integers(len(data)))
    data[place:place] = other[start : start + int(rng.integers(1, 400))]


_MUTATIONS: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    _flip, _flip, _overwrite, _extreme, _extreme, _cut, _remove, _repeat, _splice,
)  # fmt: skip


def mutants(start: int, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(name, file) of damaged files number `start` to `start + count`.

    Args:
        start, count: which.
        seed: of all of them.
    """
    sound = list(seeds().items())
    for number in range(start, start + count):
        rng = np.random.default_rng([seed, number])
        name, original = sound[number % len(sound)]
        data = bytearray(original)
        for _ in range(int(rng.integers(1, 4))):
            if data:
                _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](data, rng)
        yield f"{number} {name}", bytes(data)
