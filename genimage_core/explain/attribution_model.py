"""Which generator? A guess at who made a picture that is AI-generated, or none where it is not clear enough.

A multinomial logistic regression on the features of one detector's frozen trunk, fitted by `python -m
genimage_core dev fit-attribution`; its numbers stand in `assets/attribution`. A generator is named only above
a threshold that was chosen on validation images; how often the names were right stands beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import softmax

from genimage_core.utils.errors import WeightsError
from genimage_core.utils.paths import asset

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from genimage_core.detectors import Detector

FOLDER = asset("attribution")
FACTS, WEIGHTS = "attribution.json", "attribution.safetensors"
NONE = "none of these"
HEAD = "head."
"""What a detector's own decision is called in its state; the rest is the trunk."""


class Origin(BaseModel):
    """One row of the confusion matrix: what images of one origin were called.

    Attributes:
        origin: a generator's folder, photographs, or art by people.
        known: whether it is one of the generators that can be named.
        n: images measured.
        named: generator -> how many were called so; the rest was not named.
    """

    model_config = ConfigDict(frozen=True)

    origin: str
    known: bool
    n: int
    named: dict[str, int]

    @property
    def right(self) -> int:
        """Images whose generator was named."""
        return self.named.get(self.origin, 0)

    @property
    def wrong(self) -> int:
        """Images that were given the name of a generator that did not make them."""
        return sum(self.named.values()) - self.right


class Facts(BaseModel):
    """What stands beside the weights.

    Attributes:
        detector: whose trunk gives the features.
        classes: generators that can be named, then `NONE`.
        threshold: least probability at which a generator is named, in (0, 1].
        trunk_sha256: of the trunk's tensors, as the detector is shipped (see `trunk_sha256`).
        weights_sha256: of the file with the weights.
        confusion: measured on images that neither the fit nor the threshold has seen.
        figures: shares with 95 % intervals and n, on the same images.
        manifest: data, versions, command.
    """

    detector: str
    classes: list[str]
    threshold: float
    trunk_sha256: str
    weights_sha256: str
    confusion: list[Origin]
    figures: dict[str, dict[str, float | int]]
    manifest: dict[str, Any]

    @property
    def generators(self) -> list[str]:
        """Those that can be named."""
        return [name for name in self.classes if name != NONE]

    def origins_of(self, name: str) -> dict[str, int]:
        """Of the measured images that were called `name`: how many came from where; the largest first."""
        found = {row.origin: row.named[name] for row in self.confusion if row.named.get(name)}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


class Attribution:
    """The fitted model.

    Args:
        facts: its classes and threshold.
        weight: (classes, D) float32.
        bias: (classes,) float32.
    """

    def __init__(self, facts: Facts, weight: np.ndarray, bias: np.ndarray) -> None:
        self.facts, self.weight, self.bias = facts, weight, bias

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(N, D) features of N views of one image -> (classes,): the mean of the log-odds, as shares of 1."""
        return softmax((features.astype(np.float32) @ self.weight.T + self.bias).mean(0))

    def name(self, probabilities: np.ndarray) -> str | None:
        """(classes,) -> the generator that may be named, or None."""
        best = int(np.argmax(probabilities))
        named = self.facts.classes[best]
        return named if named != NONE and probabilities[best] >= self.facts.threshold else None


@cache
def load_attribution(folder: Path = FOLDER) -> Attribution:
    """The bundled model.

    Raises:
        WeightsError: a file is missing or damaged, or the weights are not those of the facts (sha256).
    """
    from safetensors.numpy import load

    try:
        facts = Facts.model_validate_json((folder / FACTS).read_bytes())
        data = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError):
        facts, data = None, b""
    if facts is None or hashlib.sha256(data).hexdigest() != facts.weights_sha256:
        raise WeightsError(
            "what names generators is missing or damaged.",
            hint="Restore assets/attribution or run `python -m genimage_core dev fit-attribution`.",
            source=FACTS,
        )
    tensors = load(data)
    return Attribution(facts, tensors["weight"], tensors["bias"])


def trunk_sha256(state: Mapping[str, Tensor]) -> str:
    """sha256 over names and float32 values of a network's tensors, its own head left out."""
    digest = hashlib.sha256()
    for key in sorted(state):
        if not key.startswith(HEAD):
            digest.update(key.encode())
            digest.update(np.ascontiguousarray(state[key].detach().float().cpu().numpy()).tobytes())
    return digest.hexdigest()


_trunks: dict[str, str] = {}


def detector_trunk(detector: Detector) -> str:
    """`trunk_sha256` of a detector, computed once for the same weights."""
    if detector.weights_id not in _trunks:
        _trunks[detector.weights_id] = trunk_sha256(detector.net.state_dict())
    return _trunks[detector.weights_id]


def view_features(image: np.ndarray, detector: Detector) -> np.ndarray:
    """(H, W, 3) uint8 -> (N, D) float32 features of the N views that the detector reads."""
    import torch

    with torch.inference_mode():
        x = torch.from_numpy(np.stack(detector.views(image))).permute(0, 3, 1, 2).float().div_(255.0)
        net = detector.net
        found: np.ndarray = net.embed(net.prepare(x.to(detector.device))).float().cpu().numpy()
    return found


def attribute(image: np.ndarray, detector: Detector, model: Attribution | None = None) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (classes,) probabilities that add up to 1, in the order of `Facts.classes`.

    They presume that the picture is AI-generated, or at least that somebody asks.

    Raises:
        WeightsError: the model is missing, or was fitted on another trunk than this detector has.
    """
    model = model or load_attribution()
    if detector.info.name != model.facts.detector or detector_trunk(detector) != model.facts.trunk_sha256:
        raise WeightsError(
            "what names generators was fitted on another network than this one, so it cannot answer.",
            hint="Run `python -m genimage_core dev fit-attribution` with these weights.",
            source=detector.info.title,
        )
    return model.probabilities(view_features(image, detector))


NOT_NAMED, IMAGES = "not named", "images"


def confusion_frame(facts: Facts) -> pd.DataFrame:
    """The confusion matrix: origins as rows, names as columns, then how many were not named, and all."""
    import pandas as pd

    rows = {
        row.origin: {
            **{name: row.named.get(name, 0) for name in facts.generators},
            NOT_NAMED: row.n - row.right - row.wrong,
            IMAGES: row.n,
        }
        for row in facts.confusion
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def in_short(facts: Facts) -> str:
    """The figures in a few plain sentences, with 95 % intervals and n."""
    found = {key: _share(figure) for key, figure in facts.figures.items()}
    known = (
        f"Of pictures by the {len(facts.generators)} generators compared {found['known_named']} get a name"
    )
    parts = [f"{known}; {found['named_right']} of these names are right."]
    if "others_named" in found:
        parts.append(
            f"Of pictures by generators that it does not know {found['others_named']} are named, wrongly."
        )
    if "reals_named" in found:
        parts.append(f"Of pictures made by people {found['reals_named']} would be.")
    if never := [row.origin for row in facts.confusion if row.known and not row.right]:
        parts.append(f"Never named rightly in this test: {', '.join(never)}.")
    return " ".join(parts)


def _share(figure: dict[str, float | int]) -> str:
    return "{value:.1%} ({low:.1%} to {high:.1%}, n = {n})".format(**figure).replace("%", " %")
