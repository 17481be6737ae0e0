"""The registry: a decorator puts a network in, `list_detectors` and `load_detector` take it out.

Names and facts, and detectors that were prepared for ONNX Runtime, come without importing torch.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from genimage_core.detectors.detector import Detector
from genimage_core.detectors.info import DetectorInfo
from genimage_core.detectors.onnx.info_cache import Known, read_known, write_known
from genimage_core.utils.errors import UnknownDetectorError

if TYPE_CHECKING:
    import torch

    from genimage_core.detectors.base import DetectorNet
    from genimage_core.detectors.onnx.detector import Precision

Runtime = Literal["auto", "torch", "onnx", "compiled"]
ORDER = ("resnet50", "deit_s", "swin_t", "cnnspot", "spec", "f3net", "gramnet")

_REGISTRY: dict[str, type[DetectorNet]] = {}
_own: OwnDetectors | None = None
_discovered = False
_discovering = threading.RLock()

Net = TypeVar("Net", bound="type[DetectorNet]")


class OwnDetectors(NamedTuple):
    """Where detectors come from that are not this package's.

    Attributes:
        exist: whether there are any; asked often, so cheap.
        register: enters them in the registry, given the names that are taken.
    """

    exist: Callable[[], bool]
    register: Callable[[Collection[str]], object]


def take_own_detectors(source: OwnDetectors) -> None:
    """Have `source` asked, once, when the registry is filled."""
    global _own
    _own = source


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
    """Import every module of `models` once, so that each registers itself.

    A second thread waits until the first is through: half a registry would be a wrong answer.
    """
    global _discovered
    with _discovering:
        if _discovered:
            return
        for module in pkgutil.iter_modules([str(Path(__file__).parent / "models")]):
            importlib.import_module(f"genimage_core.detectors.models.{module.name}")
        write_known({name: net for name, net in _REGISTRY.items() if _is_bundled(net)})
        if _own is not None:
            _own.register(set(_REGISTRY))
        _discovered = True


def _is_bundled(net: type[DetectorNet]) -> bool:
    """Whether a network's code is this package's: what is kept of it goes stale with that code."""
    return net.__module__.startswith(__package__ or "") and not hasattr(net, "config")


def _known() -> dict[str, Known] | None:
    """Facts kept by an earlier process; None where they are not all there is to know."""
    if _discovered:
        return None
    return None if _own is not None and _own.exist() else read_known()


def list_detectors() -> list[str]:
    """Names of all registered detectors: the benchmark's in the paper's order, then others."""
    if (known := _known()) is None:
        _discover()
    names = set(_REGISTRY) | set(known or ())
    return [name for name in ORDER if name in names] + sorted(names - set(ORDER))


def detector_class(name: str) -> type[DetectorNet]:
    """The network class registered as `name`.

    Raises:
        UnknownDetectorError: there is none.
    """
    _discover()
    if name not in _REGISTRY:
        raise _unknown(name)
    return _REGISTRY[name]


def _unknown(name: str) -> UnknownDetectorError:
    known = ", ".join(list_detectors())
    return UnknownDetectorError("no such detector.", hint=f"Choose from: {known}.", source=name)


def detector_info(name: str) -> DetectorInfo:
    """The facts of the detector registered as `name`.

    Raises:
        UnknownDetectorError: there is none.
    """
    if name in _REGISTRY:
        return _REGISTRY[name].info
    if known := _known():
        if name not in known:
            raise _unknown(name)
        return known[name].info
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
    import torch

    net = detector_class(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net(**options)


def resolve_device(device: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one, else the CPU."""
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def on_cpu(device: str) -> bool:
    """Whether `device` means the CPU; torch is asked, and loaded for it, only where a GPU may be."""
    if device != "auto":
        return device == "cpu"
    return not (("torch" in sys.modules or _may_have_gpu()) and resolve_device().type != "cpu")


