"""The study in the wild: scores of runs on a manifest, joined, hashed and summed up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from genimage_core.datasets.manifest import NOT_PHOTO, PHOTOGRAPHS, read_manifest
from genimage_core.evaluation.calibration.fit import fit_logistic
from genimage_core.evaluation.store import read_rows
from genimage_core.metrics.classification import finite_logit
from genimage_core.results.wild import COLUMNS, Wild, wild_row
from genimage_core.training.heads.by_source import source_weights
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import EvaluationError

COMBINATION = "combination"
DESCRIPTION = (
    "Pictures in their original bytes, as their publishers keep them. A detector that learned from them was "
    "asked by a head that never saw the source."
)


def scores_of(runs: Sequence[Path], held_out: Sequence[str], manifest: Path) -> pd.DataFrame:
    """Scores of runs and of heads by source as one table: `COLUMNS` and `detector`, under hashes.

    Args:
        runs: folders of `evaluate` on the manifest.
        held_out: `DETECTOR=held_out.csv`, written by `fit-by-source`.
        manifest: with a column `year`.

    Raises:
        EvaluationError: an image is not in the manifest.
    """
    parts = [read_rows(run)[["image_id", "detector", "degradation", "p_fake"]] for run in runs]
    for entry in held_out:
        name, _, path = entry.partition("=")
        parts.append(pd.read_csv(path)[["image_id", "degradation", "p_fake"]].assign(detector=name))
    rows = pd.concat([p.astype({"detector": str, "degradation": str}) for p in parts]).dropna()
    records = {r.image_id: r for r in read_manifest(manifest)}
    if missing := sorted(set(rows["image_id"].astype(str)) - set(records)):
        raise EvaluationError("this image is not in the manifest.", source=missing[0])
    years = pd.read_csv(manifest, usecols=["path", "year"]).set_index("path")["year"].to_dict()
    found = [records[str(i)] for i in rows["image_id"]]
    return pd.DataFrame(
        {
            "detector": rows["detector"].to_numpy(),
            "image_id": [_hash(r.image_id) for r in found],
            "group": [r.generator for r in found],
            "year": [years.get(r.image_id) for r in found],
            "source": [_hash(r.source)[:8] for r in found],
            "label": [r.label for r in found],
            "degradation": rows["degradation"].to_numpy(),
            "p_fake": rows["p_fake"].to_numpy(float),
        }
    )


def same_images(rows: pd.DataFrame) -> pd.DataFrame:
    """Only images that every detector has scored, degradation by degradation."""
    many = rows["detector"].nunique()
    asked = rows.groupby(["image_id", "degradation"])["detector"].transform("nunique")
    return rows[asked == many]


def add_combination(rows: pd.DataFrame, folds: int = 5) -> pd.DataFrame:
    """Further rows: a combination of all detectors that never saw the image's source.

    As the one that ships: a logistic regression on the log-odds whose weights cannot be negative.
    """
    table = rows.pivot_table(index="image_id", columns=["degradation", "detector"], values="p_fake")
    facts = rows.drop_duplicates("image_id").set_index("image_id").loc[table.index]
    clean = finite_logit(table["none"].to_numpy())
    fold = np.array([int(_hash(s)[:8], 16) % folds for s in facts["source"]])
    y, weight = facts["label"].to_numpy(), _kind_weights(facts)
    out = []
    for degradation in rows["degradation"].unique():
        z = finite_logit(table[degradation][table["none"].columns].to_numpy())
        p = np.full(len(y), np.nan)
        for k in range(folds):
            others = fold != k
            weights, bias = fit_logistic(clean[others], y[others], weight[others], nonnegative=True)
            p[fold == k] = expit(z[fold == k] @ weights + bias)
        found = facts.assign(degradation=degradation, detector=COMBINATION, p_fake=p).reset_index()
        out.append(found.dropna(subset="p_fake"))
    return pd.concat([rows, *out], ignore_index=True)


def _kind_weights(facts: pd.DataFrame) -> np.ndarray:
    kinds = ["ai" if y else (NOT_PHOTO if g == NOT_PHOTO else "nature")
             for g, y in zip(facts["group"], facts["label"], strict=True)]  # fmt: skip
    return source_weights(kinds, list(facts["source"]))


def write_scores(rows: pd.DataFrame, out: Path) -> None:
    """Undegraded scores as `calibrate` reads them; `manifest.csv` has each image's source as its group."""
    out.mkdir(parents=True, exist_ok=True)
    clean = rows[rows["degradation"] == "none"].rename(columns={"group": "generator"})
    for detector, part in clean.groupby("detector"):
        part[["image_id", "generator", "label", "p_fake"]].assign(split="val", detector=detector).to_csv(
            out / f"{detector}.csv", index=False, float_format="%.6f"
        )
    facts = clean.drop_duplicates("image_id").rename(columns={"image_id": "path", "source": "group"})
    facts[["path", "group"]].to_csv(out / "manifest.csv", index=False)


def write_wild(rows: pd.DataFrame, out: Path, commands: Sequence[str]) -> Wild:
    """Write `OUT/scores/<detector>.csv` and `OUT.json`; returns the study."""
    fakes = rows[rows["label"] == 1].drop_duplicates("image_id")
    parts = {"year": ("year", "median"), "n": ("image_id", "size"), "s": ("source", "nunique")}
    order = fakes.groupby("group").agg(**parts)
    order = order.sort_values(["year", "n"], ascending=[True, False])
    kinds = {"ai": fakes} | {
        name: rows[rows["group"] == name].drop_duplicates("image_id") for name in (PHOTOGRAPHS, NOT_PHOTO)
    }
    found = Wild(
        commands=list(commands),
        description=DESCRIPTION,
        families={str(g): (int(r.year), int(r.n), int(r.s)) for g, r in order.iterrows()},
        images={name: len(part) for name, part in kinds.items()},
        sources={name: part["source"].nunique() for name, part in kinds.items()},
        rows=[
            wild_row(str(detector), str(degradation), part, list(order.index))
            for degradation, those in sorted(rows.groupby("degradation"), key=lambda g: g[0] != "none")
            for detector, part in those.groupby("detector", sort=False)
        ],
    )
    (out / "scores").mkdir(parents=True, exist_ok=True)
    for detector, part in rows.groupby("detector"):
        part[list(COLUMNS)].to_csv(out / "scores" / f"{detector}.csv", index=False, float_format="%.5f")
    fill_text(out.with_name(f"{out.name}.json"), found.model_dump_json(indent=1) + "\n")
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
