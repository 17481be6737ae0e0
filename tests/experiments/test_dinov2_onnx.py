"""DINOv2 to DeiT-S: folding layer scale is exact, every tensor has a place, other files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from experiments.init.dinov2_onnx import dinov2_to_deit, fold_layer_scale, read_dinov2_onnx
from genimage_core.detectors import build_network
from genimage_core.utils.errors import TrainingError


@pytest.fixture(scope="module")
def dinov2() -> dict[str, Tensor]:
    torch.manual_seed(0)
    net = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=518, init_values=0.1)
    return net.state_dict()


def test_folding_layer_scale_changes_nothing(dinov2: dict[str, Tensor]) -> None:
    torch.manual_seed(1)
    state = {k: torch.randn_like(v) if ".ls" in k else v for k, v in dinov2.items()}
    with_scale = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=518).eval()
    with_scale.load_state_dict(state)
    without = VisionTransformer(
        img_size=518, patch_size=14, embed_dim=384, depth=12, num_heads=6, num_classes=0
    ).eval()
    without.load_state_dict(fold_layer_scale(state))
    tokens = torch.randn(1, 50, 384)
    with torch.inference_mode():
        torch.testing.assert_close(without.blocks(tokens), with_scale.blocks(tokens), atol=1e-3, rtol=1e-3)


def test_every_tensor_but_the_head_has_a_place_in_deit(dinov2: dict[str, Tensor]) -> None:
    start = dinov2_to_deit(dinov2)
    own = build_network("deit_s").state_dict()
    assert set(own) - set(start) == {"body.head.weight", "body.head.bias"}
    assert all(own[k].shape == v.shape for k, v in start.items())


def test_another_graph_is_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import helper

    graph = helper.make_graph([], "empty", [], [])
    path = tmp_path / "empty.onnx"
    onnx.save(helper.make_model(graph), str(path))
    with pytest.raises(TrainingError, match="no DINOv2"):
        read_dinov2_onnx(path)
