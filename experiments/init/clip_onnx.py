"""Starting weights for `clip_b`, out of an 8-bit ONNX file of CLIP's ViT-B/16 image tower.

The file's integers are multiplied out with their scales. Then every linear layer's input channels are
balanced against its weights (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438): a few channels of CLIP's
activations are ten times larger than the others, so that 8 bits over all of them lose the rest. Scales move
from the activations into the norm, the value projection or, behind the activation function, a factor of its
own (`mlp.norm.weight`); in floats the network computes the same as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors.models.clip_b import DEPTH, ClipB
from genimage_core.utils.errors import TrainingError

TOWER = "vision_model"
WIDTH, LAYERS = 768, 12
SMOOTHING = {"qkv": 0.65, "fc1": 0.65, "proj": 0.65, "fc2": 0.8}
"""SmoothQuant's alpha a layer: how much of the range moves from the activations into the weights."""


def read_clip_onnx(path: Path) -> dict[str, Tensor]:
    """The image tower's tensors under timm's names for `vit_base_patch16_clip_quickgelu_224`.

    Raises:
        TrainingError: the file holds no such tower.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    linear: dict[str, Tensor] = {}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            stem = node.input[1].removesuffix("_quantized")
            whole = arrays[node.input[1]].astype(np.float32) - arrays[f"{stem}_zero_point"].astype(np.float32)
            linear[node.name] = torch.tensor((whole * arrays[f"{stem}_scale"]).T.copy())
    try:
        return _timm_names(arrays, linear)
    except (KeyError, StopIteration):
        raise TrainingError("this file holds no CLIP ViT-B/16 image tower.", source=str(path)) from None


def _timm_names(arrays: dict[str, np.ndarray], linear: dict[str, Tensor]) -> dict[str, Tensor]:
    def vector(name: str) -> Tensor:
        return torch.tensor(arrays[f"{TOWER}.{name}"]).float()

    def matrix(layer: int, part: str) -> Tensor:
        return next(w for name, w in linear.items() if f"layers.{layer}/{part}/" in name)

    out = {
        "cls_token": vector("embeddings.class_embedding").view(1, 1, WIDTH),
        "pos_embed": vector("embeddings.position_embedding.weight")[None],
        "patch_embed.proj.weight": vector("embeddings.patch_embedding.weight"),
    }
    for kind in ("weight", "bias"):
        out[f"norm_pre.{kind}"] = vector(f"pre_layrnorm.{kind}")
    for layer in range(LAYERS):
        old, new = f"encoder.layers.{layer}", f"blocks.{layer}"
        parts = [f"self_attn/{c}_proj" for c in "qkv"]
        out[f"{new}.attn.qkv.weight"] = torch.cat([matrix(layer, part) for part in parts])
        out[f"{new}.attn.qkv.bias"] = torch.cat(
            [vector(f"{old}.{part.replace('/', '.')}.bias") for part in parts]
        )
        out[f"{new}.attn.proj.weight"] = matrix(layer, "self_attn/out_proj")
        out[f"{new}.attn.proj.bias"] = vector(f"{old}.self_attn.out_proj.bias")
        for name in ("fc1", "fc2"):
            out[f"{new}.mlp.{name}.weight"] = matrix(layer, f"mlp/{name}")
            out[f"{new}.mlp.{name}.bias"] = vector(f"{old}.mlp.{name}.bias")
        for number in "12":
            for kind in ("weight", "bias"):
                out[f"{new}.norm{number}.{kind}"] = vector(f"{old}.layer_norm{number}.{kind}")
    return out


def clip_to_taps(state: dict[str, Tensor], views: Iterable[np.ndarray]) -> dict[str, Tensor]:
    """CLIP ViT-B/16 tensors -> those of `clip_b`'s trunk, balanced for 8 bits.

    Args:
        state: of `read_clip_onnx`.
        views: (224, 224, 3) uint8, to see the activations' ranges on; two dozen varied ones will do.
    """
    net = ClipB()
    left_out = ("norm.", *(f"blocks.{block}." for block in range(DEPTH, LAYERS)))
    kept = {name: value for name, value in state.items() if not name.startswith(left_out)}
    missing, unexpected = net.body.load_state_dict(kept, strict=False)
    if unexpected or any(not name.endswith("mlp.norm.weight") for name in missing):
        raise TrainingError("these are not the tensors of CLIP's ViT-B/16.", source=", ".join(unexpected[:3]))
    _balance(net, _peaks(net, views))
    return {f"body.{k}": v.contiguous() for k, v in net.body.state_dict().items()}


def _linears(block: Any) -> dict[str, nn.Linear]:
    return {"qkv": block.attn.qkv, "proj": block.attn.proj, "fc1": block.mlp.fc1, "fc2": block.mlp.fc2}


@torch.inference_mode()
def _peaks(net: ClipB, views: Iterable[np.ndarray]) -> dict[tuple[int, str], Tensor]:
    """(block, layer) -> (channels,) largest magnitude of each input channel."""
    peaks: dict[tuple[int, str], Tensor] = {}

    def watch(key: tuple[int, str]) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
            peak = inputs[0].abs().flatten(0, -2).amax(0)
            peaks[key] = torch.maximum(peaks.get(key, peak), peak)

        return hook

    handles = [
        layer.register_forward_hook(watch((i, name)))
        for i, block in enumerate(net.body.blocks)
        for name, layer in _linears(block).items()
    ]
    for view in views:
        net.embed(net.prepare(torch.tensor(view)[None].permute(0, 3, 1, 2).float() / 255.0))
    for handle in handles:
        handle.remove()
    return peaks


@torch.no_grad()
def _balance(net: ClipB, peaks: dict[tuple[int, str], Tensor]) -> None:
    for i, block in enumerate(net.body.blocks):
        for name, layer in _linears(block).items():
            alpha = SMOOTHING[name]
            weights = layer.weight.abs().amax(0).clamp_min(1e-5)
            scale = peaks[i, name].clamp_min(1e-5) ** alpha / weights ** (1 - alpha)
            scale /= scale.log().mean().exp()
            layer.weight *= scale
            if name == "proj":  # its input is a weighted mean of values, so a value's channel scales through
                block.attn.qkv.weight[2 * WIDTH :] /= scale[:, None]
                block.attn.qkv.bias[2 * WIDTH :] /= scale
            elif name == "fc2":
                block.mlp.norm.weight /= scale
            else:
                norm = block.norm1 if name == "qkv" else block.norm2
                norm.weight /= scale
                norm.bias /= scale
