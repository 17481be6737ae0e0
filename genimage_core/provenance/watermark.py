"""The invisible watermarks that the makers' own programs for Stable Diffusion and FLUX put into their pixels.

The method is `dwtDct` of the invisible-watermark library (MIT), decoded here with numpy because that library
needs torch and OpenCV's GUI build: one level of Haar wavelets on the U channel, 4 x 4 blocks of the low band,
one bit in the largest value of each block, the first left out: its remainder by 36 is above 18 for a one. The
bits of the message follow one another block by block, over and over. The messages stand in the public code of
CompVis (Stable Diffusion 1), Stability AI (2 and XL; diffusers has the latter) and Black Forest Labs (FLUX).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from genimage_core.provenance.model import GENERATOR, Finding, finding

_STEP = 36.0
_MIN_PIXELS = 256 * 256
_MIN_VOTES = 8
_MAX_BLOCKS = 136 * 160  # votes enough; the rows below only repeat the message


@dataclass(frozen=True)
class _Message:
    """A known message.

    Attributes:
        tool: the program that writes it.
        bits: the message, ones and zeros.
        needed: bits that must agree: of random bits fewer than one picture in 10^8 has as many.
    """

    tool: str
    bits: str
    needed: int


_MESSAGES = (
    _Message("Stable Diffusion 1", "".join(f"{byte:08b}" for byte in b"StableDiffusionV1"), 101),
    _Message("Stable Diffusion 2", "".join(f"{byte:08b}" for byte in b"SDV2"), 32),
    _Message("Stable Diffusion XL", f"{0xB3EC907BB19E:b}", 45),
    _Message("FLUX", f"{0x2AFE879CF52E:b}", 43),  # 46 bits: its code drops the leading zeros
)


def read_watermark(pixels: NDArray[np.uint8]) -> list[Finding]:
    """Look for the known messages.

    They survive a lossless copy and light JPEG, not resizing or cropping; in very dark, bright or flat
    pictures they are often lost from the start. That none is found means nothing.

    Args:
        pixels: RGB uint8 (H, W, 3). Pictures of fewer than 256 x 256 pixels cannot carry the mark.
    """
    if pixels.shape[0] * pixels.shape[1] < _MIN_PIXELS:
        return []
    # Some writers handed RGB to an encoder that takes BGR; their messages are read the same wrong way round.
    for order in (cv2.COLOR_RGB2YUV, cv2.COLOR_BGR2YUV):
        bits = _block_bits(pixels, order)
        for message in _MESSAGES:
            agreeing = _agreement(bits, message.bits)
            if agreeing >= message.needed:
                words = f"{message.tool}: invisible watermark, {agreeing} of {len(message.bits)} bits agree"
                return [finding("watermark", GENERATOR, words, ai=True, tool=message.tool)]
    return []


def _block_bits(pixels: NDArray[np.uint8], order: int) -> NDArray[np.bool_]:
    """One bit for each 8 x 8 px block, in reading order: bool (N,)."""
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    height = min(height, 8 * -(-_MAX_BLOCKS // max(1, width // 8)))
    yuv = cv2.cvtColor(np.ascontiguousarray(pixels[:height, :width]), order)
    u = yuv[..., 1].astype(np.float32)
    low = (u[::2, ::2] + u[1::2, ::2] + u[::2, 1::2] + u[1::2, 1::2]) / 2
    rows, columns = low.shape[0] // 4, low.shape[1] // 4
    blocks = low[: 4 * rows, : 4 * columns].reshape(rows, 4, columns, 4).transpose(0, 2, 1, 3).reshape(-1, 16)
    return np.abs(blocks[:, 1:]).max(axis=1) % _STEP > _STEP / 2


def _agreement(bits: NDArray[np.bool_], message: str) -> int:
    """Bits of the message, decided by majority, that are as expected; 0 where each has too few votes."""
    votes = len(bits) // len(message)
    if votes < _MIN_VOTES:
        return 0
    share = bits[: votes * len(message)].reshape(votes, -1).mean(axis=0)
    expected = np.array([bit == "1" for bit in message])
    return int(((share > 0.5) == expected).sum())
