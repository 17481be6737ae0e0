"""How fast the detectors answer on this machine, against plain timm in the same run.

The yardstick is what anyone would write first: for each detector one eager timm forward pass of its
backbone on one view of the paper's size (224 px; 299 px for the Xception of F3Net; 224 px for the
ResNet-18 of GramNet, although the paper feeds it 512). Ours is the whole answer: tiles cut, every
detector run, scores averaged. Both take turns in one run; a ratio is yardstick / ours, so above 1 ours is
faster. All detectors on one image are timed as a verdict asks them, sharing the cores; sixteen images, and
the rows, a detector at a time. Speed does not depend on the weights' values: untrained networks stand in
where there are none.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genimage_core.detectors import Detector, build_network, list_detectors, load_detector
from genimage_core.evaluation.runtime.choose_precision import best_of
from genimage_core.utils.errors import EvaluationError, WeightsError
from genimage_core.verdict.pipeline import score_image

if TYPE_CHECKING:
    import torch

YARDSTICK: dict[str, tuple[str, int]] = {
    "resnet50": ("resnet50", 224),
    "deit_s": ("deit_small_patch16_224", 224),
    "swin_t": ("swin_tiny_patch4_window7_224", 224),
    "cnnspot": ("resnet50", 224),
    "spec": ("resnet34", 224),
    "f3net": ("legacy_xception", 299),
    "gramnet": ("resnet18", 224),
    "dinov2": ("vit_small_patch14_dinov2", 224),
}
SIDE = 1024
BATCH = 16
ALL = "all at once"
# Resident memory's peak, in MB, of a process that has all detectors loaded and gave one verdict.
_PEAK = """
import resource, sys
import genimage_core
genimage_core.detect(sys.argv[1], detectors=sys.argv[2])
try:  # Linux counts the parent's memory at the fork into ru_maxrss; its own peak stands elsewhere
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
except (OSError, StopIteration):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak /= 1024 * 1024 if sys.platform == "darwin" else 1024
print(peak, "torch" in sys.modules)
"""


def detector_for_speed(name: str) -> Detector:
    """The bundled detector, or an untrained one of the same shape."""
    try:
        return load_detector(name, device="cpu")
    except WeightsError:
        from genimage_core.detectors.onnx.export import in_memory

        return in_memory(build_network(name).eval(), "untrained")


def measure_speed(
    rounds: int = 5,
    threads: int = 0,
    names: list[str] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Time every detector that has a yardstick, one image of 1024 x 1024 at a time and sixteen.

    Args:
        rounds: turns that each takes; the least time counts. Batches take a third of them, at least one.
        threads: CPU threads of both sides; 0: torch's default.
        names: of detectors; None: all.
        say: told what is being measured.

    Returns:
        JSON-ready: `ratio` (plain timm's seconds / ours, all detectors on one image), `all_ms` (ours of
        these), `ratio_batch16`, `peak_mb`, `first_verdict_s`, `rows` (a detector each) and the machine.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    chosen = [n for n in names or list_detectors() if n in YARDSTICK]
    if not chosen:
        raise EvaluationError("none of these has a yardstick.", hint=f"Known: {', '.join(YARDSTICK)}.")
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    detectors, plain = {}, {}
    for name in chosen:
        say(f"loading {name}")
        detectors[name], plain[name] = detector_for_speed(name), _plain(name)
    say("timing one image")
    single = _take_turns(detectors, plain, [image], rounds)
    say(f"timing batches of {BATCH}")
    many = _take_turns(detectors, plain, [image] * BATCH, max(1, rounds // 3))
    rows = [_row(name, detectors[name], single, many) for name in chosen]
    say("starting afresh")
    return {
        "ratio": round(_total(single, "timm") / single[ALL], 3),
        "all_ms": round(1e3 * single[ALL], 1),
        "ratio_batch16": round(_total(many, "timm") / _total(many, "ours"), 3),
        **fresh_process(chosen if names else None, threads),
        "rows": rows,
        "machine": f"{_processor()}, {torch.get_num_threads()} threads",
    }


def _plain(name: str) -> Callable[[int], object]:
    """Views -> one eager timm forward pass over them."""
    import torch

    from genimage_core.detectors._timm import timm

    backbone, side = YARDSTICK[name]
    options: dict[str, Any] = {"img_size": side} if "dinov2" in backbone else {}
    net: torch.nn.Module = timm.create_model(backbone, num_classes=2, **options).eval()

    def run(count: int) -> object:
        with torch.inference_mode():
            return net(torch.rand(count, 3, side, side))

    return run


def _take_turns(
    detectors: dict[str, Detector], plain: dict[str, Callable[[int], object]], images: list, rounds: int
) -> dict[str, float]:  # fmt: skip
    calls: dict[str, Callable[[], object]] = {}
    for name, detector in detectors.items():
        calls[f"{name} ours"] = lambda d=detector: d.predict(images)  # type: ignore[misc]
        calls[f"{name} timm"] = lambda run=plain[name]: run(len(images))  # type: ignore[misc]
    if len(images) == 1:
        calls[ALL] = lambda: score_image(images[0], detectors)
    for call in calls.values():  # the first pass allocates
        if len(images) == 1:
            call()
    return best_of(calls, rounds)


def _total(best: dict[str, float], kind: str) -> float:
    return sum(seconds for call, seconds in best.items() if call.endswith(kind))


def _row(name: str, detector: Detector, single: dict[str, float], many: dict[str, float]) -> dict[str, Any]:
    ms = {
        f"{kind}_{label}": round(1e3 * best[f"{name} {kind}"], 1)
        for kind in ("ours", "timm")
        for label, best in (("ms", single), ("batch16_ms", many))
    }
    return {
        "name": name,
        "precision": getattr(detector, "precision", "fp32"),
        "views": detector.spec.max_tiles,
        **ms,
        "ratio": round(ms["timm_ms"] / max(ms["ours_ms"], 1e-3), 2),
        "ratio_batch16": round(ms["timm_batch16_ms"] / max(ms["ours_batch16_ms"], 1e-3), 2),
    }


def fresh_process(names: list[str] | None = None, threads: int = 0) -> dict[str, Any]:
    """What a process that starts afresh takes: seconds to `detect`'s first verdict, peak memory in MB.

    None stands for what cannot be measured here: no weights, or a system that does not tell.

    Args:
        names: of the detectors that answer; None: all.
        threads: CPU threads; 0: as many as there are cores.
    """
    from PIL import Image

    asked = ",".join(names or ["all"])
    own = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([own, os.environ.get("PYTHONPATH", "")])}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    found: dict[str, Any] = {"first_verdict_s": None, "peak_mb": None, "first_verdict_loads_torch": None}
    with tempfile.TemporaryDirectory(prefix="genimage-") as folder:
        path = str(Path(folder) / "noise.png")
        noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)

        def run(*command: str) -> str | None:
            done = subprocess.run(
                [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
            )
            return done.stdout if done.returncode == 0 else None

        times = []
        for _ in range(3):
            start = time.perf_counter()
            answer = run("-m", "genimage_core", "detect", path, "--json", "--detectors", asked)
            times.append(time.perf_counter() - start)
            if answer is None or "error" in json.loads(answer)[0]:
                return found
        found["first_verdict_s"] = round(min(times), 2)
        if said := run("-c", _PEAK, path, asked):
            peak, torch_loaded = said.split()
            found["peak_mb"], found["first_verdict_loads_torch"] = round(float(peak)), torch_loaded == "True"
    return found


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
