"""The measured figures: they follow from the rows kept, and the rows belong to the weights shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genimage_core.datasets import scan_dataset
from genimage_core.detectors import list_detectors, load_detector
from genimage_core.detectors.weights.store import BUNDLED, load_state, read_manifest
from genimage_core.evaluation.engine.run import score_in_memory
from genimage_core.evaluation.export import MEAN, figures_table, read_scores
from genimage_core.verdict.combine import load_combination
from genimage_core.verdict.reliability import verdict_figures

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "assets" / "measured"
CORPUS = ROOT.parent / "shared" / "corpus"
SHIPPED = ("eight", "held_out")
OTHERS = ("sets/eight", "sets/eight_unseen")
"""Of the weights of the eight training generators alone, which the shipped ones go on from."""
ON_CORPUS = [name for name in list_detectors() if name != "clip_b"]
"""`clip_b` learned from sources that these sets are cut from: its figures are those in the wild."""
ROWS = [(name, table) for table in SHIPPED for name in ON_CORPUS]
LIMIT_MB = {"file": 40, "set": 270}


@pytest.mark.parametrize("table", [*SHIPPED, *OTHERS])
def test_the_table_follows_from_the_rows(table: str) -> None:
    shown = json.loads((MEASURED / f"{table}.json").read_text())["rows"]
    assert [row["detector"] for row in shown] == [*ON_CORPUS, MEAN]
    assert shown == figures_table(read_scores(MEASURED / table, ON_CORPUS))


@pytest.mark.parametrize(("name", "table"), ROWS)
def test_the_rows_belong_to_the_weights_shipped(name: str, table: str) -> None:
    _, digest = load_state(name)
    assert json.loads((MEASURED / table / f"{name}.json").read_text())["manifest"]["weights_sha256"] == digest
    rows = pd.read_csv(MEASURED / table / f"{name}.csv")
    assert set(rows["weights"]) == {digest[:16]}
    assert not rows["image_id"].duplicated().any()
    assert rows["p_fake"].between(0, 1).all()


def test_every_detector_has_a_say_that_was_measured() -> None:
    how = load_combination()
    assert set(how.weights) == set(how.single) == set(list_detectors())
    assert min(how.weights.values()) >= 0
    assert how.low < 0.5 < how.high


def test_how_often_the_shipped_verdict_flips_is_told() -> None:
    figures = verdict_figures()
    assert figures is not None
    assert "verdicts flip" in figures.stability_words()


@pytest.mark.parametrize("name", list_detectors())
def test_packing_costs_less_than_half_a_point(name: str) -> None:
    loss: dict[str, Any] = read_manifest(BUNDLED)["detectors"][name]["packing_loss"]
    assert loss["points"] < 0.5
    # A frozen trunk that came in 8 bits and stays in 8 bits is not worth an hour of float32.
    assert loss["accuracy_packed"]["n"] >= (60 if name == "clip_b" else 800)


def test_the_sets_are_small_enough_to_clone() -> None:
    files = list(BUNDLED.parent.glob("weights*/*.safetensors"))
    assert {f.parent.name for f in files} == {"weights", "weights_sd_v1"}
    assert max(f.stat().st_size for f in files) < LIMIT_MB["file"] * 1e6
    assert sum(f.stat().st_size for f in files) < LIMIT_MB["set"] * 1e6


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of this project")
@pytest.mark.parametrize(("name", "table"), ROWS)
def test_scores_come_out_again(name: str, table: str) -> None:
    kept = pd.read_csv(MEASURED / table / f"{name}.csv").set_index("image_id")["p_fake"]
    records = [r for r in scan_dataset(CORPUS) if r.image_id in kept.index][::40]
    detectors = {"torch": load_detector(name, runtime="torch"), "app": load_detector(name)}
    scores, wanted = score_in_memory(records, detectors), kept[[r.image_id for r in records]].to_numpy()
    np.testing.assert_allclose(scores["torch"], wanted, atol=0.01)
    assert np.abs(scores["app"] - wanted).mean() < 0.03
