"""Can you tell? A seeded draw of pictures whose truth is known, and how many guesses were right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genimage_core.datasets import Record
from genimage_core.datasets.samples import Sample
from genimage_core.metrics.classification import Estimate, share

MOST = 400
"""Pictures of each class that a data set's draw is made from: enough for chance, quick to shuffle."""


@dataclass(frozen=True)
class Question:
    """One picture to guess.

    Attributes:
        path: the file.
        fake: the truth.
        told: what may be said of it once it has been guessed: title and credit, or the generator.
    """

    path: Path
    fake: bool
    told: str


@dataclass(frozen=True)
class Outcome:
    """How one player did.

    Attributes:
        right: share of the answered pictures that were right, with its 95 % interval; None without answers.
        hits: number of right answers.
        unsure: pictures that the player did not decide on.
    """

    right: Estimate | None
    hits: int
    unsure: int


def sample_questions(samples: Iterable[Sample]) -> list[Question]:
    """The bundled photographs and fakes as questions; what is neither would have no right answer."""
    return [
        Question(s.path, s.truth == "fake", f"{s.title}: {s.truth_words}. {s.attribution} ({s.licence})")
        for s in samples
        if s.truth != "neither"
    ]


def record_questions(records: Iterable[Record], seed: int) -> list[Question]:
    """A data set's validation images as questions, all images where it has no such split.

    Args:
        records: as scanned.
        seed: of the draw where there are more than `MOST` of a class.
    """
    everything = sorted(records)
    chosen = [r for r in everything if r.split == "val"] or everything
    rng = np.random.default_rng(seed)
    found = []
    for label in (0, 1):
        some = [r for r in chosen if r.label == label]
        places = rng.permutation(len(some))[:MOST]
        found += [_question(some[place]) for place in sorted(places.tolist())]
    return found


def _question(record: Record) -> Question:
    made = f"Made by {record.generator}." if record.label else "A real image."
    return Question(record.path, bool(record.label), made)


def draw(questions: Sequence[Question], count: int, seed: int) -> tuple[Question, ...]:
    """Draw pictures at random, each of either class with the same chance, as far as there are enough.

    The number of AI images differs from draw to draw, so that the last guesses cannot be counted out.

    Args:
        questions: in any order; the same set and seed give the same draw.
        count: how many; fewer where there are not so many.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    piles = {
        fake: [found[i] for i in rng.permutation(len(found))]
        for fake in (False, True)
        for found in [sorted((q for q in questions if q.fake == fake), key=lambda q: str(q.path))]
    }
    drawn: list[Question] = []
    while len(drawn) < count and any(piles.values()):
        side = bool(rng.integers(2))
        drawn.append((piles[side] or piles[not side]).pop())
    return tuple(drawn)


def outcome(truths: Sequence[bool], answers: Sequence[bool | None]) -> Outcome:
    """Count a player's right answers.

    Args:
        truths: True for AI-generated.
        answers: the player's, in the same order; None for "unsure".
    """
    hits = np.array([a == t for t, a in zip(truths, answers, strict=True) if a is not None], bool)
    return Outcome(share(hits) if len(hits) else None, int(hits.sum()), len(answers) - len(hits))
