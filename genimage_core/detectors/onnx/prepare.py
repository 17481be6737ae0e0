"""Preparing detectors for ONNX Runtime: exported once, in 8 bits where that was measured to pay, and kept."""

from __future__ import annotations

import logging

from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.onnx.activation_ranges import Ranges, read_ranges
from genimage_core.detectors.onnx.detector import OnnxDetector, Precision, portable_path, prepared_path
from genimage_core.detectors.onnx.export import export_onnx, in_memory, known
from genimage_core.detectors.onnx.info_cache import code_digest, exports_folder
from genimage_core.detectors.onnx.optimize import for_this_processor, portable
from genimage_core.detectors.onnx.precision import chosen_precision
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import WeightsError
from genimage_core.utils.settings import builds_for_others

log = logging.getLogger(__name__)


def model_bytes(
    net: DetectorNet,
    precision: Precision,
    views: list | None = None,  # type: ignore[type-arg]
    ranges: Ranges | None = None,
) -> bytes:
    """The network as an ONNX model, optimised for any processor.

    Args:
        net: weights loaded, in eval mode.
        precision: of its layers.
        views: (S, S, 3) uint8 to calibrate int8 on; None takes the bundled samples.
        ranges: of activations, for int8; they count more than what the views show.

    Raises:
        ImportError: there is no ONNX Runtime here.
        WeightsError: there are no views to calibrate on.
    """
    model = export_onnx(net)
    if precision != "fp32":
        from genimage_core.detectors.onnx.quantize import quantised
        from genimage_core.detectors.tiling import bundled_views

        views = views or bundled_views(net.spec)
        model = quantised(model, known(net), views, net.keep_float, precision, ranges)
    return portable(model)


def prepare_detector(
    net: DetectorNet,
    weights_id: str,
    precision: Precision | None = None,
    *,
    keep_portable: bool = False,
) -> OnnxDetector:
    """Make a bundled detector's prepared model unless it is kept already, and open it.

    Two processes at once are safe: one prepares, the other waits and takes what it finds. Where the cache
    cannot be written the model stays in memory.

    Args:
        net: weights loaded, in eval mode, on the CPU.
        weights_id: sha256 of the weights.
        precision: None takes the measured choice.
        keep_portable: whether to keep it for machines with other processors, too.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    from filelock import FileLock

    name = net.info.name
    keep_portable = keep_portable or builds_for_others()
    precision = precision or chosen_precision(name, weights_id)
    path = prepared_path(name, weights_id, precision)
    try:
        exports_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{name}.lock")):
            everywhere = portable_path(name, weights_id, precision)
            if not path.exists() or (keep_portable and not everywhere.exists()):
                model = model_bytes(net, precision, ranges=read_ranges(name, weights_id))
                if keep_portable:
                    write_whole(everywhere, model)
                write_whole(path, for_this_processor(model))
                _drop_stale({path.name, everywhere.name}, name, weights_id)
    except WeightsError:  # no pictures to calibrate on: 8 bits are a gain of speed, not a need
        if precision == "fp32":
            raise
        return prepare_detector(net, weights_id, "fp32", keep_portable=keep_portable)
    except OSError as error:
        log.warning("prepared networks cannot be kept (%s)", type(error).__name__)
        return in_memory(net, weights_id)
    return OnnxDetector(str(path), known(net), weights_id, lambda: net, precision)


def _drop_stale(kept: set[str], name: str, weights_id: str) -> None:
    """Remove what older code or packages had prepared the same weights to: nobody reads it again."""
    for old in exports_folder().glob(f"{name}-{weights_id}-*"):
        if old.name not in kept and code_digest() not in old.name:
            old.unlink(missing_ok=True)
