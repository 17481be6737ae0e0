"""The runtime's commands: prepare, time, choose-precision."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from genimage_core.cli.options import AsJson, Data, Detectors, Seed, Threads, Weights, command_line


def prepare(
    detectors: Detectors = "all",
    weights: Weights = "default",
    portable: Annotated[
        bool, typer.Option("--portable", help="Also for other processors: for an image that runs elsewhere.")
    ] = False,
) -> None:
    """Export each detector for ONNX Runtime and keep it, so that the first answer on a CPU comes quickly."""
    from genimage_core.detectors.onnx.info_cache import exports_folder
    from genimage_core.detectors.onnx.prepare import prepare_detector
    from genimage_core.detectors.registry import load_detector, load_network
    from genimage_core.evaluation.config import covered_detectors

    for name in covered_detectors(detectors, weights)[0]:
        # Exactly what a visitor's first call does; "cpu", since a GPU has no use for it.
        found = load_detector(name, weights=weights, device="cpu")
        precision = getattr(found, "precision", None)
        if portable and precision:
            prepare_detector(*load_network(name, weights), precision, keep_portable=True)
        print(f"{name}: ready ({precision or 'torch'})", flush=True)
    print(f"kept in {exports_folder()}", file=sys.stderr)


def choose_precision(
    data: Data,
    detectors: Detectors = "all",
    weights: Weights = "default",
    limit: Annotated[int, typer.Option(help="At most so many images a class and generator.")] = 40,
    rounds: Annotated[int, typer.Option(help="Turns of timing; the least time counts.")] = 7,
    calibrate_on: Annotated[
        int, typer.Option(min=0, help="Training images that show what ranges 8 bits need; 0: bundled ones.")
    ] = 96,
    seed: Seed = 42,
    out: Annotated[Path | None, typer.Option(help="The table (default: assets/runtime.json).")] = None,
) -> None:
    """Measure in how many bits each detector runs fastest at next to no cost, and write the table."""
    import numpy as np

    from genimage_core.datasets import data_protocol, scan_dataset
    from genimage_core.detectors.onnx.precision import PATH
    from genimage_core.evaluation.config import covered_detectors
    from genimage_core.evaluation.runtime.choose_precision import measure, together, write_choices
    from genimage_core.evaluation.select import select_images

    every = scan_dataset(data)
    chosen_images = select_images(
        every, split="val", generators="all", protocol=data_protocol("raw"), limit=limit, seed=seed
    )
    records = [r for r in chosen_images if r.generator != "not_photo"]
    training = [r for r in every if r.split == "train"]
    drawn = np.random.default_rng(seed).permutation(len(training))[:calibrate_on]
    calibration = [training[i] for i in drawn]
    entries: dict[str, Any] = {}
    exact, chosen = {}, {}
    for name in covered_detectors(detectors, weights)[0]:
        entries[name], scores = measure(
            name, records, weights=weights, rounds=rounds, calibration=calibration, command=command_line(data)
        )
        exact[name], chosen[name] = scores["fp32"], scores[entries[name]["precision"]]
        print(f"{name}: {json.dumps(entries[name])}", file=sys.stderr, flush=True)
    table = {
        "command": command_line(data),
        "images": len(records),
        "together": together(records, exact, chosen),
        "detectors": entries,
    }
    write_choices(table, out or PATH)
    print(json.dumps(table["together"]))


def time(
    threads: Threads = 0,
    rounds: Annotated[int, typer.Option(help="Turns that each takes; the least time counts.")] = 5,
    detectors: Detectors = "all",
    as_json: AsJson = False,
) -> None:
    """Time the detectors on this machine, against one eager timm pass of each backbone in the same run."""
    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.evaluation.runtime.speed import measure_speed

    found = measure_speed(
        rounds, threads, chosen_detectors(detectors), say=lambda text: print(text, file=sys.stderr)
    )
    print(json.dumps(found) if as_json else speed_table(found))


def speed_table(found: dict[str, Any]) -> str:
    """The figures of `measure_speed` for human eyes."""
    lines = [
        found["machine"],
        f"{'':10} {'':13} {'one image, ms':>21}        {'batch of 16, ms':>21}",
        f"{'detector':10} {'bits':13} {'ours':>9} {'timm':>9} {'ratio':>6} "
        f"{'ours':>11} {'timm':>9} {'ratio':>6}",
    ]
    lines += [
        f"{r['name']:10} {r['precision']:13} {r['ours_ms']:9.1f} {r['timm_ms']:9.1f} {r['ratio']:6.2f} "
        f"{r['ours_batch16_ms']:11.1f} {r['timm_batch16_ms']:9.1f} {r['ratio_batch16']:6.2f}"
        for r in found["rows"]
    ]
    lines.append(f"all: {found['ratio']:.2f} x plain timm, {found['ratio_batch16']:.2f} x in batches of 16")
    if found["first_verdict_s"] is not None:
        lines.append(f"first verdict of a new process: {found['first_verdict_s']:.2f} s")
    if found["peak_mb"] is not None:
        lines.append(f"peak memory with all detectors loaded: {found['peak_mb']} MB")
    return "\n".join(lines)
