"""What each kind of evidence costs for one 1024 x 1024 image.

    python -m benchmarks.evidence_cost --rounds 3

A table in Markdown: seconds by the clock and seconds of CPU time, the least of all rounds. On a busy machine
only the CPU time says something; divided by the cores it is what an idle machine takes at best. Evidence
that is drawn for one detector at a time has a row for each.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from genimage_core.detectors import Detector, load_detector
from genimage_core.detectors.weights.store import trained_detectors
from genimage_core.explain import explain, kind_info, list_kinds
from genimage_core.utils.errors import ExplainError


def scene_image(side: int = 1024) -> np.ndarray:
    """A scene with forms and grain, (side, side, 3) uint8: flat noise would compress like nothing real."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    scene = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float32)
    return np.clip(scene + rng.normal(0, 6, scene.shape), 0, 255).astype(np.uint8)


def cost(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Least seconds by the clock, and least seconds of CPU time."""
    wall, cpu = [], []
    for _ in range(rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return min(wall), min(cpu)


def main() -> None:
    """Measure every kind and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="all", help="`all`, or names separated by commas")
    options = parser.parse_args()
    image = scene_image()
    loaded: dict[str, Detector] = {name: load_detector(name) for name in trained_detectors()}
    scores = {name: float(d.predict([image])[0]) for name, d in loaded.items()}
    explain(image, {}, "spectrum")  # the first chart pays for loading matplotlib
    machine = platform.processor() or platform.machine()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{machine}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, load {load:.0f}\n")
    print("| evidence | detector | clock, s | CPU, s |\n|---|---|---|---|", flush=True)
    for kind in list_kinds() if options.kinds == "all" else options.kinds.split(","):
        each = kind_info(kind).asks == "each"
        for asked in [{n: d} for n, d in loaded.items()] if each else [loaded]:

            def call(asked: dict[str, Detector] = asked, kind: str = kind) -> object:
                return explain(image, asked, kind, scores=scores)

            who = next(iter(asked)) if each else ""
            try:
                wall, cpu = cost(call, options.rounds)
                print(f"| {kind} | {who} | {wall:.2f} | {cpu:.2f} |", flush=True)
            except ExplainError as error:
                print(f"| {kind} | {who} | {error.message} | |", flush=True)


if __name__ == "__main__":
    main()
