"""Files that Pillow decodes to another picture or in too much memory, put right before it decodes them.

Found by comparing it with OpenCV and tifffile over the kinds that are read here; the tests keep comparing, so
that a gap that a later Pillow closes shows there.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from PIL import BmpImagePlugin, Image, ImageFile, TiffImagePlugin

from genimage_core.utils.errors import CorruptImageError, UnsupportedFormatError

_LARGE = 1 << 24  # pixels
_RLE4 = 2  # biCompression of Windows' bitmaps
_PLANAR, _BITS, _SAMPLE_FORMAT, _PHOTOMETRIC = 284, 258, 339, 262
_BIG_ENDIAN = {"F;32BF": "F;32F", "I;32B": "I;32", "I;32BS": "I;32S"}


def prepare(image: ImageFile.ImageFile, data: bytes) -> ImageFile.ImageFile | Image.Image:
    """Correct what is known before the pixels are decoded.

    Args:
        image: as Pillow opened it.
        data: the whole file.

    Returns:
        The same image with its tiles corrected, or another one that is decoded already.

    Raises:
        UnsupportedFormatError: a kind that Pillow would decode to another picture, and nothing else reads.
        CorruptImageError: damaged data in a kind that is decoded here.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.tile = [_corrected(image, tile) for tile in image.tile]
    if isinstance(image, BmpImagePlugin.BmpImageFile) and image.info.get("compression") == _RLE4:
        return _by_opencv(data)
    large = image.width * image.height > _LARGE
    if image.format == "WEBP" and large and not getattr(image, "is_animated", False):
        return _by_opencv(data)
    return image


def forget_xmp(image: Image.Image) -> None:
    """Drop the XMP packet: Pillow would turn the picture by its orientation, which no browser does.

    Args:
        image: an opened image; for a PNG, whose packet may stand behind the pixels, a decoded one.
    """
    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)


def is_unsigned(image: Image.Image) -> bool:
    """Whether samples are unsigned ones of 32 bits, which Pillow takes for signed ones.

    Args:
        image: a decoded image of mode I, I;16 or F.
    """
    tags = getattr(image, "tag_v2", {})
    wide = image.mode == "I" and _first(tags.get(_BITS)) == 32
    return wide and _first(tags.get(_SAMPLE_FORMAT, 1)) == 1


def white_is_zero(image: Image.Image) -> bool:
    """Whether a wide grey TIFF counts from white to black; Pillow turns only those of up to 8 bits round.

    Args:
        image: a decoded image of mode I, I;16 or F.
    """
    return getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0


def _corrected(image: TiffImagePlugin.TiffImageFile, tile: Any) -> Any:
    """A tile with the raw mode that its samples really have."""
    mode, *rest = tile.args
    deep = _first(image.tag_v2.get(_BITS, 8)) == 16
    if tile.codec_name == "libtiff":
        # libtiff hands samples over in the machine's own byte order, whatever the file's.
        mode = _BIG_ENDIAN.get(mode, mode) if sys.byteorder == "little" else mode
    elif image.tag_v2.get(_PLANAR, 1) == 2 and deep and len(mode) == 1:
        # Planes of 16 bits are read as if they were of 8.
        if image.mode == "CMYK":
            raise UnsupportedFormatError(
                "CMYK in planes of 16 bits cannot be read here.", hint="Save it as an RGB TIFF or PNG."
            )
        mode += ";16B" if image.tag_v2.prefix == b"MM" else ";16L"
    return tile._replace(args=(mode, *rest))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and value else value


def _by_opencv(data: bytes) -> Image.Image:
    """Decode by OpenCV.

    Pillow up to 12 drops a half byte in RLE4 runs of odd length, and holds a WebP four times while it decodes
    it; OpenCV gives the same values for a WebP, by the same library.
    """
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise CorruptImageError("The file is damaged.", hint="Copy or download it again.")
    alpha = pixels.ndim == 3 and pixels.shape[2] == 4
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if alpha else cv2.COLOR_BGR2RGB, pixels))
