"""How long all seven detectors take to answer on a 1024 x 1024 image, against plain timm.

    python -m benchmarks.answer

The yardstick is what anyone would write first: for each detector one eager timm forward pass of its
backbone on one view of the paper's size (224 px; 299 px for the Xception of F3Net; 224 px for the
ResNet-18 of GramNet, although the paper feeds it 512). Ours is the whole answer: tiles cut, every
detector run, scores averaged. Both take turns in one run; the ratio is yardstick / ours, so 1.0 or
more means that ours is no slower. Speed does not depend on the weights' values, so untrained
networks stand in where a detector's weights are not bundled.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable

import numpy as np
import torch

from genimage_core.detectors import Detector, build_network, list_detectors, load_detector
from genimage_core.detectors.registry import resolve_device
from genimage_core.detectors.runtime import choose_forward
from genimage_core.errors import WeightsError

YARDSTICK = {
    "resnet50": ("resnet50", 224),
    "deit_s": ("deit_small_patch16_224", 224),
    "swin_t": ("swin_tiny_patch4_window7_224", 224),
    "cnnspot": ("resnet50", 224),
    "spec": ("resnet34", 224),
    "f3net": ("legacy_xception", 299),
    "gramnet": ("resnet18", 224),
}


def detector_for_speed(name: str) -> Detector:
    """The bundled detector, or an untrained one of the same shape."""
    try:
        return load_detector(name, device="cpu")
    except WeightsError:
        net, device = build_network(name).eval(), resolve_device("cpu")
        return Detector(net, device, "untrained", choose_forward(net, device))


def best_of(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least seconds of each call; the calls take turns, so that a busy moment hits all alike."""
    best = {name: float("inf") for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Measure and print milliseconds and ratios."""
    import timm

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's default")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    image = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    calls: dict[str, Callable[[], object]] = {}
    for name in [n for n in list_detectors() if n in YARDSTICK]:
        detector = detector_for_speed(name)
        backbone, side = YARDSTICK[name]
        net, view = timm.create_model(backbone, num_classes=2).eval(), torch.rand(1, 3, side, side)

        def ours(detector: Detector = detector) -> object:
            return detector.predict([image])

        def plain(net: torch.nn.Module = net, view: torch.Tensor = view) -> object:
            with torch.inference_mode():
                return net(view)

        calls[f"{name} ours"], calls[f"{name} timm"] = ours, plain
    best_of(calls, 2)
    best = best_of(calls, options.rounds)
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads")
    for name in YARDSTICK:
        ours_ms, timm_ms = best[f"{name} ours"] * 1e3, best[f"{name} timm"] * 1e3
        print(
            f"{name:10} ours {ours_ms:7.1f} ms   timm eager {timm_ms:7.1f} ms   ratio {timm_ms / ours_ms:.2f}"
        )
    total = {kind: sum(v for k, v in best.items() if k.endswith(kind)) for kind in ("ours", "timm")}
    print(json.dumps({"ours_s": round(total["ours"], 3), "timm_s": round(total["timm"], 3),
                      "ratio": round(total["timm"] / total["ours"], 3)}))  # fmt: skip


if __name__ == "__main__":
    main()
