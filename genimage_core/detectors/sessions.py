"""ONNX Runtime sessions: one set of options for every network."""

from __future__ import annotations

import os
import sys
from typing import Any


def cpu_threads() -> int:
    """How many threads a network may use: torch's number where torch is loaded, else the cores at hand."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    if said := os.environ.get("OMP_NUM_THREADS", ""):
        return max(1, int(said)) if said.isdigit() else 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def open_session(model: str | bytes, threads: int = 0) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Args:
        model: path of an ONNX (.onnx) or ONNX Runtime (.ort) file, or its bytes.
        threads: 0 takes `cpu_threads()`.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cpu_threads()
    options.log_severity_level = 3
    # An arena keeps the memory of a network's largest pass for ever, eight networks' arenas together a lot;
    # doing without took no more time.
    options.enable_cpu_mem_arena = False
    # Spinning threads would fight each other, and torch's own, for the cores between two detectors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if isinstance(model, str) and model.endswith(".ort"):
        # Weights stay in the mapped file: nothing is copied, and processes share the memory.
        options.add_session_config_entry("session.use_memory_mapped_ort_model", "1")
        options.add_session_config_entry("session.use_ort_model_bytes_for_initializers", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
