"""What evidence is: pictures with words beside them, and the numbers that they were drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genimage_core.detectors import Detector

ANY = ("nobody", "each", "together")
"""Whom a kind asks; anything else is the name of the one detector that it needs."""


@dataclass(frozen=True)
class Subject:
    """What is to be explained.

    Attributes:
        image: RGB uint8 (H, W, 3).
        detectors: name -> loaded detector, those that evidence is wanted for.
        scores: name -> P(fake) in [0, 1] of the whole image, where it is known already.
    """

    image: np.ndarray
    detectors: Mapping[str, Detector] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    def all_scores(self) -> dict[str, float]:
        """P(fake) of each detector of `detectors`; those that are not known yet are asked."""
        return {
            name: float(self.scores[name]) if name in self.scores else float(d.predict([self.image])[0])
            for name, d in self.detectors.items()
        }


@dataclass(frozen=True)
class Findings:
    """What one kind of evidence found in one image.

    Attributes:
        images: key -> uint8 picture, RGB (H, W, 3) or RGBA (H, W, 4). A key that starts with a detector's
            name belongs to that detector.
        alts: key -> what the picture shows, for those who cannot see it; the keys of `images`.
        data: JSON-ready figures.
        arrays: key -> the numbers behind a picture, for hover values, charts and layers; not for JSON.
        finding: what was found in this image, in a sentence or two.
    """

    images: dict[str, np.ndarray]
    alts: dict[str, str]
    data: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    finding: str = ""


@dataclass(frozen=True)
class Evidence:
    """One kind of evidence for one image, ready for a page, a report or a folder of files.

    Attributes:
        kind: the registry's name.
        title: for a heading.
        means: what the pictures show, in plain words.
        misleads: when they mislead.
        images, alts, data, arrays, finding: as in `Findings`.
        weighs: how much such a finding weighs, in a few words.
    """

    kind: str
    title: str
    means: str
    misleads: str
    images: dict[str, np.ndarray]
    alts: dict[str, str]
    data: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    finding: str = ""
    weighs: str = ""

    @property
    def caption(self) -> str:
        """What the pictures mean, and when they mislead."""
        return f"{self.means} {self.misleads}"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without the pixels."""
        words = {"kind": self.kind, "title": self.title, "means": self.means, "misleads": self.misleads}
        words |= {"finding": self.finding, "weighs": self.weighs}
        return {**words, "alts": dict(self.alts), "data": self.data}


@dataclass(frozen=True)
class Kind:
    """One kind of evidence.

    Attributes:
        name: the registry's name.
        place: where it stands among the others, in the order in which a reader meets them: where, how firm,
            compared with what, which generator, then forensics.
        title, means, misleads, weighs: as in `Evidence`.
        asks: whose networks it runs: `nobody`'s, `each` detector's by itself (pass one to be quick), all
            `together`, or one detector's by name.
        find: makes the findings.
    """

    name: str
    place: int
    title: str
    means: str
    misleads: str
    asks: str
    find: Callable[[Subject], Findings]
    weighs: str = ""
