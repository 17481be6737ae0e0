"""The ranges of a network's activations, found on many images and shipped, for 8 bits with fixed ranges.

What a fixed range cuts off is lost: ranges found on the few bundled pictures moved F3Net's P(fake) by up to
.63 on others, ranges from 96 training images by .09. Those images cannot be shipped, what they showed can.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.paths import asset

FOLDER = asset("ranges")
Ranges = Mapping[str, tuple[float, float]]
"""Tensor of the exported graph -> its least and largest value."""


@cache
def read_ranges(name: str, weights_id: str, folder: Path = FOLDER) -> Ranges | None:
    """The ranges kept for a detector; None where there are none for just these weights (sha256)."""
    try:
        found = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if found["weights"] != weights_id:
            return None
        return {tensor: (float(low), float(high)) for tensor, (low, high) in found["ranges"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def ranges_id(name: str, weights_id: str, folder: Path = FOLDER) -> str:
    """Eight hexadecimal digits that change with the ranges, "" where there are none."""
    found = read_ranges(name, weights_id, folder)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:8] if found else ""


def write_ranges(name: str, weights_id: str, ranges: Ranges, command: str, folder: Path = FOLDER) -> Path:
    """Keep ranges for `read_ranges`; to four digits, more than 8 bits can tell apart."""
    rounded = {tensor: [float(f"{v:.4g}") for v in pair] for tensor, pair in sorted(ranges.items())}
    entry = {"weights": weights_id, "command": command, "ranges": rounded}
    path = folder / f"{name}.json"
    write_whole(path, (json.dumps(entry, indent=0) + "\n").encode())
    read_ranges.cache_clear()
    return path


def drop_ranges(name: str, folder: Path = FOLDER) -> None:
    """Forget a detector's ranges: it runs in something else."""
    (folder / f"{name}.json").unlink(missing_ok=True)
    read_ranges.cache_clear()


def ranges_of(model: bytes) -> Ranges:
    """The ranges that a model with fixed 8-bit activations was given, read back from its scales."""
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load_from_string(model).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        if node.op_type != "QuantizeLinear" or node.input[0] in constants:
            continue
        scale, zero = (to_array(constants[name]).astype(float) for name in node.input[1:3])
        found[node.input[0]] = (float((0 - zero) * scale), float((255 - zero) * scale))
    return found
