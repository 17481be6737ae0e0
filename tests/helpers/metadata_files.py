"""Files with generators' metadata in every place that a container has for text, written for the tests."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable

import numpy as np
from PIL import Image, PngImagePlugin

from tests.helpers.image_files import encoded, picture, png_chunk
from tests.helpers.provenance_files import exif, png, with_xmp, xmp

EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"


def user_comment(text: str) -> bytes:
    """A UserComment as piexif writes it."""
    return b"UNICODE\0" + text.encode("utf-16-be")


def with_segment(marker: int, body: bytes, jpeg: bytes = b"") -> bytes:
    """A JPEG with one more segment, behind its start."""
    jpeg = jpeg or encoded(picture(), "JPEG")
    return jpeg[:2] + bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body + jpeg[2:]


def png_behind_pixels(*chunks: bytes) -> bytes:
    """A PNG with more chunks between its pixels and its end."""
    data = encoded(picture(), "PNG")
    return data[:-12] + b"".join(chunks) + data[-12:]


def gif_with(*blocks: bytes) -> bytes:
    """A GIF with more blocks in front of its pixels."""
    data = encoded(picture(mode="P"), "GIF")
    start = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:start] + b"".join(blocks) + data[start:]


def sub_blocks(body: bytes) -> bytes:
    parts = [body[at : at + 255] for at in range(0, len(body), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif_comment(text: str) -> bytes:
    return b"\x21\xfe" + sub_blocks(text.encode())


def gif_xmp(packet: bytes, *, plain: bool = True) -> bytes:
    """XMP as Adobe's specification has it, or in sub-blocks, as some writers do."""
    head = b"\x21\xff\x0bXMP DataXMP"
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return head + (packet + trailer if plain else sub_blocks(packet))


def raw_profile(name: str, body: bytes, *, packed: bool = True) -> bytes:
    """A PNG with ImageMagick's raw profile."""
    digits = body.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    info = PngImagePlugin.PngInfo()
    info.add_text(f"Raw profile type {name}", f"\n{name}\n{len(body):8d}\n{lines}\n", zip=packed)
    return encoded(picture(), "PNG", pnginfo=info)


def iim(*sets: tuple[int, str], photoshop: bool = True) -> bytes:
    """An IPTC block, with Photoshop's wrapper or bare."""
    block = b"".join(
        b"\x1c\x02" + bytes([number]) + len(text.encode()).to_bytes(2) + text.encode()
        for number, text in sets
    )
    if not photoshop:
        return block
    return b"8BIM\x04\x04\0\0" + len(block).to_bytes(4) + block + b"\0" * (len(block) % 2)


def with_iptc(*sets: tuple[int, str], jpeg: bytes = b"") -> bytes:
    return with_segment(0xED, b"Photoshop 3.0\0" + iim(*sets), jpeg)


def extended_xmp(packet: bytes, portion: int = 400) -> bytes:
    """A JPEG whose XMP stands in the extension, its portions in the wrong order."""
    digest = hashlib.md5(packet).hexdigest().upper().encode()
    data = with_xmp("JPEG", xmp("/>"))
    for at in range(0, len(packet), portion):
        head = EXTENDED + digest + len(packet).to_bytes(4) + at.to_bytes(4)
        data = with_segment(0xE1, head + packet[at : at + portion], data)
    return data


def stealth(
    text: str, *, alpha: bool = True, packed: bool = True, kind: str = "PNG", width: int = 90
) -> bytes:
    """Hide a text in the lowest bits, column by column."""
    payload = gzip.compress(text.encode()) if packed else text.encode()
    mark = f"stealth_{'png' if alpha else 'rgb'}{'comp' if packed else 'info'}".encode()
    bits = np.unpackbits(np.frombuffer(mark + (8 * len(payload)).to_bytes(4) + payload, np.uint8))
    pixels = np.array(picture(width, 70, "RGBA" if alpha else "RGB"))
    part = pixels[..., 3:] if alpha else pixels
    columns = part.swapaxes(0, 1).reshape(-1).copy()
    assert len(bits) <= len(columns)
    columns[: len(bits)] = columns[: len(bits)] & 0xFE | bits
    part[:] = columns.reshape(part.swapaxes(0, 1).shape).swapaxes(0, 1)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    return encoded(Image.fromarray(pixels), kind, **options)


def escaped(text: str) -> str:
    """Text for an XML attribute."""
    for char, name in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), ("\n", "&#10;")):
        text = text.replace(char, name)
    return text


PLACES: dict[str, Callable[[str], bytes]] = {
    "PNG parameters": lambda text: png(parameters=text),
    "PNG Comment, packed": lambda text: png(True, Comment=text),
    "PNG chunk behind the pixels": lambda text: png_behind_pixels(
        png_chunk(b"tEXt", b"prompt\0" + text.encode())
    ),
    "PNG comf": lambda text: png_behind_pixels(png_chunk(b"comf", b"prompt\0" + text.encode())),
    "PNG raw profile": lambda text: raw_profile("exif", exif(comment=user_comment(text))),
    "PNG stealth": lambda text: stealth(text, width=400),
    "JPEG UserComment": lambda text: encoded(picture(), "JPEG", exif=exif(comment=user_comment(text))),
    "WebP UserComment": lambda text: encoded(picture(), "WEBP", exif=exif(comment=user_comment(text))),
    "TIFF ImageDescription": lambda text: encoded(picture(), "TIFF", description=text),
    "JPEG comment": lambda text: with_segment(0xFE, text.encode()),
    "GIF comment": lambda text: gif_with(gif_comment(text)),
    "JPEG XMP": lambda text: with_xmp("JPEG", xmp(f'exif:UserComment="{escaped(text)}"/>')),
    "GIF XMP": lambda text: gif_with(gif_xmp(xmp(f'dc:description="{escaped(text)}"/>'))),
    "XPComment": lambda text: encoded(picture(), "JPEG", exif=xp_comment(text)),
}


def xp_comment(text: str) -> bytes:
    block = Image.Exif()
    block[40092] = text.encode("utf-16-le") + b"\0\0"
    return block.tobytes()
