"""The averages that evidence is compared with: assets/traces/{spectra,gram}.{npz,json}.

    python -m experiments.reference_stats --data DIR            # both
    python -m experiments.reference_stats --data DIR --only gram --most 600   # after new weights of GramNet

Spectra: mean log spectra of the train split's photographs and of each generator's images. Gram: mean and
spread of GramNet's texture numbers over photographs of the train split; the distances that are compared
with are those of the validation split, which the network has not seen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genimage_core.datasets import Record, scan_dataset
from genimage_core.detectors import Detector, load_detector
from genimage_core.explain.kinds.gram_distance import distance, gram_numbers
from genimage_core.explain.kinds.spectrum import log_spectrum, radial_profile
from genimage_core.explain.reference_stats import FOLDER, QUANTILES, REAL, half_spectra
from genimage_core.images.load import load_image
from genimage_core.training.data import data_hash
from genimage_core.utils.errors import DatasetError, GenImageError
from genimage_core.utils.versions import versions

NOT_PHOTO = "not_photo"
"""A group of real images that are no photographs: no part of the mean photograph."""


def groups_of(records: Iterable[Record], split: str) -> dict[str, list[Record]]:
    """Photographs, then each generator's images, of one split."""
    chosen = [r for r in records if r.split == split]
    found = {REAL: [r for r in chosen if r.label == 0 and r.generator != NOT_PHOTO]}
    for name in sorted({r.generator for r in chosen if r.label == 1}):
        found[name] = [r for r in chosen if r.label == 1 and r.generator == name]
    if not found[REAL]:
        raise DatasetError(
            "no photographs in this split.", hint="Name a data set with nature/.", source=split
        )
    return found


def thinned(records: list[Record], most: int | None) -> list[Record]:
    """At most `most` of the records, evenly spread over their order."""
    if most is None or len(records) <= most:
        return records
    return [records[i] for i in np.linspace(0, len(records) - 1, most).round().astype(int)]


def measured(records: list[Record], measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`measure` of each image that can be read, stacked."""
    rows = []
    for record in records:
        try:
            rows.append(measure(load_image(record.path).pixels))
        except GenImageError as error:
            print(f"left out: {error}")
    return np.stack(rows)


def make_spectra(records: list[Record]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of `spectra`."""
    means, profiles, counts = [], [], []
    low = high = np.zeros(0)
    groups = groups_of(records, "train")
    for name, some in groups.items():
        spectra = measured(some, log_spectrum)
        curves = np.stack([radial_profile(s) for s in spectra])
        if name == REAL:
            low, high = np.percentile(curves, (5, 95), axis=0)
        means.append(spectra.mean(0, dtype=np.float64))
        profiles.append(curves.mean(0))
        counts.append(len(spectra))
        print(f"spectra: {name}, {len(spectra)} images", flush=True)
    arrays = {"halves": half_spectra(np.stack(means)).astype(np.float16), "profiles": np.stack(profiles)}
    arrays |= {"real_low": low.astype(np.float32), "real_high": high.astype(np.float32)}
    return arrays, {"groups": list(groups), "counts": counts, "split": "train"}


def make_gram(
    records: list[Record], detector: Detector, most: int | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of `gram`."""

    def measure(image: np.ndarray) -> np.ndarray:
        return gram_numbers(image, detector)

    photographs = measured(thinned(groups_of(records, "train")[REAL], most), measure)
    mean, spread = photographs.mean(0), np.maximum(photographs.std(0), 1e-6)
    print(f"gram: {len(photographs)} photographs of the train split", flush=True)
    rows, counts = [], []
    groups = groups_of(records, "val")
    for name, some in groups.items():
        numbers = measured(thinned(some, most), measure)
        rows.append(np.percentile([distance(n, mean, spread) for n in numbers], QUANTILES))
        counts.append(len(numbers))
        print(f"gram: {name}, {len(numbers)} validation images", flush=True)
    arrays = {"mean": mean, "spread": spread, "quantiles": np.stack(rows).astype(np.float32)}
    facts = {"groups": list(groups), "counts": counts, "split": "val", "weights_sha256": detector.weights_id}
    return arrays, facts


def write(out: Path, name: str, arrays: dict[str, np.ndarray], facts: dict[str, Any]) -> None:
    """Write NAME.npz and its manifest NAME.json."""
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / f"{name}.npz", allow_pickle=False, **arrays)
    (out / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data set in GenImage's layout")
    parser.add_argument("--only", choices=("spectra", "gram"))
    parser.add_argument("--most", type=int, help="images of each group, for gram (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    records = scan_dataset(options.data)
    for name in [options.only] if options.only else ["spectra", "gram"]:
        if name == "spectra":
            arrays, facts = make_spectra(records)
        else:
            arrays, facts = make_gram(records, load_detector("gramnet", runtime="torch"), options.most)
        used = [r for r in records if r.split == "train" or name == "gram"]
        facts |= {
            "data_sha256": data_hash(used),
            "command": f"python -m experiments.reference_stats --data DIR --only {name}"
            + (f" --most {options.most}" if options.most and name == "gram" else ""),
            "versions": versions(),
        }
        write(options.out, name, arrays, facts)


if __name__ == "__main__":
    main()
