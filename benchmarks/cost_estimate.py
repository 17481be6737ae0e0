"""What an evaluation of the whole benchmark costs, worked out from a few images of the same kind.

    python -m benchmarks.cost_estimate --data DIR --limit 1 --detectors all --degrade none
    python -m benchmarks.cost_estimate --data DIR --limit 8 --device cuda --price 2.50

Runs the engine as the command does and prints, for each set of degradations, the CPU seconds an image (all
threads together, which other programs on the machine hardly change), the seconds an image as the clock ran,
and what both mean for GenImage's 2,681,167 images: core hours, machine hours at this machine's pace and, with
`--price`, the price at so much a core hour (on a GPU: a machine hour). Loading the networks is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import torch

from genimage_core.evaluation.config import Wanted, set_up
from genimage_core.evaluation.engine import run as engine

GENIMAGE = 2_681_167


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--generators", default="all")
    parser.add_argument("--limit", type=int, default=1, help="images a class and generator")
    parser.add_argument("--detectors", default="all")
    parser.add_argument("--degrade", default="none")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's default")
    parser.add_argument("--price", type=float, default=0.0, help="of a core hour; on a GPU of a machine hour")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    work = set_up(
        Wanted(
            data=options.data,
            generators=options.generators,
            limit=options.limit,
            detectors=options.detectors,
            degrade=options.degrade,
            device=options.device,
        )
    )
    clock, processor = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        engine.run(work.records, work.detectors, work.plan, Path(folder))
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    images = len(work.records)
    core_hours = GENIMAGE * processor / images / 3600
    machine_hours = GENIMAGE * clock / images / 3600
    figures = {
        "images": images,
        "detectors": list(work.detectors),
        "degradations": len(work.plan.degradations),
        "device": work.plan.device,
        "cores": os.cpu_count(),
        "cpu_seconds_per_image": round(processor / images, 4),
        "seconds_per_image": round(clock / images, 4),
        "genimage_core_hours": round(core_hours),
        "genimage_machine_hours": round(machine_hours),
    }
    if options.price:
        hours = machine_hours if work.plan.device == "cuda" else core_hours
        figures["genimage_price"] = round(hours * options.price)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
