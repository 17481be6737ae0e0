"""Archives of strangers: taken whole, or refused with a reason and nothing left behind."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.zip_import import UnpackLimits, unpack_dataset
from genimage_core.utils.errors import DatasetError
from tests.conftest import make_image

GOOD = "gen/val/ai/a.png"


def png(seed: int = 0) -> bytes:
    out = io.BytesIO()
    Image.fromarray(make_image(seed, 32)).save(out, "PNG")
    return out.getvalue()


def archive(
    *members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as opened:
        for name, data in members:
            opened.writestr(name, data)
    out.seek(0)
    return out


def test_a_data_set_is_unpacked_and_what_computers_add_left_out(tmp_path: Path) -> None:
    made = archive(
        ("gen/val/ai/a.png", png()), ("gen/val/nature/b.png", png(1)), ("top/arch/train/ai/c.PNG", png(2)),
        ("__MACOSX/gen/val/ai/._a.png", b"x"), ("gen/.DS_Store", b"x"), ("gen/val/ai/broken.jpg", png()[:50]),
    )  # fmt: skip
    assert unpack_dataset(made, tmp_path / "set") == 4
    assert {r.image_id for r in scan_dataset(tmp_path / "set")} == {
        "gen/val/ai/a.png", "gen/val/ai/broken.jpg", "gen/val/nature/b.png", "top/arch/train/ai/c.PNG",
    }  # fmt: skip
    assert (tmp_path / "set" / GOOD).read_bytes() == png()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("gen/val/ai/link.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (("../gen/val/ai/a.png", png()), "leaves the folder"),
        (("gen/../../val/ai/a.png", png()), "leaves the folder"),
        (("/gen/val/ai/a.png", png()), "leaves the folder"),
        (("gen\\..\\val/ai/a.png", png()), "leaves the folder"),
        (("C:/val/ai/a.png", png()), "leaves the folder"),
        ((link(), b"/etc/passwd"), "a link"),
        (("gen/val/ai/run.sh", b"#!/bin/sh"), "no image"),
        (("gen/val/ai/a.png", b"#!/bin/sh"), "no image"),
        (("gen/val/ai/nested.png", archive((GOOD, png())).getvalue()), "no image"),
        (("val/ai/a.png", png()), "outside of GenImage's layout"),
        (("gen/a.png", png()), "outside of GenImage's layout"),
        (("gen\\a.png", png()), "outside of GenImage's layout"),
        (("C:\\gen\\val\\ai\\a.png", png()), "leaves the folder"),
        (("\\gen\\val\\ai\\a.png", png()), "leaves the folder"),
        (("gen/VAL/nature/../nature/x.png", png()), "leaves the folder"),
        (("GEN/val/ai/GOOD.PNG", png()), "twice"),
    ],
)
def test_what_does_not_belong_is_refused(tmp_path: Path, member: tuple[str, bytes], why: str) -> None:
    made = archive(("gen/val/ai/good.png", png()), member)
    with pytest.raises(DatasetError, match=why):
        unpack_dataset(made, tmp_path / "in" / "set")
    assert not (tmp_path / "in" / "set").exists()
    assert [p.name for p in tmp_path.rglob("*")] == ["in"]


def test_limits(tmp_path: Path) -> None:
    many = archive(*((f"gen/val/ai/{i}.png", png()) for i in range(4)))
    with pytest.raises(DatasetError, match="4 files; at most 3"):
        unpack_dataset(many, tmp_path / "set", UnpackLimits(images=3))
    with pytest.raises(DatasetError, match="unpacks to"):
        unpack_dataset(many, tmp_path / "set", UnpackLimits(total_bytes=2 * len(png())))
    with pytest.raises(DatasetError, match="more than 0 MB"):
        unpack_dataset(many, tmp_path / "set", UnpackLimits(file_bytes=len(png()) - 1))


def test_a_bomb_that_lies_about_its_size_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    data = archive((GOOD, png() + bytes(8 << 20))).getvalue()
    claimed = (len(png()) + (8 << 20)).to_bytes(4, "little")
    assert data.count(claimed) == 2
    lying = io.BytesIO(data.replace(claimed, (1000).to_bytes(4, "little")))
    with pytest.raises(DatasetError):
        unpack_dataset(lying, tmp_path / "set", UnpackLimits(total_bytes=1 << 20))
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", archive((GOOD, png())).getvalue()[:-30]])
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DatasetError, match="no ZIP"):
        unpack_dataset(io.BytesIO(data), tmp_path / "set")


def test_an_empty_one_and_an_encrypted_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing in"):
        unpack_dataset(archive(), tmp_path / "set")
    data = bytearray(archive((GOOD, png())).getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(DatasetError, match="encrypted"):
        unpack_dataset(io.BytesIO(bytes(data)), tmp_path / "set")


@pytest.mark.parametrize(
    ("name", "image_id"),
    [
        ("gen\\val\\ai\\a.png", "gen/val/ai/a.png"),
        ("gen/val/ai\\a.png", "gen/val/ai/a.png"),
        ("gen/val/ai/10:00:00.png", "gen/val/ai/10_00_00.png"),
        ("gen/val/ai/what?*.png", "gen/val/ai/what__.png"),
        ("gen/val/ai/a.jfif", "gen/val/ai/a.jfif"),
        ("gen/Val/AI/n01/a.PNG", "gen/Val/AI/n01/a.PNG"),
        ("./gen//val/ai/a.png", "gen/val/ai/a.png"),
        ("CNN_set/progan/cat/1_fake/a.png", "CNN_set/progan/cat/1_fake/a.png"),
    ],
)
def test_names_that_programs_write(tmp_path: Path, name: str, image_id: str) -> None:
    made = archive((name, png()), ("gen/val/nature/b.png", png(1)))
    assert unpack_dataset(made, tmp_path / "set") == 2
    assert image_id in {r.image_id for r in scan_dataset(tmp_path / "set")}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("bild_ü.png".encode(), "bild_ü.png"),  # UTF-8 without the mark for it
        ("bild_ü.png".encode("cp437"), "bild_ü.png"),
        ("画像.png".encode("cp932"), ""),
        (b"a_\xff.png", ""),
        (b"a_\x07.png", "a__.png"),
    ],
)
def test_names_in_code_pages(tmp_path: Path, raw: bytes, shown: str) -> None:
    stand_in = "x" * len(raw)
    data = archive((f"gen/val/ai/{stand_in}", png()), ("gen/val/nature/b.png", png(1))).getvalue()
    made = io.BytesIO(data.replace(stand_in.encode(), raw))
    assert unpack_dataset(made, tmp_path / "set") == 2
    ids = {r.image_id for r in scan_dataset(tmp_path / "set")}
    assert f"gen/val/ai/{shown}" in ids if shown else len(ids) == 2


def test_what_macos_leaves_is_left_out_wherever_it_stands(tmp_path: Path) -> None:
    made = archive(
        ("gen/val/ai/a.png", png()), ("gen/val/ai/._a.png", b"\0\5\x16\7"), ("set/__MACOSX/x/._b.png", b"x"),
        ("gen\\val\\ai\\._c.png", b"x"), ("gen\\val\\nature\\", b""),
    )  # fmt: skip
    assert unpack_dataset(made, tmp_path / "set") == 1


def test_two_names_that_become_one_are_refused(tmp_path: Path) -> None:
    made = archive(("gen/val/ai/a:b.png", png()), ("gen/val/ai/a_b.png", png(1)))
    with pytest.raises(DatasetError, match="twice"):
        unpack_dataset(made, tmp_path / "set")
