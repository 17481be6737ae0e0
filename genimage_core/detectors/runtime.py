"""Two ways to run a trained network: torch, and ONNX Runtime, which is faster on CPUs.

Both compute the same function in float32; a test holds them to 1e-3 in log-odds.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors.base import DetectorNet

Runtime = Literal["auto", "torch", "onnx"]
Forward = Callable[[Tensor], Tensor]


def optimise(net: DetectorNet, device: torch.device) -> DetectorNet:
    """Move to the device, in channels-last memory, which convolutions prefer."""
    net.to(device)
    # torch states no type for the overload with memory_format alone.
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class _Classify(nn.Module):
    """The part behind `prepare`: the transform in front (an FFT, say) need not be exportable."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, prepared: Tensor) -> Tensor:
        return self.net.classify(prepared)


def export_onnx(net: DetectorNet, side: int) -> bytes:
    """The network behind `prepare` as an ONNX model for views of `side` px, any batch size."""
    wrapper = _Classify(net).eval()
    with torch.inference_mode():
        prepared = net.prepare(torch.rand(2, 3, side, side))
    # A plain tensor in plain memory order: tracing takes neither inference tensors nor strides.
    prepared = torch.from_numpy(prepared.contiguous().numpy().copy())
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapper,
            (prepared,),
            buffer,  # type: ignore[arg-type]  # the exporter takes file objects, its stub does not say so
            dynamo=False,
            opset_version=17,
            input_names=["prepared"],
            output_names=["log_odds"],
            dynamic_axes={"prepared": {0: "n"}, "log_odds": {0: "n"}},
        )
    return buffer.getvalue()


class OnnxForward:
    """(N, 3, S, S) in [0, 1] -> (N,) log-odds: ONNX Runtime for the tile size, torch for others.

    Args:
        net: the network, weights loaded, in eval mode.
        threads: CPU threads; 0 takes torch's number.
    """

    def __init__(self, net: DetectorNet, threads: int = 0) -> None:
        import onnxruntime

        self.net, self.side = net, net.spec.tile
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        # Spinning threads would fight torch's own for the cores between two detectors.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            export_onnx(net, self.side), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, x: Tensor) -> Tensor:
        """(N, 3, S, S) float in [0, 1] -> (N,) log-odds of "fake"."""
        if x.shape[-2:] != (self.side, self.side):
            return self.net(x)
        prepared = np.ascontiguousarray(self.net.prepare(x).numpy(), np.float32)
        return torch.from_numpy(self.session.run(None, {"prepared": prepared})[0])


def choose_forward(net: DetectorNet, device: torch.device, runtime: Runtime = "auto") -> Forward:
    """The network's forward function on `device`; `auto` takes ONNX Runtime on CPUs that have it."""
    if runtime == "torch" or device.type != "cpu" or not net.exportable:
        return net
    try:
        return OnnxForward(net)
    except ImportError:
        if runtime == "onnx":
            raise
        return net
