"""How long an evaluation takes, against the script that anyone would write first.

    python -m benchmarks.engine_vs_loop --data DIR --limit 8 --detectors deit_s,gramnet --degrade paper
    python -m benchmarks.engine_vs_loop --data DIR --limit 8 --preparation

The yardstick loops over detectors and degradations and gives each pair a DataLoader that decodes and degrades
every image and an eager torch forward pass a batch: the same networks, weights, views and number of
workers. Ours is the engine as the command runs it. Both take the same images in one run; loading the
networks is left out of both. The ratio is yardstick / ours, so more than 1 means that ours is faster; the
largest difference between two scores of the same image is printed beside it.

With --preparation, only decoding, degrading and cutting views is timed: in one thread, in as many as
--workers, and in as many processes, which send the views back.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch.utils.data import DataLoader, Dataset

from genimage_core.datasets import Record, data_protocol, scan_dataset
from genimage_core.detectors import Detector, Preprocessing, detector_class, list_detectors
from genimage_core.evaluation.devices import load_for_run, run_versions, with_weights
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.engine.views import Preparer
from genimage_core.evaluation.plan import Plan, parse_degradations
from genimage_core.evaluation.select import data_facts, select_images
from genimage_core.evaluation.store import read_rows
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image

Scores = dict[tuple[str, str, str], float]


class Degraded(Dataset[np.ndarray]):
    """The (V, S, S, 3) uint8 views of each image for one detector under one degradation."""

    def __init__(
        self, records: Sequence[Record], detector: Detector, degradation: str, preprocessing: Preprocessing
    ) -> None:
        self.records, self.detector, self.preprocessing = records, detector, preprocessing
        self.degradation = parse(degradation)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, i: int) -> np.ndarray:
        image = self.degradation(load_image(self.records[i].path).pixels)
        return np.stack(self.detector.views(image, self.preprocessing))


def _as_list(views: list[np.ndarray]) -> list[np.ndarray]:
    return views


def obvious_script(
    records: Sequence[Record],
    detectors: Mapping[str, Detector],
    degradations: Sequence[str],
    preprocessing: Preprocessing,
    workers: int,
) -> Scores:
    """Every detector, every degradation, a DataLoader each."""
    scores: Scores = {}
    for name, detector in detectors.items():
        for degradation in degradations:
            data = Degraded(records, detector, degradation, preprocessing)
            loader = DataLoader(data, batch_size=32, num_workers=workers, collate_fn=_as_list)
            place = 0
            for batch in loader:
                x = torch.from_numpy(np.concatenate(batch)).to(detector.device)
                with torch.inference_mode():
                    log_odds = detector.net(x.permute(0, 3, 1, 2).float() / 255.0).float().cpu().numpy()
                for part in np.split(log_odds, np.cumsum([len(views) for views in batch])[:-1]):
                    score = float(expit(float(part.mean())))
                    scores[records[place].image_id, name, degradation] = score
                    place += 1
    return scores


def our_engine(
    records: Sequence[Record], detectors: Mapping[str, Detector], plan: Plan, folder: Path, workers: int
) -> Scores:
    """The engine, rows written and read again."""
    engine.run(records, detectors, plan, folder, workers=workers)
    rows = read_rows(folder)
    keys = zip(rows["image_id"], rows["detector"], rows["degradation"], strict=True)
    return dict(zip(keys, map(float, rows["p_fake"]), strict=True))


def preparation(prepare: Preparer, records: Sequence[Record], workers: int) -> dict[str, float]:
    """Images a second of each way to prepare them."""
    pools: dict[str, Executor] = {
        "1 thread": ThreadPoolExecutor(1),
        f"{workers} threads": ThreadPoolExecutor(workers),
        f"{workers} processes": ProcessPoolExecutor(workers, get_context("spawn")),
    }
    found = {}
    for name, pool in pools.items():
        with pool:
            list(pool.map(prepare, records[:workers]))  # what is set up once is not timed
            start = time.perf_counter()
            for _ in pool.map(prepare, records):
                pass
            found[name] = round(len(records) / (time.perf_counter() - start), 2)
    return found


def main() -> None:
    """Measure both and print seconds, ratio and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--generators", default="all")
    parser.add_argument("--limit", type=int, default=8, help="images a class and generator")
    parser.add_argument("--detectors", default="all", help="all that have bundled weights, or names")
    parser.add_argument("--degrade", default="paper")
    parser.add_argument("--preprocessing", choices=("tiles", "resize"), default="tiles")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: torch's default")
    parser.add_argument("--precision", choices=("fp32", "bf16", "int8"), default="fp32", help="of ours")
    parser.add_argument("--preparation", action="store_true", help="threads against processes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    rules = data_protocol("raw")
    records = select_images(
        scan_dataset(options.data),
        split="val",
        generators=options.generators,
        protocol=rules,
        limit=options.limit,
    )
    names = with_weights("default") if options.detectors == "all" else options.detectors.split(",")
    degradations = parse_degradations(options.degrade)
    if options.preparation:
        specs = [detector_class(name).spec for name in list_detectors()]
        prepare = Preparer(specs, {c: parse(c) for c in degradations}, rules, options.preprocessing)
        print(json.dumps({"images_per_second": preparation(prepare, records, options.workers)}))
        return
    detectors = load_for_run(names, "default", device=options.device, precision=options.precision)
    plan = Plan(
        data=data_facts(records, split="val", limit=options.limit, seed=0),
        detectors={name: detector.weights_id for name, detector in detectors.items()},
        degradations=degradations,
        data_protocol="raw",
        preprocessing=options.preprocessing,
        device=next(iter(detectors.values())).device.type,
        precision=options.precision,
        versions=run_versions(),
    )
    for detector in detectors.values():  # the first pass pays for what is set up once
        detector.predict([np.zeros((512, 512, 3), np.uint8)], options.preprocessing)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ours = our_engine(records, detectors, plan, Path(folder), options.workers)
    middle = time.perf_counter()
    plain = obvious_script(records, detectors, plan.degradations, options.preprocessing, options.workers)
    end = time.perf_counter()
    if ours.keys() != plain.keys():
        raise SystemExit("the two did not score the same images")
    figures = {
        "images": len(records),
        "scores": len(ours),
        "device": plan.device,
        "threads": torch.get_num_threads(),
        "workers": options.workers,
        "ours_s": round(middle - start, 2),
        "script_s": round(end - middle, 2),
        "ratio": round((end - middle) / (middle - start), 2),
        "max_score_difference": float(f"{max(abs(ours[key] - plain[key]) for key in ours):.2g}"),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
