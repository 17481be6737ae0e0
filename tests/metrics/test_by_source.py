"""Intervals that resample sources."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genimage_core.metrics.by_source import (
    auroc_by_source,
    share_by_source,
    source_counts,
    weighted_auroc,
)


def test_auroc_is_sklearns_with_ties_and_weights() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 200), rng.integers(0, 12, 200) / 12
    counts = rng.integers(0, 4, (5, 200))
    found = weighted_auroc(labels, scores, counts)
    expected = [roc_auc_score(labels, scores, sample_weight=row) for row in counts]
    assert found == pytest.approx(expected)
    assert auroc_by_source(labels, scores, np.arange(200)).value == pytest.approx(
        roc_auc_score(labels, scores)
    )


def test_a_source_comes_whole_and_each_class_keeps_its_number_of_sources() -> None:
    sources, labels = np.array(list("aabbbcd")), np.array([1, 1, 1, 1, 1, 0, 0])
    counts = source_counts(sources, labels, replicates=50)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 2] == counts[:, 4]).all()
    assert (counts[:, 0] + counts[:, 2] == 2).all()
    assert (counts[:, 5] + counts[:, 6] == 2).all()


def test_few_sources_give_a_wider_interval_than_many() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 200)
    shift = np.repeat(rng.normal(0, 1, 8), 50)  # each block of 50 images lies somewhere else
    scores = labels + shift + rng.normal(0, 0.5, 400)
    by_block = auroc_by_source(labels, scores, np.repeat(np.arange(8), 50))
    by_image = auroc_by_source(labels, scores, np.arange(400))
    assert by_block.value == by_image.value
    assert by_block.high - by_block.low > 2 * (by_image.high - by_image.low)


def test_shares() -> None:
    hits = np.array([True, True, False, False])
    one = share_by_source(hits, ["a"] * 4)
    assert (one.value, one.low, one.high, one.n) == (0.5, 0.0, 1.0, 4)
    two = share_by_source(hits, ["a", "a", "b", "b"])
    assert (two.low, two.high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="both"):
        auroc_by_source(np.ones(3), np.ones(3), ["a"] * 3)


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(2)
    labels, scores = rng.integers(0, 2, 60), rng.random(60)
    sources = rng.integers(0, 10, 60).astype(str)
    assert auroc_by_source(labels, scores, sources) == auroc_by_source(labels, scores, sources)
