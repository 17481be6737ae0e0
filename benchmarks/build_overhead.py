"""What `build` costs beside plain diffusers: time for the same images, block about block in one process.

    python -m benchmarks.build_overhead PIPELINE [IMAGES] [SIZE] [STEPS]

PIPELINE is a folder. Plain is: sample with the same seeds, save as PNG. `build` also decodes each file to
check it, hashes it and keeps a journal. Blocks take turns, so that other load on the machine meets both.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import torch

from genimage_core.generation.build import Request, plan_of
from genimage_core.generation.diffusion import Diffusion
from genimage_core.generation.make import Run, make_images
from genimage_core.generation.plan import Shot, list_shots

BLOCK = 10


def _plain(maker: Diffusion, shots: list[Shot], folder: Path) -> None:
    for shot in shots:
        generator = torch.Generator("cpu").manual_seed(shot.seed or 0)
        image = maker.pipe(prompt=shot.prompt, generator=generator, **maker.call).images[0]
        image.save(folder / f"{shot.stem}.png")


def main(pipeline: str, images: int = 100, size: int = 128, steps: int = 4) -> None:
    """Print wall and CPU time of both, and the memory at its peak."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "classes.txt").write_text("tench\n")
        request = Request(
            root / "set",
            pipeline,
            root,
            str(root / "classes.txt"),
            images,
            size=size,
            steps=steps,
            device="cpu",
        )
        plan, _ = plan_of(request)
        maker = Diffusion(plan, pipeline, "cpu")
        run, shots = Run(plan, request.out), list_shots(plan)
        (root / "plain").mkdir()
        _plain(maker, shots[:2], root / "plain")  # warm
        spent = {"plain": [0.0, 0.0], "build": [0.0, 0.0]}
        peak: dict[str, float] = {}
        for start in range(0, images, BLOCK):
            block = shots[start : start + BLOCK]
            for kind in spent:
                wall, cpu = time.perf_counter(), time.process_time()
                if kind == "plain":
                    _plain(maker, block, root / "plain")
                else:
                    make_images(run, block, lambda: maker)
                spent[kind][0] += time.perf_counter() - wall
                spent[kind][1] += time.process_time() - cpu
                peak.setdefault(kind, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        for kind, (wall, cpu) in spent.items():
            print(
                f"{kind}: {wall:.1f} s wall, {cpu:.1f} s CPU for {images} images, peak {peak[kind]} MB so far"
            )
        (wall, cpu), (wall_b, cpu_b) = spent["plain"], spent["build"]
        print(f"build / plain: {wall_b / wall - 1:+.1%} wall, {cpu_b / cpu - 1:+.1%} CPU")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
