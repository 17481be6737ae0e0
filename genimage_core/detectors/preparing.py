"""Preparing detectors for ONNX Runtime: exported once, in 8 bits where that was measured to pay, and kept."""

from __future__ import annotations

import logging
from pathlib import Path

from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.choices import chosen_precision
from genimage_core.detectors.known import prepared_folder, write_whole
from genimage_core.detectors.prepared import Precision, PreparedDetector, prepared_path
from genimage_core.detectors.runtime import export_onnx, in_memory, known, optimised

log = logging.getLogger(__name__)


def model_bytes(net: DetectorNet, precision: Precision, views: list | None = None) -> bytes:  # type: ignore[type-arg]
    """The network as an optimised ONNX model.

    Args:
        net: weights loaded, in eval mode.
        precision: of its layers.
        views: (S, S, 3) uint8 to calibrate int8 on; None takes the bundled samples.

    Raises:
        ImportError: there is no ONNX Runtime here.
        WeightsError: there are no views to calibrate on.
    """
    model = export_onnx(net)
    if precision != "fp32":
        from genimage_core.detectors.quantise import bundled_views, quantised

        model = quantised(model, known(net), views or bundled_views(net.spec), net.keep_float, precision)
    return optimised(model)


def prepare_detector(
    net: DetectorNet, weights_id: str, precision: Precision | None = None, threads: int = 0
) -> PreparedDetector:
    """Make a bundled detector's prepared model unless it is kept already, and open it.

    Two processes at once are safe: one prepares, the other waits and takes what it finds. Where the cache
    cannot be written the model stays in memory.

    Args:
        net: weights loaded, in eval mode, on the CPU.
        weights_id: sha256 of the weights.
        precision: None takes the measured choice.
        threads: as for `PreparedDetector`.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    from filelock import FileLock

    name = net.info.name
    precision = precision or chosen_precision(name, weights_id)
    path = prepared_path(name, weights_id, precision)
    try:
        prepared_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{name}.lock")):
            if not path.exists():
                write_whole(path, model_bytes(net, precision))
                _drop_stale(path, name, weights_id, precision)
    except OSError as error:
        log.warning("prepared networks cannot be kept (%s)", type(error).__name__)
        return in_memory(net, weights_id, threads)
    return PreparedDetector(str(path), known(net), weights_id, lambda: net, threads, precision)


def _drop_stale(path: Path, name: str, weights_id: str, precision: Precision) -> None:
    """Remove what the same weights had been prepared to by older code or packages: nobody reads it again."""
    for old in path.parent.glob(f"{name}-{weights_id}-*-{precision}.onnx"):
        if old != path:
            old.unlink(missing_ok=True)
