"""The probe: how far facts of the files alone tell fakes from photographs.

A gradient boosting of small trees (scikit-learn) is fitted to the facts and judged by cross-validation: each
image is scored by a model that has seen neither it nor a copy of it, and the AUROC is that of these
out-of-fold scores. .5 means that the facts say nothing; 1 means that a detector needs no picture to be right.

The interval is DeLong's for the scores as they are; it does not hold the spread between possible trainings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from genimage_core.datasets.audit.file_facts import FAMILIES, FileFacts
from genimage_core.datasets.audit.result import EVERY_FACT, POOLED, Probe
from genimage_core.datasets.scan import Record

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
LEAST = 10
"""Fewest images of a class, copies counted once, for which a probe is made."""


def probe_split(
    records: Sequence[Record],
    facts: Sequence[FileFacts],
    groups: Sequence[str],
    protocol: str,
    split: str,
    seed: int,
) -> list[Probe]:
    """Probe every generator of a split, and all together, with every family of facts.

    A generator's fakes stand against the photographs in its own folder; where it has none, against those of
    all folders. `(all)` joins what the single generators use.

    Args:
        records: images of one split, N.
        facts: of each, N.
        groups: N names; images of one name (copies) are never on both sides of a fold.
        protocol: name of the data protocol the facts were taken under.
        split: the split's name.
        seed: of folds.
    """
    table, labels = as_table(facts), np.array([record.label for record in records])
    folder = np.array([record.generator for record in records])
    families = {EVERY_FACT: tuple(table.columns), **FAMILIES}
    used = np.zeros(len(records), dtype=bool)
    probes: list[Probe] = []
    for generator in [*sorted(set(folder[labels == 1])), POOLED]:
        if generator == POOLED:
            chosen = used
        else:
            own = folder == generator
            chosen = own if (labels[own] == 0).any() else own | (labels == 0)
            used = used | chosen
        places = np.flatnonzero(chosen)
        names = np.array(groups)[places]
        for family, columns in families.items():
            base = Probe(
                protocol=protocol, split=split, generator=generator, family=family,
                n_fake=int(labels[places].sum()), n_real=int((labels[places] == 0).sum()),
            )  # fmt: skip
            features = table.iloc[places][list(columns)].to_numpy(dtype=np.float64)
            probes.append(base.model_copy(update=_measure(features, labels[places], names, seed)))
    return probes


def as_table(facts: Sequence[FileFacts]) -> pd.DataFrame:
    """Facts as numbers, one row an image; words become their place in the sorted list of those that occur."""
    import pandas as pd

    table = pd.DataFrame([one.as_dict() for one in facts])
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = pd.Categorical(table[column]).codes
    return table.astype(np.float64)


def _measure(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> Mapping[str, object]:
    """AUROC and interval, or a note that says why there is none."""
    from genimage_core.metrics.classification import auroc

    if min(len(set(groups[labels == label])) for label in (0, 1)) < LEAST:
        return {"note": f"fewer than {LEAST} different images of a class"}
    scores = out_of_fold(features, labels, groups, seed)
    found = auroc(labels, scores)
    note = "the facts are the same for all images" if np.ptp(scores) == 0 else ""
    digits = {"auroc": found.value, "low": found.low, "high": found.high}
    return {"note": note, **{name: round(value, 4) for name, value in digits.items()}}


def out_of_fold(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Score each image by a model that was fitted without it and without its group.

    Args:
        features: float (N, F).
        labels: (N,) in {0, 1}, 10 groups or more of each.
        groups: (N,) names.
        seed: of folds.

    Returns:
        P(fake), float (N,) in [0, 1]; .5 for all where no feature varies.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    scores = np.full(len(labels), 0.5)
    features = features[:, np.ptp(features, axis=0) > 0]
    if not features.shape[1]:
        return scores
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for fitted, held_out in folds.split(features, labels, groups):
        model = HistGradientBoostingClassifier(
            max_iter=30,
            learning_rate=0.2,
            max_leaf_nodes=8,
            min_samples_leaf=int(np.clip(len(fitted) // 20, 2, 20)),
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
        model.fit(features[fitted], labels[fitted])
        scores[held_out] = _without_prior(model.decision_function(features[held_out]), labels[fitted])
    return scores


def _without_prior(log_odds: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """P(fake) for classes of equal size, from log-odds learnt on labels `fitted`.

    Without this a model that knows nothing answers with the share of fakes it was fitted on, which is high
    where that of its own fold is low: the joined scores of the folds would fall below chance.
    """
    log_odds = log_odds - np.log((fitted == 1).sum() / (fitted == 0).sum())
    # Rounded, so that answers which are equal but for the last bit stay ties.
    return np.round(expit(log_odds), 6)
