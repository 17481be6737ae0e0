"""The registry of evidence: a decorator puts a kind in; `list_kinds` and `explain` take it out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from genimage_core.detectors import Detector
from genimage_core.explain.evidence import ANY, Evidence, Findings, Kind, Subject
from genimage_core.utils.errors import ExplainError, GenImageError

_REGISTRY: dict[str, Kind] = {}

Find = Callable[[Subject], Findings]


def evidence_kind(
    name: str, *, place: int, title: str, means: str, misleads: str, weighs: str = "", asks: str = "nobody"
) -> Callable[[Find], Find]:
    """Decorator: enter a function from `Subject` to `Findings` as a kind of evidence.

    The arguments are those of `Kind`.

    Raises:
        ValueError: another function has that name.
    """

    def enter(find: Find) -> Find:
        known = _REGISTRY.get(name)
        if known is not None and known.find.__module__ != find.__module__:
            raise ValueError(f"two kinds of evidence are called {name!r}")
        _REGISTRY[name] = Kind(name, place, title, means, misleads, asks, find, weighs)
        return find

    return enter


def list_kinds() -> list[str]:
    """Names of all kinds of evidence, in the order in which they are best read."""
    package = importlib.import_module("genimage_core.explain.kinds")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return sorted(_REGISTRY, key=lambda name: (_REGISTRY[name].place, name))


def kind_info(name: str) -> Kind:
    """The kind registered as `name`: its title, its words, whom it asks.

    Raises:
        ExplainError: there is none.
    """
    known = list_kinds()
    if name not in _REGISTRY:
        raise ExplainError("no such kind of evidence.", hint=f"Choose from: {', '.join(known)}.", source=name)
    return _REGISTRY[name]


def explain(
    image: np.ndarray,
    detectors: Mapping[str, Detector],
    kind: str,
    *,
    scores: Mapping[str, float] | None = None,
) -> Evidence:
    """One kind of evidence for one image. The same input gives the same evidence.

    Args:
        image: RGB uint8 (H, W, 3).
        detectors: name -> loaded detector; a kind that asks each gives pictures for each of them.
        kind: one of `list_kinds()`.
        scores: name -> P(fake) of the image, where known, so that nobody is asked twice.

    Raises:
        ExplainError: no such kind, or it cannot be had for this image or from these detectors.
    """
    info = kind_info(kind)
    if info.asks != "nobody" and not detectors:
        raise ExplainError("needs a detector.", hint="Name at least one.", source=info.title)
    if info.asks not in ANY and info.asks not in detectors:
        raise ExplainError(f"needs the detector {info.asks}.", hint="Ask it, too.", source=info.title)
    try:
        found = info.find(Subject(image, detectors, scores or {}))
    except ImportError as error:
        raise ExplainError(
            f"needs the package {error.name}.",
            hint="Install the extra `explain`.",
            source=info.title,
        ) from None
    return Evidence(
        kind, info.title, info.means, info.misleads, found.images, found.alts, found.data, found.arrays,
        found.finding, info.weighs,
    )  # fmt: skip


def explain_all(
    image: np.ndarray,
    detectors: Mapping[str, Detector],
    *,
    scores: Mapping[str, float] | None = None,
    only: list[str] | None = None,
) -> Iterator[tuple[str, Evidence | GenImageError]]:
    """Yield (kind, evidence) one by one; where a kind cannot be had, the error that says why."""
    for kind in only or list_kinds():
        try:
            yield kind, explain(image, detectors, kind, scores=scores)
        except GenImageError as error:
            yield kind, error
