"""Networks on a GPU: 16 bits where that keeps the scores, compiled where that is asked for.

The promise: P(fake) within 5e-3 of float32. It is checked on the bundled pictures when a detector is
loaded, and what does not keep it is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from genimage_core.detectors.base import DetectorNet

TOLERANCE = 5e-3
Forward = Callable[[Tensor], Tensor]
# bf16 never overflows; fp16 has three bits more. Whichever keeps the promise first is taken.
_TRIED = (torch.bfloat16, torch.float16)


class HalfForward:
    """Runs the trained layers with torch's autocast to 16 bits.

    What stands in front of them (an FFT, say) and the decision behind them stay exact.

    Args:
        net: the network, on its device.
        dtype: of matrix products and convolutions.
        compiled: whether torch.compile makes kernels for it: tens of seconds at first, for long runs.
    """

    def __init__(
        self, net: DetectorNet, dtype: torch.dtype = torch.bfloat16, *, compiled: bool = False
    ) -> None:
        self.net, self.dtype = net, dtype
        self._embed: Forward = torch.compile(net.embed, dynamic=True) if compiled else net.embed

    def __call__(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) float in [0, 1] -> (N,) float32 log-odds."""
        prepared = self.net.prepare(x)
        if type(self.net).classify is not DetectorNet.classify:  # it has no features to stop at
            with torch.autocast(x.device.type, self.dtype):
                return self.net.classify(prepared).float()
        with torch.autocast(x.device.type, self.dtype):
            features = self._embed(prepared)
        return self.net.decide(features.float()).float()


def to_input(views: Sequence[np.ndarray], device: torch.device) -> Tensor:
    """(S, S, 3) uint8 views -> (N, 3, S, S) float in [0, 1], in channels-last memory, on the device."""
    stack = torch.from_numpy(np.stack(list(views)))
    if device.type == "cuda":  # pinned memory travels while the GPU still computes
        stack = stack.pin_memory()
    x = stack.to(device, non_blocking=True).permute(0, 3, 1, 2).float().div_(255.0)
    return x.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def largest_change(forward: Forward, net: DetectorNet, x: Tensor) -> float:
    """Largest change of P(fake) that `forward` makes, against the network in float32."""
    exact, rough = torch.sigmoid(net(x).float()), torch.sigmoid(forward(x).float())
    change = (exact - rough).abs().max().item()
    return float("inf") if np.isnan(change) else float(change)


def fast_forward(
    net: DetectorNet,
    device: torch.device,
    views: Sequence[np.ndarray] | None = None,
    *,
    compiled: bool = False,
) -> Forward:
    """The fastest way to run a network on its device that keeps `TOLERANCE`; the network itself if none does.

    Args:
        net: weights loaded, in eval mode, on `device`, in channels-last memory.
        device: a GPU; on a CPU it works, too, and is slow.
        views: (S, S, 3) uint8 to check on; None takes the bundled samples.
        compiled: as in `HalfForward`.
    """
    from genimage_core.detectors.tiling import bundled_views

    x = to_input(bundled_views(net.spec) if views is None else views, device)
    for dtype in _TRIED:
        if dtype is torch.bfloat16 and device.type == "cuda" and not torch.cuda.is_bf16_supported():
            continue
        forward = HalfForward(net, dtype, compiled=compiled)
        if largest_change(forward, net, x) <= TOLERANCE:
            return forward
    return net
