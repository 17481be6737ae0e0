"""The registry: a decorator puts a network in, `list_detectors` and `load_detector` take it out."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from pathlib import Path
from typing import Any, TypeVar

import torch

from genimage_core.detectors.base import Detector, DetectorInfo, DetectorNet
from genimage_core.detectors.runtime import Runtime, choose_forward, optimise
from genimage_core.errors import UnknownDetectorError

_REGISTRY: dict[str, type[DetectorNet]] = {}
_discovered = False
_discovering = threading.RLock()

Net = TypeVar("Net", bound=type[DetectorNet])


def register_detector(net: Net) -> Net:
    """Class decorator: enter a network under its `info.name`.

    Raises:
        ValueError: another class has that name.
    """
    name = net.info.name
    known = _REGISTRY.get(name)
    if known is not None and known.__qualname__ != net.__qualname__:
        raise ValueError(f"two detectors are called {name!r}: {known.__qualname__}, {net.__qualname__}")
    _REGISTRY[name] = net
    return net


def _discover() -> None:
    """Import every module of this package once, so that each registers itself.

    A second thread waits until the first is through: half a registry would be a wrong answer.
    """
    global _discovered
    with _discovering:
        if _discovered:
            return
        package = Path(__file__).parent
        for module in pkgutil.iter_modules([str(package)]):
            importlib.import_module(f"genimage_core.detectors.{module.name}")
        from genimage_core.detectors.custom import cards_folder, register_cards

        register_cards(cards_folder(), set(_REGISTRY))
        _discovered = True


def list_detectors() -> list[str]:
    """Names of all registered detectors: the benchmark's in the paper's order, then others."""
    _discover()
    order = ["resnet50", "deit_s", "swin_t", "cnnspot", "spec", "f3net", "gramnet"]
    rest = sorted(set(_REGISTRY) - set(order))
    return [name for name in order if name in _REGISTRY] + rest


def detector_class(name: str) -> type[DetectorNet]:
    """The network class registered as `name`.

    Raises:
        UnknownDetectorError: there is none.
    """
    _discover()
    if name not in _REGISTRY:
        known = ", ".join(list_detectors())
        raise UnknownDetectorError("no such detector.", hint=f"Choose from: {known}.", source=name)
    return _REGISTRY[name]


def detector_info(name: str) -> DetectorInfo:
    """The facts of the detector registered as `name`."""
    return detector_class(name).info


def chosen_detectors(text: str) -> list[str]:
    """`all` or `a,b` -> names, checked.

    Raises:
        UnknownDetectorError: one of them does not exist.
    """
    names = list_detectors() if text == "all" else [n.strip() for n in text.split(",") if n.strip()]
    if not names:
        raise UnknownDetectorError("no detector named.", hint="Use `all` or names separated by commas.")
    return [detector_info(name).name for name in names]


def build_network(name: str, *, seed: int = 0, **options: Any) -> DetectorNet:
    """A fresh, untrained network, its initial weights drawn from `seed`.

    Args:
        name: one of `list_detectors()`.
        seed: of the weights.
        options: what its class is called with, `backbone` say.
    """
    net = detector_class(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net(**options)


def resolve_device(device: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def load_detector(
    name: str, *, weights: str | Path = "default", device: str = "auto", runtime: Runtime = "auto"
) -> Detector:
    """Load a trained detector.

    Args:
        name: one of `list_detectors()`.
        weights: `default` for the bundled set, a folder written by `train`, `pack` or `save_pretrained`, or
            a hub repository, `hf://OWNER/NAME@COMMIT?sha256=DIGEST` (see `genimage_core.hub`).
        device: `auto`, `cpu`, `cuda`, ...
        runtime: `torch`, `onnx` (ONNX Runtime, on CPUs), or `auto` for the faster one at hand.

    Raises:
        UnknownDetectorError: no such detector.
        WeightsError: weights are missing, or their sha256 is not the manifest's.
    """
    from genimage_core.detectors.weights import load_state, network_options

    detector_info(name)  # an unknown name is told before missing weights are
    net = build_network(name, **network_options(name, weights))
    state, weights_id = load_state(name, weights)
    net.load_state_dict(state)
    target = resolve_device(device)
    optimise(net.eval(), target)
    return Detector(net, target, weights_id, choose_forward(net, target, runtime))
