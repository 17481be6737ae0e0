"""From what a user asks for to what the engine needs: images, detectors, plan; for commands and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from genimage_core.datasets import data_protocol
from genimage_core.datasets.scan import Scan, scan
from genimage_core.evaluation.devices import load_for_run, run_versions, with_weights
from genimage_core.evaluation.plan import Plan, Precision, Preprocessing, parse_degradations
from genimage_core.evaluation.select import data_facts, folder_pair, select_images
from genimage_core.utils.errors import EvaluationError

if TYPE_CHECKING:
    from genimage_core.datasets import Record
    from genimage_core.detectors import Detector


@dataclass(frozen=True)
class Wanted:
    """What a user asks for; the command line's options of the same names.

    Attributes:
        data: data set in GenImage's layout, a folder or an address; None: `ai` and `nature` instead.
        ai, nature: two folders of one class each.
        detectors: `all` that have weights, or names separated by commas.
        weights: `default`, or a folder of weights.
        degrade: `none`, `paper` or chains, separated by commas.
        data_protocol: `raw` or `unbiased`.
        generators: `all`, `train` for those with fakes to train on, or names separated by commas.
        split: which images.
        preprocessing: how an image reaches a network.
        limit: at most so many images a class and generator.
        seed: of every draw.
        device: `auto`, `cpu` or `cuda`.
        precision: `bf16` is for GPUs, `int8` for CPUs (see `load_for_run`).
        command: how it was started, for the plan.
    """

    data: str | Path | None = None
    ai: Path | None = None
    nature: Path | None = None
    detectors: str = "all"
    weights: str = "default"
    degrade: str = "none"
    data_protocol: str = "raw"
    generators: str = "all"
    split: Literal["val", "train"] = "val"
    preprocessing: Preprocessing = "tiles"
    limit: int | None = None
    seed: int = 42
    device: str = "auto"
    precision: Precision = "fp32"
    command: str = ""


@dataclass(frozen=True)
class Work:
    """What the engine needs.

    Attributes:
        records: the images.
        detectors: loaded.
        plan: what the scores depend on.
        left_out: detectors that have no weights in the set.
        notes: what of the data set was left out, or read in a way that one should know.
    """

    records: list[Record]
    detectors: dict[str, Detector]
    plan: Plan
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


Loader = Callable[[str], "Detector"]


def set_up(wanted: Wanted, loader: Loader | None = None) -> Work:
    """Find the images, load the detectors, write the plan.

    Args:
        wanted: what is asked for.
        loader: gives a detector with the bundled weights that is loaded already; taken where just that is
            wanted, on the device where it is.

    Raises:
        GenImageError: something that is asked for is not there or cannot be read; which, says the error.
    """
    degradations, rules = parse_degradations(wanted.degrade), data_protocol(wanted.data_protocol)
    found = _records(wanted)
    records = select_images(
        found.records,
        split=wanted.split,
        generators=wanted.generators,
        protocol=rules,
        limit=wanted.limit,
        seed=wanted.seed,
    )
    names, left_out = covered_detectors(wanted.detectors, wanted.weights)
    loaded = _shared(wanted, names, loader) or load_for_run(
        names, wanted.weights, device=wanted.device, precision=wanted.precision
    )
    plan = Plan(
        data=data_facts(records, split=wanted.split, limit=wanted.limit, seed=wanted.seed),
        detectors={name: detector.weights_id for name, detector in loaded.items()},
        degradations=degradations,
        data_protocol=wanted.data_protocol,
        preprocessing=wanted.preprocessing,
        device=next(iter(loaded.values())).device.type,
        precision=wanted.precision,
        versions=run_versions(),
        command=wanted.command,
    )
    return Work(records, loaded, plan, left_out, tuple(found.notes))


def _shared(wanted: Wanted, names: list[str], loader: Loader | None) -> dict[str, Detector]:
    """The detectors that the loader gives, in the app's precision; none where others are wanted."""
    if loader is None or wanted.weights != "default" or wanted.precision != "int8":
        return {}
    if wanted.device not in ("auto", "cpu"):
        return {}
    found = {name: loader(name) for name in names}
    return found if {detector.device.type for detector in found.values()} == {"cpu"} else {}


def covered_detectors(text: str, weights: str) -> tuple[list[str], tuple[str, ...]]:
    """`all` or `a,b` -> names to load, and those that `all` leaves out for want of weights.

    A detector that is named is loaded whatever the set holds: loading says which weights are missing.

    Raises:
        UnknownDetectorError: one of them does not exist.
    """
    from genimage_core.detectors.registry import chosen_detectors

    names = chosen_detectors(text)
    covered = with_weights(weights)
    if text != "all" or not covered:
        return names, ()
    return covered, tuple(sorted(set(names) - set(covered)))


def _records(wanted: Wanted) -> Scan:
    if wanted.data and not wanted.ai and not wanted.nature:
        return scan(wanted.data)
    if wanted.ai and wanted.nature and not wanted.data:
        return Scan(folder_pair(wanted.ai, wanted.nature, wanted.split), [])
    raise EvaluationError("no data named.", hint="Name a data set, or a folder of each class.")
