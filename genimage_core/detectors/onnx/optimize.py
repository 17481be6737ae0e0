"""ONNX models as ONNX Runtime opens them fastest: in its own format, laid out for one kind of processor."""

from __future__ import annotations

import platform
import tempfile
from functools import cache
from pathlib import Path
from typing import Any


@cache
def processor() -> str:
    """The kind of processor that a model is laid out for: two of a kind can share its file."""
    import numpy as np

    core: Any = getattr(np, "_core", None) or np.core
    features: dict[str, bool] = core._multiarray_umath.__cpu_features__
    # Convolutions are laid out in blocks as wide as a register: 16 numbers with AVX512, else 8 or 4.
    return platform.machine().lower() + ("-avx512" if features.get("AVX512F") else "")


def portable(model: bytes) -> bytes:
    """An ONNX model with its graph optimised, but for what depends on the processor; still ONNX.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    return _optimised(model, "ORT_ENABLE_EXTENDED", "ONNX")


def for_this_processor(model: bytes) -> bytes:
    """An ONNX model optimised for this kind of processor, in ONNX Runtime's format: it opens at once.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    return _optimised(model, "ORT_ENABLE_ALL", "ORT")


def _optimised(model: bytes, level: str, kind: str) -> bytes:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.add_session_config_entry("session.save_model_format", kind)
    with tempfile.TemporaryDirectory(prefix="genimage-") as folder:
        options.optimized_model_filepath = str(Path(folder) / f"model.{kind.lower()}")
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return Path(options.optimized_model_filepath).read_bytes()
