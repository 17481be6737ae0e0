"""Weights in few bits: symmetric integers with one scale for each group of a row.

A weight matrix or kernel of shape (out, ...) is flattened to (out, rest), each row cut into groups
of `group` values, and each group stored as integers of `bits` bits and one float16 scale:
w ~ scale x q, q in [-(2^(bits-1) - 1), 2^(bits-1) - 1]. The scale is the one, out of a few shrunk
maxima, that leaves the smallest squared error. Vectors (biases, norms) stay float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

SHRINK = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
MIN_VALUES = 2048
FINE_BITS = 8


@dataclass(frozen=True)
class PackedShape:
    """How one tensor was packed: its shape, bits a value, and values a scale."""

    shape: tuple[int, ...]
    bits: int
    group: int


def to_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """(N,) uint8 below 2^bits -> packed bytes, most significant bit first."""
    planes = np.unpackbits(values[:, None], axis=1)[:, 8 - bits :]
    return np.packbits(planes)


def from_bits(packed: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Inverse of `to_bits`: the first `count` values, (count,) uint8."""
    planes = np.unpackbits(packed, count=count * bits).reshape(count, bits)
    values = np.zeros(count, np.uint8)
    for column in range(bits):
        np.left_shift(values, 1, out=values)
        np.bitwise_or(values, planes[:, column], out=values)
    return values


def quantise(weight: Tensor, bits: int, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Float (out, ...) -> packed integers (bytes) and float16 scales, (out x groups a row)."""
    rows = weight.detach().float().reshape(weight.shape[0], -1)
    padding = -rows.shape[1] % group
    grouped = torch.nn.functional.pad(rows, (0, padding)).reshape(-1, group)
    top = 2 ** (bits - 1) - 1
    peak = grouped.abs().amax(1).clamp_min(1e-8)
    best = torch.full_like(peak, float("inf"))
    chosen = peak / top
    for shrink in SHRINK:
        scale = (peak * shrink / top).half().float().clamp_min(6e-8)
        error = (
            ((grouped / scale[:, None]).round().clamp(-top, top) * scale[:, None] - grouped).square().sum(1)
        )
        better = error < best
        best, chosen = torch.where(better, error, best), torch.where(better, scale, chosen)
    q = (grouped / chosen[:, None]).round().clamp(-top, top).to(torch.int16) + top
    kept = q.reshape(rows.shape[0], -1)[:, : rows.shape[1]].to(torch.uint8).numpy()
    return to_bits(np.ascontiguousarray(kept).ravel(), bits), chosen.half().numpy()


def dequantise(packed: np.ndarray, scales: np.ndarray, how: PackedShape) -> Tensor:
    """Inverse of `quantise`, float32 of the tensor's shape."""
    out = how.shape[0]
    per_row = int(np.prod(how.shape[1:]))
    q = from_bits(packed, how.bits, out * per_row).astype(np.float32) - (2 ** (how.bits - 1) - 1)
    scale = np.repeat(scales.astype(np.float32).reshape(out, -1), how.group, axis=1)[:, :per_row]
    return torch.from_numpy((q.reshape(out, per_row) * scale).reshape(how.shape))


def is_fine(name: str, fine: Sequence[str]) -> bool:
    """Whether a tensor belongs to one of the modules that get `FINE_BITS`."""
    return any(f"{name}.".startswith(f"{module}.") for module in fine)


def pack_state(
    state: dict[str, Tensor], bits: int, group: int, fine: Sequence[str] = ()
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A network's state -> tensors and metadata for a safetensors file.

    Args:
        state: float tensors by name.
        bits: 2 to 8 a value.
        group: values a scale.
        fine: modules (`body.conv1`) whose tensors get `FINE_BITS` whatever `bits` is: a network's first
            layers are small, and their errors run through all others.
    """
    tensors: dict[str, Tensor] = {}
    packed: dict[str, PackedShape] = {}
    for name, value in state.items():
        if value.is_floating_point() and value.ndim >= 2 and value.numel() >= MIN_VALUES:
            width = min(group, int(np.prod(value.shape[1:])))
            how = PackedShape(tuple(value.shape), FINE_BITS if is_fine(name, fine) else bits, width)
            q, scales = quantise(value, how.bits, width)
            tensors[f"{name}.q"], tensors[f"{name}.scale"] = torch.from_numpy(q), torch.from_numpy(scales)
            packed[name] = how
        else:
            tensors[name] = value.detach().contiguous()
    return tensors, {"packed": json.dumps({k: asdict(v) for k, v in packed.items()})}


def unpack_state(tensors: dict[str, Tensor], metadata: dict[str, str]) -> dict[str, Tensor]:
    """Inverse of `pack_state`; a file without packed tensors comes back as it is."""
    packed = json.loads(metadata.get("packed", "{}"))
    state = {k: v for k, v in tensors.items() if k.removesuffix(".q").removesuffix(".scale") not in packed}
    for name, entry in packed.items():
        how = PackedShape(tuple(entry["shape"]), entry["bits"], entry["group"])
        state[name] = dequantise(tensors[f"{name}.q"].numpy(), tensors[f"{name}.scale"].numpy(), how)
    return state
