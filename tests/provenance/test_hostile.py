"""Broken, oversized and malicious metadata: a source that says so, no exception, no full memory."""

from __future__ import annotations

import time
import tracemalloc
import zlib

import numpy as np
import pytest

from genimage_core.provenance import read_provenance
from tests.helpers.image_files import KINDS, encoded, picture, png_chunk
from tests.helpers.provenance_files import A1111, exif, png, xmp


def png_with(*chunks: bytes) -> bytes:
    """A PNG with more chunks behind its header."""
    data = encoded(picture(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    zeros = b"0" * 2**20
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def unreadable(data: bytes) -> list[str]:
    return [s.value for s in read_provenance(data).sources if s.claim == "unreadable"]


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"zTXt", b"parameters\0\0" + bomb(300)),
        png_chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb(300)),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb(300)),
    ],
    ids=["zTXt", "iTXt", "XMP"],
)
def test_a_text_bomb_is_refused_in_little_memory(chunk: bytes) -> None:
    data = png_with(chunk, png_chunk(b"tEXt", b"parameters\0" + A1111.encode()))
    tracemalloc.start()
    found = read_provenance(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20
    assert any("larger than 4 MB" in s.value for s in found.sources if s.claim == "unreadable")
    assert found.made_by == "Stable Diffusion web UI"  # the sound chunk beside it still counts
    assert "could not be read" in found.explanation


def test_many_chunks_are_capped() -> None:
    many = [png_chunk(b"tEXt", b"key%d\0value" % number) for number in range(5000)]
    started = time.process_time()
    assert "more text chunks than are read" in unreadable(png_with(*many))
    assert time.process_time() - started < 5


def test_a_huge_plain_chunk() -> None:
    assert any(
        "larger than 4 MB" in w for w in unreadable(png_with(png_chunk(b"tEXt", b"a\0" + b"x" * 5_000_000)))
    )


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"zTXt", b"parameters\0\0no zlib data"),
        png_chunk(b"tEXt", b"no keyword"),
        png_chunk(b"iTXt", b""),
        png_chunk(b"eXIf", b"no tiff"),
    ],
)
def test_a_damaged_chunk_is_told(chunk: bytes) -> None:
    assert unreadable(png_with(chunk))


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
    ],
)
def test_entities_in_xmp_are_refused(packet: bytes) -> None:
    data = encoded(picture(), "JPEG", xmp=packet)
    (words,) = unreadable(data)
    assert "entities" in words


@pytest.mark.parametrize("packet", [b"<a>", b"\xff\xfe<", b"<a" * 3000, b"<a>" * 20000, b"\0" * 50])
def test_broken_xmp_is_told(packet: bytes) -> None:
    assert read_provenance(encoded(picture(), "WEBP", xmp=packet)).ai is None
    if packet.strip(b"\0"):
        assert unreadable(encoded(picture(), "WEBP", xmp=packet))


def test_deeply_nested_json_and_xml() -> None:
    assert read_provenance(png(prompt='{"a":' * 100_000)).ai is None
    nested = xmp("><xmp:CreatorTool>" + "<rdf:Bag>" * 20_000 + "</rdf:Bag>" * 20_000)
    assert read_provenance(encoded(picture(), "WEBP", xmp=nested)).ai is None


def test_nested_xmp_takes_no_longer_than_it_should() -> None:
    """Reading nested descriptions one inside the other would take time with the square of their number."""
    inner = "<rdf:Description>" * 20_000 + "</rdf:Description>" * 20_000
    packet = xmp("/>" + f"<rdf:Description>{inner}</rdf:Description>")
    started = time.process_time()
    assert read_provenance(encoded(picture(), "WEBP", xmp=packet)).ai is None
    assert time.process_time() - started < 5  # 38 s when it was quadratic


def test_random_bytes_never_raise() -> None:
    rng = np.random.default_rng(7)
    starts = (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe1",
        b"RIFF\xff\xff\0\0WEBP",
        b"II*\0",
        b"GIF89a",
        b"BMjumb",
    )
    for start in starts:
        for size in (0, 1, 40, 4000):
            found = read_provenance(start + rng.bytes(size))
            assert found.ai is None
            assert found.explanation


@pytest.mark.parametrize("kind", list(KINDS))
def test_damaged_files_never_raise(kind: str) -> None:
    rng = np.random.default_rng(11)
    sound = KINDS[kind]()
    for _ in range(12):
        data = bytearray(sound)
        for place in rng.integers(0, len(data), 20):
            data[place] = rng.integers(256)
        assert read_provenance(bytes(data)).ai is None
    assert read_provenance(sound[: len(sound) // 2]).ai is None


def test_damaged_exif_never_raises() -> None:
    rng = np.random.default_rng(13)
    block = exif(make="Canon", model="EOS", comment=b"ASCII\0\0\0hello", captured="2020:01:01 00:00:00")
    for _ in range(30):
        broken = bytearray(block)
        for place in rng.integers(6, len(broken), 6):
            broken[place] = rng.integers(256)
        data = encoded(picture(), "WEBP", exif=bytes(broken))
        assert read_provenance(data).explanation


def test_values_are_short_and_hold_no_control_characters() -> None:
    nasty = "x\x1b[31m\u202egnp.exe\r\n" + "y" * 10_000
    found = read_provenance(encoded(picture(), "JPEG", exif=exif(software=nasty)))
    (value,) = [s.value for s in found.sources if s.claim == "software"]
    assert len(value) <= 300
    assert value.isprintable()
