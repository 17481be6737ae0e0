"""8-bit integers for a network's matrix products and convolutions, through ONNX Runtime's own tools.

Weights get 7 bits (`reduce_range`): without VNNI instructions a processor adds products of 8 and 8 bits in
16, which overflows. So one model serves every processor, and gives the same scores on all.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genimage_core.detectors.onnx.activation_ranges import Ranges
from genimage_core.detectors.onnx.detector import Precision
from genimage_core.detectors.onnx.info_cache import Known
from genimage_core.detectors.onnx.preprocess import STEPS

_BATCH = 4
# Sums, norms and softmax are worth their floats: with ResNet-50's residual sums in integers, too, P(fake)
# changed by .032 on average instead of .011, for a tenth of the time.
_CONVOLUTIONAL = ["Conv"]
_TRANSFORMER = ["MatMul", "Gemm"]


def quantised(
    model: bytes,
    known: Known,
    views: Sequence[np.ndarray],
    keep_float: Sequence[str],
    how: Precision,
    ranges: Ranges | None = None,
) -> bytes:
    """An exported network with its heavy layers in integers.

    Args:
        model: of `export_onnx`, not optimised: its nodes still have their modules' names.
        known: the network's facts.
        views: (S, S, 3) uint8 to learn the range of activations from; `int8_dynamic` needs none.
        keep_float: modules that stay as they are.
        how: `int8` (static, ranges fixed beforehand) or `int8_dynamic` (ranges found at each pass).
        ranges: of activations, instead of what `views` show, for the tensors that it names.

    Returns:
        The new model's bytes.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix="genimage-") as folder:
        raw, plain, out = (Path(folder) / name for name in ("raw.onnx", "plain.onnx", "out.onnx"))
        raw.write_bytes(model)
        excluded, types = _plan(model, keep_float)
        shared: dict[str, Any] = {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QInt8}
        # Its advice to run a preprocessing step first is for models with unknown shapes.
        logging.getLogger().addFilter(_quiet)
        try:
            if how == "int8_dynamic":
                quantize_dynamic(
                    raw, out, op_types_to_quantize=["MatMul", "Gemm"], nodes_to_exclude=excluded, **shared
                )
                return out.read_bytes()
            # Optimisation folds batch norms into convolutions, which keep their names.
            quant_pre_process(str(raw), str(plain), skip_symbolic_shape=True)
            options = {"ActivationSymmetric": False, "TensorQuantOverrides": _overrides(plain, ranges)}
            quantize_static(
                str(plain), str(out), _Reader(views, known.host_step), quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8, op_types_to_quantize=types, nodes_to_exclude=excluded,
                extra_options=options, **shared,
            )  # fmt: skip
        finally:
            logging.getLogger().removeFilter(_quiet)
        return out.read_bytes()


def _overrides(path: Path, ranges: Ranges | None) -> dict[str, list[dict[str, np.ndarray]]]:
    """`ranges` as ONNX Runtime wants them, for the tensors that a model has."""
    import onnx

    if not ranges:
        return {}
    graph = onnx.load(path).graph
    there = {name for node in graph.node for name in node.output} | {tensor.name for tensor in graph.input}
    return {
        tensor: [{"rmin": np.array(low, np.float32), "rmax": np.array(high, np.float32)}]
        for tensor, (low, high) in ranges.items()
        if tensor in there
    }


def _quiet(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()


def _plan(model: bytes, keep_float: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the nodes that stay in float, and the operators that are quantised."""
    import onnx

    nodes = onnx.load_from_string(model).graph.node
    # A node is named after the modules whose `forward` was called on the way: `body` is missing where only
    # its parts were, an item of a list follows a dot, and a second module of one name gets a number.
    paths = "|".join(re.escape(path.removeprefix("body.")) for path in keep_float)
    kept = re.compile(rf"/net/(body/)?({paths})(_\d+|\.\d+)*/")
    # What lies directly below the network is its own arithmetic between layers, and the normalisation.
    excluded = [n.name for n in nodes if kept.match(n.name) or n.name.count("/") < 3]
    # ONNX Runtime turns a Gemm into a MatMul of this name before it looks what to leave out.
    excluded += [f"{name}_MatMul" for name in excluded if name.endswith("/Gemm")]
    convolutions = sum(n.op_type == "Conv" for n in nodes)
    return excluded, _CONVOLUTIONAL if convolutions > 3 else _TRANSFORMER


class _Reader:
    """Feeds the calibration; ONNX Runtime asks for `get_next` alone."""

    def __init__(self, views: Sequence[np.ndarray], host_step: str | None) -> None:
        self._feeds = self._batches(views, host_step)

    @staticmethod
    def _batches(views: Sequence[np.ndarray], host_step: str | None) -> Iterator[dict[str, np.ndarray]]:
        for start in range(0, len(views), _BATCH):
            stack = np.stack(list(views[start : start + _BATCH]))
            yield {"views": STEPS[host_step](stack) if host_step else stack}

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None after the last."""
        return next(self._feeds, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Asked for in strides only, which are not used here."""
        raise NotImplementedError
