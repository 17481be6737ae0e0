"""From a torch network to an ONNX model that takes pixels and gives log-odds.

Both compute the same function in float32; a test holds them to 1e-3 in log-odds.
"""

from __future__ import annotations

import io
import threading
import warnings
from typing import Literal

import torch
from torch import Tensor, nn

from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.onnx.detector import OnnxDetector
from genimage_core.detectors.onnx.info_cache import Known

_exporting = threading.Lock()
Output = Literal["log_odds", "features"]


def optimise(net: DetectorNet, device: torch.device) -> DetectorNet:
    """Move to the device, in channels-last memory, which convolutions prefer."""
    net.to(device)
    # torch states no type for the overload with memory_format alone.
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class _FromViews(nn.Module):
    """The network from uint8 views on, or behind `prepare` where numpy does that (`host_step`)."""

    def __init__(self, net: DetectorNet, output: Output) -> None:
        super().__init__()
        self.net, self.output = net, output

    def forward(self, views: Tensor) -> Tensor:
        if not self.net.host_step:
            views = views.permute(0, 3, 1, 2).float() / 255.0
            if self.output == "log_odds":
                return self.net(views)  # called as a module, so that nodes are named after it (`keep_float`)
            views = self.net.prepare(views)
        return self.net.embed(views) if self.output == "features" else self.net.classify(views)


def export_onnx(net: DetectorNet, output: Output = "log_odds") -> bytes:
    """The network as an ONNX model for any number of views of its tile's size, as its layers are.

    Its input "views" is (N, S, S, 3) uint8, or what the network's `host_step` returns; its output is
    "log_odds", (N,) float32, or "features", (N, D) float32 of `embed`.
    """
    side = net.spec.tile
    views = torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8)
    if net.host_step:
        with torch.inference_mode():
            prepared = net.prepare(views.permute(0, 3, 1, 2).float() / 255.0)
        # A plain tensor in plain memory order: tracing takes neither inference tensors nor strides.
        views = torch.from_numpy(prepared.contiguous().numpy().copy())
    buffer = io.BytesIO()
    # The exporter keeps its state in globals: threads must wait for one another.
    with _exporting, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _FromViews(net, output).eval(),
            (views,),
            buffer,  # type: ignore[arg-type]  # the exporter takes file objects, its stub does not say so
            dynamo=False,
            opset_version=17,
            input_names=["views"],
            output_names=[output],
            dynamic_axes={"views": {0: "n"}, output: {0: "n"}},
        )
    return buffer.getvalue()


def known(net: type[DetectorNet] | DetectorNet) -> Known:
    """The facts of a network."""
    return Known(net.info, net.spec, net.host_step)


def in_memory(net: DetectorNet, weights_id: str) -> OnnxDetector:
    """A network in eval mode for ONNX Runtime, in float32, nothing kept on disk.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    return OnnxDetector(export_onnx(net), known(net), weights_id, lambda: net)
