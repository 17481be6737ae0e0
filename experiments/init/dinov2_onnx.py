"""Self-supervised starting weights for DeiT-S, out of an ONNX file of DINOv2's ViT-S/14.

DeiT-S is DINOv2's small transformer without layer scale and with 16 px instead of 14 px patches.
Layer scale is a factor a channel behind a linear map, so it folds into that map exactly; the patch
kernel and the position grid are resampled.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimage_core.detectors import _timm  # noqa: F401  (before timm)
from genimage_core.utils.errors import TrainingError

LINEARS = {
    "attention/attention/query": "q",
    "attention/attention/key": "k",
    "attention/attention/value": "v",
    "attention/output/dense": "proj",
    "mlp/fc1": "fc1",
    "mlp/fc2": "fc2",
}


def read_dinov2_onnx(path: Path) -> dict[str, Tensor]:
    """The backbone's tensors under timm's names for `vit_small_patch14_dinov2` (layer scale kept).

    The linear weights are anonymous in the graph and transposed: each is found through the MatMul
    node that uses it. The position embedding is two constants, class token and a 37 x 37 grid.

    Raises:
        TrainingError: the file holds no such backbone.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            arrays[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    linear: dict[tuple[int, str], np.ndarray] = {}
    for node in graph.node:
        found = re.match(r"/backbone/encoder/layer\.(\d+)/(.+)/MatMul$", node.name)
        if found and found[2] in LINEARS:
            weight = next(arrays[name] for name in node.input if name in arrays)
            linear[int(found[1]), LINEARS[found[2]]] = weight.T
    positions = {a.shape: a for a in arrays.values() if a.shape in ((1, 1, 384), (1, 1369, 384))}
    named = {k: v for k, v in arrays.items() if k.startswith("backbone.")}
    if len(linear) != 72 or (1, 1369, 384) not in positions:
        raise TrainingError("this file holds no DINOv2 ViT-S/14 backbone.", source=str(path))
    return {k: torch.tensor(np.ascontiguousarray(v)) for k, v in _timm_names(named, linear, arrays).items()}


def _timm_names(
    named: dict[str, np.ndarray], linear: dict[tuple[int, str], np.ndarray], arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Rename and join: separate query, key and value become timm's `qkv`."""
    token = named["backbone.embeddings.cls_token"]
    grid = next(a for a in arrays.values() if a.shape == (1, 1369, 384))
    # The other [1, 1, 384] constant is the class token's place in the position embedding.
    first = next(a for k, a in arrays.items() if a.shape == (1, 1, 384) and not k.startswith("backbone."))
    out = {
        "cls_token": token,
        "pos_embed": np.concatenate([first, grid], 1),
        "patch_embed.proj.weight": named["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": named["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": named["backbone.layernorm.weight"],
        "norm.bias": named["backbone.layernorm.bias"],
    }
    for layer in range(12):
        old, new = f"backbone.encoder.layer.{layer}", f"blocks.{layer}"
        bias = [named[f"{old}.attention.attention.{n}.bias"] for n in ("query", "key", "value")]
        out[f"{new}.attn.qkv.weight"] = np.concatenate([linear[layer, n] for n in "qkv"])
        out[f"{new}.attn.qkv.bias"] = np.concatenate(bias)
        out[f"{new}.attn.proj.weight"] = linear[layer, "proj"]
        out[f"{new}.attn.proj.bias"] = named[f"{old}.attention.output.dense.bias"]
        for n in ("fc1", "fc2"):
            out[f"{new}.mlp.{n}.weight"] = linear[layer, n]
            out[f"{new}.mlp.{n}.bias"] = named[f"{old}.mlp.{n}.bias"]
        for n in ("1", "2"):
            out[f"{new}.norm{n}.weight"] = named[f"{old}.norm{n}.weight"]
            out[f"{new}.norm{n}.bias"] = named[f"{old}.norm{n}.bias"]
            out[f"{new}.ls{n}.gamma"] = named[f"{old}.layer_scale{n}.lambda1"]
    return out


def fold_layer_scale(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Multiply each `lsN.gamma` into the rows of the linear map before it; exact."""
    out = {k: v for k, v in state.items() if ".ls" not in k}
    for layer in range(12):
        for gamma, linear in (("ls1", "attn.proj"), ("ls2", "mlp.fc2")):
            scale = state[f"blocks.{layer}.{gamma}.gamma"]
            weight, bias = f"blocks.{layer}.{linear}.weight", f"blocks.{layer}.{linear}.bias"
            out[weight] = state[weight] * scale[:, None]
            out[bias] = state[bias] * scale
    return out


def dinov2_to_taps(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """DINOv2 ViT-S/14 tensors -> those of `dinov2`, whose 224 px views have a grid of 16 x 16 patches."""
    from timm.layers import resample_abs_pos_embed

    grid = resample_abs_pos_embed(state["pos_embed"], [16, 16])
    return {f"body.{k}": v.contiguous() for k, v in (state | {"pos_embed": grid}).items()}


def dinov2_to_deit(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """DINOv2 ViT-S/14 tensors -> DeiT-S tensors under the detector's names (`body.` in front)."""
    from timm.layers.patch_embed import resample_patch_embed

    out = fold_layer_scale(state)
    kernel = out["patch_embed.proj.weight"]
    out["patch_embed.proj.weight"] = resample_patch_embed(kernel, [16, 16])
    first, grid = out["pos_embed"][:, :1], out["pos_embed"][:, 1:]
    square = grid.reshape(1, 37, 37, 384).permute(0, 3, 1, 2)
    small = F.interpolate(square, (14, 14), mode="bicubic", antialias=True, align_corners=False)
    out["pos_embed"] = torch.cat([first, small.permute(0, 2, 3, 1).reshape(1, 196, 384)], 1)
    return {f"body.{k}": v.contiguous() for k, v in out.items()}