def _may_have_gpu() -> bool:
    """Whether a driver for a GPU that torch could use is installed (NVIDIA, AMD)."""
    from ctypes.util import find_library

    if any(Path(place).exists() for place in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")):
        return True
    return sys.platform == "win32" and find_library("nvcuda") is not None


def load_network(name: str, weights: str | Path = "default") -> tuple[DetectorNet, str]:
    """A trained torch network in eval mode on the CPU, and the sha256 of its weights.

    Raises:
        UnknownDetectorError: no such detector.
        WeightsError: weights are missing, or their sha256 is not the manifest's.
    """
    from genimage_core.detectors.weights.store import load_state, network_options

    net = build_network(name, **network_options(name, weights))
    state, weights_id = load_state(name, weights)
    net.load_state_dict(state)
    return net.eval(), weights_id


def load_detector(
    name: str, *, weights: str | Path = "default", device: str = "auto", runtime: Runtime = "auto"
) -> Detector:
    """Load a trained detector.

    On a CPU, ONNX Runtime takes the model that `prepare` has kept for these weights, without torch; where
    there is none, it is made and kept now.

    Args:
        name: one of `list_detectors()`.
        weights: `default` for the bundled set, a folder written by `train`, `pack` or `save_pretrained`, or
            a hub repository, `hf://OWNER/NAME@COMMIT?sha256=DIGEST` (see `weights/hub.py`).
        device: `auto`, `cpu`, `cuda`, ...
        runtime: `torch` (float32), `onnx` (ONNX Runtime in float32, on CPUs), or `auto` for what is fastest:
            on a CPU ONNX Runtime in 8 bits, where assets/runtime.json says that they cost next to nothing,
            on a GPU 16 bits, where they keep P(fake) to 5e-3. `compiled` (GPUs) also compiles.

    Raises:
        UnknownDetectorError: no such detector.
        WeightsError: weights are missing, or their sha256 is not the manifest's.
    """
    detector_info(name)  # an unknown name is told before missing weights are
    onnx = runtime in ("auto", "onnx") and on_cpu(device)
    precision: Precision | None = "fp32" if runtime == "onnx" else None
    if onnx and (found := _load_prepared(name, weights, precision)):
        return found
    net, weights_id = load_network(name, weights)
    if onnx and net.exportable:
        from genimage_core.detectors.onnx.export import in_memory
        from genimage_core.detectors.onnx.prepare import prepare_detector

        try:
            if _is_bundled(type(net)):
                return prepare_detector(net, weights_id, precision)
            return in_memory(net, weights_id)
        except ImportError:
            if runtime == "onnx":
                raise
    from genimage_core.detectors.onnx.export import optimise

    target = resolve_device(device)
    net = optimise(net, target)
    if target.type == "cpu" or runtime in ("torch", "onnx"):
        return Detector(net, target, weights_id)
    from genimage_core.detectors.half_precision import fast_forward

    return Detector(net, target, weights_id, fast_forward(net, target, compiled=runtime == "compiled"))


def _load_prepared(name: str, weights: str | Path, precision: Precision | None = None) -> Detector | None:
    """A detector whose model an earlier process has kept, by default in the measured choice; else None."""
    from genimage_core.detectors.onnx.precision import chosen_precision
    from genimage_core.detectors.weights.store import weights_id

    known = read_known()
    if known is None or name not in known or (name in _REGISTRY and not _is_bundled(_REGISTRY[name])):
        return None
    identity = weights_id(name, weights)
    precision = precision or chosen_precision(name, identity)
    from genimage_core.detectors.onnx.detector import OnnxDetector, find_export

    path = None
    try:
        path = find_export(name, identity, precision)
        if path is None:
            return None
        return OnnxDetector(
            str(path), known[name], identity, lambda: load_network(name, weights)[0], precision=precision
        )
    except ImportError:
        return None
    except Exception:  # ONNX Runtime's errors have no public base; a damaged file is made again
        if path:
            path.unlink(missing_ok=True)
        return None
