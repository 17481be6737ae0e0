"""Does memory stay flat over many images? Files are repeated under other names until there are enough.

    python -m benchmarks.memory --data DIR --images 20000 --detectors gramnet

Prints the resident memory of the process (MB) at each tenth of the run, and its growth over the second
half: what is loaded or built once is there by then. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from genimage_core.datasets import Record
from genimage_core.evaluation.config import Wanted, set_up
from genimage_core.evaluation.engine import run as engine


def resident_mb() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS here")


def repeated(records: list[Record], count: int) -> list[Record]:
    """`count` records, each of another id, over the same files."""
    return [
        replace(r, image_id=f"{n // len(records)}/{r.image_id}")
        for n in range(count)
        for r in (records[n % len(records)],)
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--detectors", default="gramnet")
    parser.add_argument("--degrade", default="none")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's default")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    work = set_up(
        Wanted(
            data=options.data,
            detectors=options.detectors,
            degrade=options.degrade,
            device=options.device,
        )
    )
    records = repeated(work.records, options.images)
    plan = work.plan.model_copy(update={"data": work.plan.data.model_copy(update={"images": options.images})})
    seen: dict[int, float] = {}

    def note(done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth not in seen:
            seen[tenth] = round(resident_mb(), 1)
            print(f"{done} images: {seen[tenth]} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        engine.run(records, work.detectors, plan, Path(folder), progress=note)
    tenths = sorted(seen)
    middle = min(tenths, key=lambda tenth: abs(tenth - 5))
    growth = round(seen[tenths[-1]] - seen[middle], 1)
    print(
        json.dumps(
            {"images": options.images, "device": plan.device, "mb": seen, "second_half_growth_mb": growth}
        )
    )


if __name__ == "__main__":
    main()
