"""CLIP's weights out of an 8-bit ONNX file, balanced without changing what the network computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from experiments.init import clip_onnx
from experiments.init.clip_onnx import clip_to_taps, read_clip_onnx
from genimage_core.detectors import build_network
from genimage_core.detectors.models.clip_b import DEPTH
from genimage_core.utils.errors import TrainingError

WIDTH = 8


def _file(path: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A tower of one layer; returns the matrices that its integers stand for."""
    vectors = {
        "embeddings.class_embedding": (WIDTH,), "embeddings.position_embedding.weight": (5, WIDTH),
        "embeddings.patch_embedding.weight": (WIDTH, 3, 2, 2),
        "pre_layrnorm.weight": (WIDTH,), "pre_layrnorm.bias": (WIDTH,),
    }  # fmt: skip
    layer = "encoder.layers.0"
    vectors |= {f"{layer}.self_attn.{c}_proj.bias": (WIDTH,) for c in "qkv"}
    vectors |= {f"{layer}.{part}.bias": (WIDTH,) for part in ("self_attn.out_proj", "mlp.fc1", "mlp.fc2")}
    vectors |= {f"{layer}.layer_norm{n}.{kind}": (WIDTH,) for n in "12" for kind in ("weight", "bias")}
    arrays = {f"vision_model.{k}": rng.normal(size=v).astype(np.float32) for k, v in vectors.items()}
    nodes, matrices = [], {}
    for part in (
        "self_attn/q_proj",
        "self_attn/k_proj",
        "self_attn/v_proj",
        "self_attn/out_proj",
        "mlp/fc1",
        "mlp/fc2",
    ):
        name = f"onnx::MatMul_{part}"
        arrays[f"{name}_quantized"] = rng.integers(-127, 128, (WIDTH, WIDTH)).astype(np.int8)
        arrays[f"{name}_scale"] = rng.random(WIDTH).astype(np.float32)
        arrays[f"{name}_zero_point"] = np.full(WIDTH, 3, np.int8)
        whole = arrays[f"{name}_quantized"].astype(np.float32) - 3
        matrices[part] = (whole * arrays[f"{name}_scale"]).T
        nodes.append(
            helper.make_node(
                "MatMulInteger", ["x", f"{name}_quantized", "z", f"{name}_zero_point"], [f"{part}_out"],
                name=f"/vision_model/encoder/layers.0/{part}/MatMul_quant",
            )
        )  # fmt: skip
    inputs = [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, WIDTH])]
    tensors = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    onnx.save(helper.make_model(helper.make_graph(nodes, "tower", inputs, [], tensors)), path)
    return matrices


def test_integers_are_multiplied_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_onnx, "WIDTH", WIDTH)
    monkeypatch.setattr(clip_onnx, "LAYERS", 1)
    matrices = _file(tmp_path / "clip.onnx", np.random.default_rng(0))
    state = read_clip_onnx(tmp_path / "clip.onnx")
    qkv = np.concatenate([matrices[f"self_attn/{c}_proj"] for c in "qkv"])
    assert state["blocks.0.attn.qkv.weight"].numpy() == pytest.approx(qkv)
    assert state["blocks.0.mlp.fc2.weight"].numpy() == pytest.approx(matrices["mlp/fc2"])
    assert state["cls_token"].shape == (1, 1, WIDTH)


def test_another_file_is_refused(tmp_path: Path) -> None:
    graph = helper.make_graph([], "empty", [], [])
    onnx.save(helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(TrainingError, match="no CLIP"):
        read_clip_onnx(tmp_path / "other.onnx")


def test_balancing_changes_nothing_in_floats_and_evens_channels_out() -> None:
    from genimage_core.detectors._timm import timm

    torch.manual_seed(0)
    plain = timm.create_model("vit_base_patch16_clip_quickgelu_224", num_classes=0).eval()
    for block in plain.blocks[:DEPTH]:
        with torch.no_grad():
            block.norm1.weight[7] *= 30  # one channel far larger than the others, as in CLIP
    views = [np.random.default_rng(i).integers(0, 256, (224, 224, 3), dtype=np.uint8) for i in range(2)]
    net = build_network("clip_b").eval()
    raw = {f"body.{k}": v for k, v in plain.state_dict().items() if f"body.{k}" in net.state_dict()}
    net.load_state_dict(raw, strict=False)
    x = torch.tensor(np.stack(views)).permute(0, 3, 1, 2).float() / 255.0
    with torch.inference_mode():
        before = net.embed(net.prepare(x))
        uneven = _unevenness(net.body.blocks[0].norm1.weight)
        net.load_state_dict(clip_to_taps(plain.state_dict(), views), strict=False)
        after = net.embed(net.prepare(x))
    assert torch.allclose(before, after, atol=2e-3, rtol=1e-3)
    assert _unevenness(net.body.blocks[0].norm1.weight) < uneven / 3


def _unevenness(weight: torch.Tensor) -> float:
    return float(weight.abs().max() / weight.abs().median())
