"""Detectors for a run: loaded onto the device, in the precision that was asked for."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from genimage_core.detectors import Detector, list_detectors, load_detector
from genimage_core.detectors.registry import Runtime, resolve_device
from genimage_core.detectors.weights.store import weights_entry
from genimage_core.evaluation.plan import Precision
from genimage_core.utils.errors import EvaluationError, WeightsError
from genimage_core.utils.versions import versions


def weights_of(name: str, weights: str) -> str | Path:
    """`default`, a weight set, or a folder with one run a detector -> where this detector's weights lie."""
    own = Path(weights) / name
    return own if weights != "default" and own.is_dir() else weights


def with_weights(weights: str) -> list[str]:
    """Names of the detectors that `weights` covers, in the registry's order."""
    return [name for name in list_detectors() if _has_weights(name, weights)]


def _has_weights(name: str, weights: str) -> bool:
    try:
        weights_entry(name, weights_of(name, weights))
    except WeightsError:
        return False
    return True


def load_for_run(
    names: list[str],
    weights: str,
    *,
    device: str = "auto",
    precision: Precision = "fp32",
    runtime: Runtime = "auto",
) -> dict[str, Detector]:
    """Load detectors, their memory in channels-last order (`load_detector` sees to that).

    Args:
        names: of the detectors.
        weights: `default`, a weight set, or a folder with one run a detector.
        device: `auto`, `cpu` or `cuda`.
        precision: `bf16` (GPUs only) runs matrix products and convolutions on 16 bits, `int8` (CPUs only) as
            the app does in 8 bits what was measured to lose next to nothing by it; the scores then differ a
            little from those in fp32, on which the calibration rests.
        runtime: `auto`, or one of `load_detector` that goes with fp32.

    Raises:
        EvaluationError: no such device here, or it does not do this precision.
        WeightsError: weights are missing or damaged.
    """
    import torch

    if device not in ("auto", "cpu") and not torch.cuda.is_available():
        raise EvaluationError("no such device here.", hint="Use `cpu` or `auto`.", source=device)
    target = resolve_device(device)
    if precision == "bf16" and not (target.type == "cuda" and torch.cuda.is_bf16_supported()):
        raise EvaluationError(
            "bf16 needs a GPU that computes in it.", hint="Leave the precision at fp32.", source=target.type
        )
    if precision == "int8" and target.type != "cpu":
        raise EvaluationError("int8 is for CPUs.", hint="Use fp32 or bf16.", source=target.type)
    # "auto" would take 16 bits on a GPU and 8 on a CPU where that costs little; a run is what its plan says.
    if precision != "int8" and runtime == "auto":
        runtime = "onnx" if target.type == "cpu" and find_spec("onnxruntime") else "torch"
    loaded = {
        name: load_detector(name, weights=weights_of(name, weights), device=str(target), runtime=runtime)
        for name in names
    }
    if precision == "bf16":
        from genimage_core.detectors.half_precision import HalfForward

        for detector in loaded.values():
            detector.forward = HalfForward(detector.net)
    return loaded


def run_versions() -> dict[str, str]:
    """Versions of all that scores depend on, ONNX Runtime among them: on CPUs it runs the networks."""
    try:
        runtime = metadata.version("onnxruntime")
    except metadata.PackageNotFoundError:
        runtime = "not installed"
    return versions() | {"onnxruntime": runtime}
