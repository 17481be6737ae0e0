"""Every metric that a run summary shows: one registered function each.

What is registered here appears in the run summary, its text form and, with a title, among the figures that
the Benchmark page compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from genimage_core.metrics.bootstrap import curve_estimates
from genimage_core.metrics.classification import Estimate, auroc, finite_logit, share

Calibration = tuple[float, float]
"""Slope and intercept of a detector's calibrated log-odds over its own."""
Needs = Literal["any", "real", "fake", "both", "calibration"]


def called_fake(scores: np.ndarray, calibration: Calibration | None = None) -> np.ndarray:
    """(N,) P(fake) -> (N,) booleans: above .5 or, with (slope, intercept), calibrated log-odds above 0."""
    if calibration is None:
        return scores > 0.5
    slope, intercept = calibration
    return slope * finite_logit(scores) + intercept > 0


@dataclass(frozen=True)
class Scored:
    """Scores of one detector on one set of images.

    Attributes:
        labels: (N,) in {0, 1}, N of 1 or more.
        scores: (N,) P(fake) in [0, 1].
        calibration: of the detector, where it has one.
        seed: of the bootstraps.
    """

    labels: np.ndarray
    scores: np.ndarray
    calibration: Calibration | None = None
    seed: int = 0

    @property
    def fake(self) -> np.ndarray:
        """(N,) booleans: the truth."""
        return self.labels == 1

    @property
    def called_fake(self) -> np.ndarray:
        """(N,) booleans: what the scores say at .5."""
        return called_fake(self.scores)

    @cached_property
    def curves(self) -> Mapping[str, Estimate]:
        """What is read off the curves, all from one bootstrap."""
        return curve_estimates(self.labels, self.scores, seed=self.seed)

    def allows(self, needs: Needs) -> bool:
        """Whether a metric with these needs can be had."""
        real, fake = bool((~self.fake).any()), bool(self.fake.any())
        allowed: dict[Needs, bool] = {
            "any": True, "real": real, "fake": fake, "both": real and fake,
            "calibration": self.calibration is not None,
        }  # fmt: skip
        return allowed[needs]


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        name: in JSON.
        column: heading in the text form of a run summary.
        title: on the Benchmark page; "": it is not compared there.
        needs: what images it takes.
        interval: whether the text form shows its interval.
        measure: makes the figure.
    """

    name: str
    column: str
    title: str
    needs: Needs
    interval: bool
    measure: Callable[[Scored], Estimate]


Measure = Callable[[Scored], Estimate]
_REGISTRY: dict[str, Metric] = {}


def register_metric(
    name: str, *, column: str, title: str = "", needs: Needs = "both", interval: bool = False
) -> Callable[[Measure], Measure]:
    """Decorator: enter a function from `Scored` to `Estimate`; the arguments are those of `Metric`.

    Raises:
        ValueError: another function has that name.
    """

    def enter(measure: Measure) -> Measure:
        known = _REGISTRY.get(name)
        if known is not None and known.measure.__qualname__ != measure.__qualname__:
            raise ValueError(f"two metrics are called {name!r}")
        _REGISTRY[name] = Metric(name, column, title, needs, interval, measure)
        return measure

    return enter


def metrics() -> dict[str, Metric]:
    """Name -> metric, in the order of a run summary."""
    return dict(_REGISTRY)


def figures(scored: Scored) -> dict[str, Estimate]:
    """Every metric that the images allow."""
    return {m.name: m.measure(scored) for m in _REGISTRY.values() if scored.allows(m.needs)}


@register_metric("accuracy", column="accuracy (95 %)", title="Accuracy at .5", needs="any", interval=True)
def _accuracy(scored: Scored) -> Estimate:
    return share(scored.called_fake == scored.fake)


@register_metric(
    "accuracy_calibrated", column="calibrated", title="Accuracy at the calibrated threshold",
    needs="calibration",
)  # fmt: skip
def _accuracy_calibrated(scored: Scored) -> Estimate:
    return share(called_fake(scored.scores, scored.calibration) == scored.fake)


@register_metric("accuracy_real", column="on real", title="Photographs called real", needs="real")
def _accuracy_real(scored: Scored) -> Estimate:
    return share(~scored.called_fake[~scored.fake])


@register_metric("accuracy_fake", column="on fake", title="Fakes called fake", needs="fake")
def _accuracy_fake(scored: Scored) -> Estimate:
    return share(scored.called_fake[scored.fake])


@register_metric("auroc", column="AUROC (95 %)", title="AUROC", interval=True)
def _auroc(scored: Scored) -> Estimate:
    return auroc(scored.labels, scored.scores)


@register_metric("average_precision", column="AP", title="Average precision")
def _average_precision(scored: Scored) -> Estimate:
    return scored.curves["average_precision"]


@register_metric("eer", column="EER")
def _eer(scored: Scored) -> Estimate:
    return scored.curves["eer"]


@register_metric("tpr_at_fpr_1", column="TPR@1%")
def _tpr_at_fpr_1(scored: Scored) -> Estimate:
    return scored.curves["tpr_at_fpr_1"]


@register_metric("tpr_at_fpr_5", column="TPR@5%")
def _tpr_at_fpr_5(scored: Scored) -> Estimate:
    return scored.curves["tpr_at_fpr_5"]


@register_metric("ece", column="ECE")
def _ece(scored: Scored) -> Estimate:
    return scored.curves["ece"]
