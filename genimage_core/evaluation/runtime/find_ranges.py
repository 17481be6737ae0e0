"""The ranges of a network's activations on images, for 8 bits: wide enough for most, not for the rarest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from genimage_core.datasets import Record
from genimage_core.detectors.onnx.activation_ranges import Ranges, ranges_of
from genimage_core.detectors.onnx.info_cache import Known

if TYPE_CHECKING:
    from genimage_core.detectors.base import DetectorNet

PARTS = 12
"""Parts of the images that each show the ranges of activations."""
EXTREMES = (0, 1, 2)
"""How many of the most extreme parts may have no say."""


def find_ranges(net: DetectorNet, records: Sequence[Record]) -> Ranges:
    """The ranges of activations on one view of each image, but for the most extreme parts of the images.

    One flat picture can widen a range a thousandfold, and all others are told apart in fewer steps then; but
    what lies outside a range is lost. As many parts have no say as changes P(fake) of the same views least.

    Args:
        net: weights loaded, in eval mode, on the CPU.
        records: images; training images, since ranges are fitted to them.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    from genimage_core.detectors.onnx.export import export_onnx, known
    from genimage_core.detectors.onnx.quantize import quantised
    from genimage_core.detectors.tiling import tile_views
    from genimage_core.images.load import load_image

    views = [
        np.ascontiguousarray(tile_views(load_image(r.path).pixels, net.spec.tile, 1)[0]) for r in records
    ]
    model, facts = export_onnx(net), known(net)
    parts = [views[start::PARTS] for start in range(min(PARTS, len(views)))]
    found = [ranges_of(quantised(model, facts, part, net.keep_float, "int8")) for part in parts]
    candidates = [without_extremes(found, count) for count in EXTREMES if 2 * count < len(found)]
    exact = _p_fake(net, facts, model, views)

    def change(ranges: Ranges) -> float:
        # The ranges name every tensor, so one view to calibrate on is as good as many.
        small = quantised(model, facts, views[:1], net.keep_float, "int8", ranges)
        return float(np.abs(_p_fake(net, facts, small, views) - exact).mean())

    return min(candidates, key=change)


def without_extremes(found: Sequence[Ranges], count: int) -> Ranges:
    """Tensor -> the least low and greatest high of several without the `count` most extreme on each side."""
    return {
        tensor: (sorted(f[tensor][0] for f in found)[count], sorted(f[tensor][1] for f in found)[-1 - count])
        for tensor in found[0]
    }


def _p_fake(net: DetectorNet, facts: Known, model: bytes, views: Sequence[np.ndarray]) -> np.ndarray:
    """(N,) P(fake) of (S, S, 3) uint8 views by an exported model."""
    from genimage_core.detectors.onnx.detector import OnnxDetector
    from genimage_core.detectors.onnx.optimize import for_this_processor, portable

    return OnnxDetector(for_this_processor(portable(model)), facts, "", lambda: net).predict(views)
