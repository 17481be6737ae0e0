"""Fit what names generators, choose its threshold, and measure how often the names are right."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from genimage_core.datasets import Record, list_generators, scan_dataset
from genimage_core.detectors import load_detector
from genimage_core.detectors.weights.packing import pack_state, unpack_state
from genimage_core.detectors.weights.store import file_sha256, load_state, weights_entry
from genimage_core.evaluation.calibration.fit import fold_of
from genimage_core.explain.attribution_model import (
    FACTS,
    NONE,
    WEIGHTS,
    Attribution,
    Facts,
    Origin,
    trunk_sha256,
)
from genimage_core.metrics.classification import share
from genimage_core.results.image_scores import NOT_PHOTO, NOT_PHOTO_WORDS, PHOTOGRAPHS, group_order
from genimage_core.training.data import data_hash, read_rgb
from genimage_core.training.heads.features import View
from genimage_core.training.heads.fit import HeadPlan, Report, frozen_network, open_cache, training_rows
from genimage_core.training.heads.linear import group_weights
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import TrainingError
from genimage_core.utils.versions import versions

DIRECTIONS = 256
"""The fit reads so many principal components of the features: it takes seconds, and was no worse than all."""
MOST_STRANGERS = 0.02
"""Share of the images of other generators that may be named, on the half that chooses the threshold."""
LEAST_RIGHT = 0.95
"""Share of the names given to images of the known generators that must be right, on the same half."""
RULE = (
    f"the least threshold with at most {MOST_STRANGERS:.0%} of other generators' images named and at least "
    f"{LEAST_RIGHT:.0%} of the names right, on one half of the validation images, split by group"
)
STEPS = np.round(np.arange(0.30, 0.9951, 0.005), 3)


@dataclass(frozen=True)
class Validation:
    """Validation images: where each comes from, which half it is in, what the fit says.

    Attributes:
        origin: (N,) generator's folder, `PHOTOGRAPHS`, or `NOT_PHOTO_WORDS`.
        second: (N,) True for the half that measures, False for the half that chooses the threshold.
        top: (N,) the likeliest class.
        p: (N,) its probability.
    """

    origin: np.ndarray
    second: np.ndarray
    top: np.ndarray
    p: np.ndarray


def fit_classes(
    features: np.ndarray, labels: Sequence[str], classes: Sequence[str], inverse_penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression on the leading principal components of standardised features.

    Args:
        features: (N, D), float16 will do.
        labels: (N,) members of `classes`.
        classes: K names, in the order wanted.
        inverse_penalty: scikit-learn's C, on components in units of standardised features.

    Returns:
        (K, D) float32 weights and (K,) biases for the features as they are.
    """
    x = features.astype(np.float32)
    mean = x.mean(0)
    scale = 1.0 / np.maximum(x.std(0), 1e-3)
    x -= mean
    x *= scale
    count = min(DIRECTIONS, len(x) - 1, x.shape[1])
    pca = PCA(count, svd_solver="randomized", iterated_power=2, random_state=0)
    components = pca.fit_transform(x)
    weights = group_weights(labels, np.zeros(len(labels)))
    model = LogisticRegression(C=inverse_penalty, max_iter=500, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few parts in a thousand do not matter here
        model.fit(components, np.asarray(labels), sample_weight=weights)
    coef, intercept = model.coef_, model.intercept_
    if len(coef) == 1:  # two classes: one line between them, half of it for each
        coef, intercept = np.concatenate([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    order = [list(model.classes_).index(name) for name in classes]
    weight = ((coef @ pca.components_) * scale)[order].astype(np.float32)
    bias = (intercept[order] - weight @ mean).astype(np.float32)
    return weight, bias - weight @ (pca.mean_ / scale).astype(np.float32)


def choose_threshold(val: Validation, classes: Sequence[str]) -> float:
    """The least probability at which names are safe enough on the first half.

    Raises:
        TrainingError: there is none.
    """
    first = ~val.second
    known = first & np.isin(val.origin, classes)
    stranger = first & ~known & ~np.isin(val.origin, (PHOTOGRAPHS, NOT_PHOTO_WORDS))
    for threshold in STEPS:
        named = (val.top != NONE) & (val.p >= threshold)
        right = (val.top == val.origin)[known & named]
        if (
            len(right)
            and right.mean() >= LEAST_RIGHT
            and (named[stranger].mean() if stranger.any() else 0) <= (MOST_STRANGERS)
        ):
            return float(threshold)
    raise TrainingError("no threshold makes the names right often enough.", hint="Give it more images.")


def confusion(val: Validation, classes: Sequence[str], threshold: float) -> list[Origin]:
    """What the images of the second half are called, by origin: known generators, others, then reals."""
    import pandas as pd

    called = np.where((val.top != NONE) & (val.p >= threshold), val.top, NONE)
    order = group_order(pd.Series(val.origin[val.second]))
    fakes = [name for name in order if name not in (PHOTOGRAPHS, NOT_PHOTO_WORDS)]
    rows = []
    for name in [*sorted(fakes, key=lambda f: f not in classes), *(o for o in order if o not in fakes)]:
        mine = called[val.second & (val.origin == name)]
        names, counts = np.unique(mine[mine != NONE], return_counts=True)
        named = {str(k): int(v) for k, v in zip(names, counts, strict=True)}
        rows.append(Origin(origin=name, known=name in classes, n=len(mine), named=named))
    return rows


def figures(val: Validation, classes: Sequence[str], threshold: float) -> dict[str, dict[str, float | int]]:
    """The second half in five shares with intervals; a share of no images is left out."""
    second, named = val.second, (val.top != NONE) & (val.p >= threshold)
    known = second & np.isin(val.origin, classes)
    real = second & np.isin(val.origin, (PHOTOGRAPHS, NOT_PHOTO_WORDS))
    right = val.top == val.origin
    parts = {
        "known_named": named[known],
        "named_right": right[known & named],
        "likeliest_right": right[known],
        "others_named": named[second & ~known & ~real],
        "reals_named": named[real],
    }
    return {key: share(hits).as_dict() for key, hits in parts.items() if len(hits)}


def shipped_trunk(name: str, weights: str | Path, own: Mapping[str, Tensor]) -> str:
    """`trunk_sha256` of a weight set whose trunk is `own`, as it is or packed.

    Raises:
        TrainingError: it is another trunk: features of `own` say nothing of it.
    """
    entry = weights_entry(name, weights)
    found = trunk_sha256(load_state(name, weights)[0])
    trunk = {k: v for k, v in own.items() if not k.startswith("head.")}
    if "bits" in entry:
        fine = entry.get("fine", {}).get("modules", ())
        trunk = unpack_state(*pack_state(trunk, entry["bits"], entry["group"], fine))
    if trunk_sha256(trunk) != found:
        raise TrainingError(
            "the weight set's trunk is not the one whose features are read.",
            hint="Give `--init` the trunk that these weights were fitted on.",
            source=name,
        )
    return found


def fit_attribution_run(
    plan: HeadPlan,
    out: Path,
    groups: Mapping[str, str],
    report: Report,
    *,
    classes: Sequence[str] = (),
    weights: str | Path = "default",
    checked: int = 24,
) -> Facts:
    """Fit, choose, measure, and write `OUT/attribution.json` and `OUT/attribution.safetensors`.

    Args:
        plan: data, trunk, feature cache and penalty.
        out: folder to write.
        groups: image id -> group; images of a group show the same thing and stay in one half.
        report: told of progress.
        classes: generators to tell apart; empty: all with training fakes. All other training images are
            "none of these".
        weights: the weight set that will be asked; its trunk must be the plan's, packed or not.
        checked: validation images on which the weight set's own features are compared with the cache's.

    Raises:
        TrainingError: unknown classes, another trunk, or names that are never right often enough.
    """
    net, _ = frozen_network(plan)
    trunk = shipped_trunk(plan.detector, weights, net.state_dict())
    cache, records = open_cache(plan, net), scan_dataset(plan.data)
    known = list_generators(records, "train")
    generators = sorted(classes) or known
    if unknown := set(generators) - set(known):
        raise TrainingError(
            "no training images of it.", hint=f"Known: {', '.join(known)}.", source=min(unknown)
        )
    training = [r for r in records if r.split == "train"]
    rows = training_rows(plan, cache, training, report)
    labels = [
        g if y == 1 and g in generators else NONE for g, y in zip(rows.generators, rows.labels, strict=True)
    ]
    names = [*generators, NONE]
    weight, bias = fit_classes(rows.features, labels, names, plan.inverse_penalty)
    held_out = [r for r in records if r.split == "val"]
    features = cache.read(cache.fill(held_out, View()))
    p = np.concatenate(
        [softmax(f.astype(np.float32) @ weight.T + bias, axis=1) for f in np.array_split(features, 16)]
    )
    val = Validation(
        np.array([origin_of(r) for r in held_out]),
        np.array([fold_of(groups.get(r.image_id, r.image_id), 2) == 1 for r in held_out]),
        np.array(names)[p.argmax(1)],
        p.max(1),
    )
    threshold = choose_threshold(val, generators)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {"weight": weight, "bias": bias}
    fill_whole(out / WEIGHTS, lambda path: save_file(tensors, path))
    facts = Facts(
        detector=plan.detector, classes=names, threshold=threshold, trunk_sha256=trunk,
        weights_sha256=file_sha256(out / WEIGHTS), confusion=confusion(val, generators, threshold),
        figures=figures(val, generators, threshold),
        manifest={
            "fitted_on": {name: labels.count(name) for name in names},
            "data_sha256": data_hash(training), "val_sha256": data_hash(held_out),
            "init_sha256": file_sha256(plan.init), "views": plan.views,
            "inverse_penalty": plan.inverse_penalty, "directions": DIRECTIONS,
            "rule": RULE,
            "versions": versions(), "command": plan.command,
        },
    )  # fmt: skip
    step = max(1, len(held_out) // max(1, checked))
    some = list(range(0, len(held_out), step))[:checked]
    facts.manifest["packed_trunk"] = _compare(Attribution(facts, weight, bias), held_out, p, some, weights)
    text = facts.model_dump_json(indent=1)
    fill_text(out / FACTS, json.dumps(json.loads(text), indent=1) + "\n")
    return facts


def origin_of(record: Record) -> str:
    """A generator's folder, or what people made."""
    if record.label == 1:
        return record.generator
    return NOT_PHOTO_WORDS if record.generator == NOT_PHOTO else PHOTOGRAPHS


def _compare(
    model: Attribution, records: Sequence[Record], p: np.ndarray, some: Sequence[int], weights: str | Path
) -> dict[str, Any]:
    """What the weight set itself makes of some images, against what the cached features made of them."""
    from genimage_core.explain.attribution_model import attribute

    detector = load_detector(model.facts.detector, weights=weights, device="cpu", runtime="torch")
    images = [(i, read_rgb(records[i].path)) for i in some]
    found = {i: attribute(image, detector, model) for i, image in images if image is not None}
    changes = [float(np.abs(q - p[i]).max()) for i, q in found.items()]
    other = sum(model.name(q) != model.name(p[i]) for i, q in found.items())
    return {"n": len(found), "largest_change": round(max(changes, default=0.0), 4), "other_names": other}
