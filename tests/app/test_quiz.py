"""The guessing game: a fair, seeded draw, and an honest count."""

from __future__ import annotations

from pathlib import Path

import pytest

from genimage_core.datasets import scan_dataset
from genimage_core.datasets.samples import list_samples
from pages.components.quiz.game import Question, draw, outcome, record_questions, sample_questions

MANY = [Question(Path(f"{i}.png"), i % 2 == 0, "") for i in range(200)]


def test_the_same_seed_draws_the_same_whatever_the_order() -> None:
    assert draw(MANY, 12, 5) == draw(MANY[::-1], 12, 5)
    assert draw(MANY, 12, 5) != draw(MANY, 12, 6)


def test_no_picture_comes_twice_and_both_classes_come_alike() -> None:
    counts = []
    for seed in range(300):
        drawn = draw(MANY, 12, seed)
        assert len(set(drawn)) == 12
        counts.append(sum(q.fake for q in drawn))
    assert 5.6 < sum(counts) / len(counts) < 6.4
    assert len(set(counts)) > 4  # the mix differs, so the last guesses cannot be counted out


def test_a_class_that_runs_out_is_filled_up() -> None:
    lopsided = [q for q in MANY if q.fake] + [q for q in MANY if not q.fake][:2]
    drawn = draw(lopsided, 12, 0)
    assert len(drawn) == 12
    assert len(draw(MANY[:3], 12, 0)) == 3
    assert draw([], 12, 0) == ()


def test_samples_and_data_sets_become_questions(toy_dataset: Path) -> None:
    bundled = sample_questions(list_samples())
    assert {q.fake for q in bundled} == {True, False}
    assert all(q.path.is_file() and q.told for q in bundled)
    found = record_questions(scan_dataset(toy_dataset), 0)
    assert all("/val/" in q.path.as_posix() for q in found)
    assert {q.told for q in found if q.fake} == {"Made by alpha.", "Made by beta."}
    only_train = [r for r in scan_dataset(toy_dataset) if r.split == "train"]
    assert len(record_questions(only_train, 0)) == len(only_train)


def test_unsure_is_no_answer() -> None:
    found = outcome([True, False, True, False], [True, True, None, False])
    assert (found.hits, found.unsure) == (2, 1)
    assert found.right is not None
    assert found.right.value == pytest.approx(2 / 3)
    assert found.right.low < 2 / 3 < found.right.high
    assert outcome([True], [None]).right is None
