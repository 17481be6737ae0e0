"""What the file of an image says before its content is looked at: the facts that can give a label away."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

from genimage_core.datasets.protocols import DataProtocol
from genimage_core.datasets.scan import Record
from genimage_core.images.color import RGBImage
from genimage_core.images.jpeg_quality import estimate_quality
from genimage_core.images.load import LoadedImage, load_image
from genimage_core.utils.errors import ImageReadError

THUMBNAIL = 32
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "format": ("format", "quality", "standard_tables", "subsampling", "progressive"),
    "size": ("width", "height", "aspect"),
    "file size": ("n_bytes", "bytes_per_pixel"),
    "colour": ("red", "green", "blue", "saturation", "grey"),
}
"""Families of facts that are probed on their own; the names are those of `FileFacts`."""

_SAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class FileFacts:
    """Facts of one file.

    Attributes:
        format: such as "PNG" or "JPEG": by content, not by name.
        quality: of a JPEG, 1..100 on the IJG scale; -1 for other formats.
        standard_tables: whether a JPEG's quantisation tables are the IJG's own for that quality.
        subsampling: of a JPEG's colour: "4:4:4", "4:2:2", "4:2:0" or "other"; "none" for other formats.
        progressive: whether it is a progressive JPEG.
        width, height: px, upright.
        aspect: width / height.
        n_bytes: size of the file.
        bytes_per_pixel: `n_bytes` / (`width` x `height`).
        red, green, blue: mean of each channel, 0..255.
        saturation: mean over the pixels of (max - min) / max of the channels, 0..1; 0 for black.
        grey: whether all three channels are equal everywhere.
    """

    format: str
    quality: int
    standard_tables: bool
    subsampling: str
    progressive: bool
    width: int
    height: int
    aspect: float
    n_bytes: int
    bytes_per_pixel: float
    red: float
    green: float
    blue: float
    saturation: float
    grey: bool

    def as_dict(self) -> dict[str, object]:
        """Name -> value."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ReadFile:
    """A file of a data set that could be read.

    Attributes:
        record: which file.
        sha256: of its bytes, hexadecimal.
        kind: its format, with the quality of a JPEG: "PNG", "JPEG 96".
        width, height: px, upright.
        n_bytes: size of the file.
        thumbnail: uint8 (32, 32), the whole picture in grey, for finding copies.
        facts: data protocol's name -> the facts of the file as that protocol shows it.
    """

    record: Record
    sha256: str
    kind: str
    width: int
    height: int
    n_bytes: int
    thumbnail: np.ndarray
    facts: dict[str, FileFacts]


def read_file(record: Record, data: bytes, protocols: Sequence[DataProtocol]) -> ReadFile:
    """Decode a file and collect its facts under each of the protocols.

    Args:
        record: which file.
        data: its bytes.
        protocols: those that use the file; may be empty.

    Raises:
        ImageReadError: the file is empty, damaged, too large or no image.
    """
    original = load_image(data, name=record.image_id)
    facts = {}
    for protocol in protocols:
        encoded = protocol.encode(original.pixels)
        if encoded is None:
            facts[protocol.name] = file_facts(data, original)
        else:
            facts[protocol.name] = file_facts(encoded, load_image(encoded, name=record.image_id))
    about = original.facts
    return ReadFile(
        record=record,
        sha256=about.sha256,
        kind=f"{about.format} {about.jpeg_quality}" if about.jpeg_quality else about.format,
        width=about.width,
        height=about.height,
        n_bytes=about.n_bytes,
        thumbnail=thumbnail(original.pixels),
        facts=facts,
    )


def read_bytes(record: Record) -> bytes:
    """The file's bytes.

    Raises:
        ImageReadError: it cannot be opened.
    """
    try:
        return record.path.read_bytes()
    except OSError as error:
        raise ImageReadError(
            "The file cannot be opened.", hint="Check its permissions.", source=record.image_id
        ) from error


def thumbnail(pixels: RGBImage) -> np.ndarray:
    """Shrink an image to uint8 (32, 32) in grey; the aspect ratio is given up."""
    grey = Image.fromarray(pixels).convert("L")
    size = (THUMBNAIL, THUMBNAIL)
    return np.asarray(grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def file_facts(data: bytes, loaded: LoadedImage) -> FileFacts:
    """Collect the facts of an image file.

    Args:
        data: its bytes.
        loaded: what `load_image` makes of them.
    """
    facts, pixels = loaded.facts, loaded.pixels
    quality, standard, subsampling = _jpeg_facts(data) if facts.jpeg_quality else (-1, False, "none")
    red, green, blue, _ = cv2.mean(pixels)
    saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]  # 0..255; 0 only where the channels agree
    return FileFacts(
        format=facts.format,
        quality=quality,
        standard_tables=standard,
        subsampling=subsampling,
        progressive=facts.progressive,
        width=facts.width,
        height=facts.height,
        aspect=facts.width / facts.height,
        n_bytes=len(data),
        bytes_per_pixel=len(data) / (facts.width * facts.height),
        red=red,
        green=green,
        blue=blue,
        saturation=float(cv2.mean(saturation)[0] / 255),
        grey=not saturation.any(),
    )


def _jpeg_facts(data: bytes) -> tuple[int, bool, str]:
    """Quality, whether its tables are standard, and colour subsampling of a JPEG."""
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        found = estimate_quality(image.quantization)  # type: ignore[attr-defined]
        sampling = JpegImagePlugin.get_sampling(image)
    quality, standard = (found.quality, found.exact) if found else (-1, False)
    return quality, standard, _SAMPLING.get(sampling, "other")
