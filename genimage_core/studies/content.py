"""Other content: faces and art, as in the paper's last table, from scores that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genimage_core.detectors import detector_info, list_detectors
from genimage_core.evaluation.export import read_scores
from genimage_core.metrics.classification import Estimate, auroc, mean_of, share
from genimage_core.results.measured import Point
from genimage_core.studies.runner import Lab
from genimage_core.studies.study_file import point, write_study
from genimage_core.utils.errors import EvaluationError

FACES = "stylegan2"
"""The generator whose images, real ones too, are faces."""
ART_FAKES = ("flux_dev_andygock", "sd15ft_supagruen", "sd35l_artists")
"""Sources of fakes in the styles of painters."""
ART_REALS = "art"
"""First word of the sources of real paintings and drawings."""
DESCRIPTION = (
    "Faces: StyleGAN2's against photographs of faces. Art: generated pictures in the styles of painters "
    "(Stable Diffusion 1.5 finetunes, FLUX.1-dev, SD 3.5) against real paintings, drawings and comics, none "
    "of which were trained on. Unlike in the paper, whose detectors had seen neither, the bundled ones were "
    "trained on other images of these generators. Balanced accuracy: the mean of the shares of fakes and of "
    "reals that are called so at .5."
)


def content(lab: Lab, folders: Sequence[Path], sources: Mapping[str, str]) -> None:
    """Balanced accuracy and AUROC of each detector on faces and on art.

    Args:
        lab: where the result goes.
        folders: written by `export-scores`; together they hold the images' scores.
        sources: image id -> source, of the data set's manifest.

    Raises:
        EvaluationError: the scores do not cover both kinds.
    """
    rows = pd.concat([read_scores(folder, list_detectors()) for folder in folders], ignore_index=True)
    rows = rows.dropna(subset="p_fake").drop_duplicates(["image_id", "detector"])
    source = rows["image_id"].map(sources).fillna("")
    art = source.isin(ART_FAKES) | (source.str.split("_").str[0] == ART_REALS)
    points: list[Point] = []
    for label, chosen in (("faces", rows["generator"] == FACES), ("art", art)):
        points += _points(rows[chosen], label)
    weights = {str(name): str(part["weights"].iloc[0]) for name, part in rows.groupby("detector")}
    write_study(lab, "content", "Faces and art: balanced accuracy and AUROC", DESCRIPTION, points, weights)


def _points(rows: pd.DataFrame, label: str) -> list[Point]:
    if set(rows["label"]) != {0, 1}:
        raise EvaluationError(
            f"no scores of both classes for “{label}”.", hint="Name more folders of scores.", source=label
        )
    found = []
    for name in [n for n in list_detectors() if n in set(rows["detector"])]:
        part = rows[rows["detector"] == name]
        title = detector_info(name).title
        labels, scores = part["label"].to_numpy(), part["p_fake"].to_numpy()
        found.append(point(f"{label}, balanced accuracy", title, balanced_accuracy(labels, scores)))
        found.append(point(f"{label}, AUROC", title, auroc(labels, scores)))
    return found


def balanced_accuracy(labels: np.ndarray, scores: np.ndarray) -> Estimate:
    """Mean of the shares of reals and of fakes that (N,) scores in [0, 1] call so at .5."""
    return mean_of([share((scores[labels == label] > 0.5) == (label == 1)) for label in (0, 1)])
