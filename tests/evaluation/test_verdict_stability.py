"""Stability: flips counted, verdicts read from the rows of a run, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.datasets import Record, data_protocol, scan_dataset
from genimage_core.evaluation import verdict_stability
from genimage_core.evaluation.engine.run import run as run_engine
from genimage_core.evaluation.select import select_images
from genimage_core.evaluation.verdict_stability import (
    DEGRADATIONS,
    Verdicts,
    stability_figures,
    verdicts_of_run,
)
from genimage_core.utils.errors import EvaluationError
from genimage_core.verdict import image_type as image_type_module
from genimage_core.verdict.combine import Combination, Label
from tests.cli.test_detect import run
from tests.evaluation.engine.test_run import plan_for, tiny_detectors

NAME = "tiny"
HOW = Combination(weights={NAME: 1.0}, bias=0.0, single={NAME: (1.0, 0.0)}, low=0.3, high=0.7, fitted_on="")


@pytest.fixture(autouse=True)
def plain_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = image_type_module.ImageType(kind=None, probabilities={})
    monkeypatch.setattr(verdict_stability, "classify_image_type", lambda image: nothing)


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    rng = np.random.default_rng(0)
    for label, spread in (("ai", 90), ("nature", 3)):
        folder = tmp_path / "data" / "g" / "val" / label
        folder.mkdir(parents=True)
        for i in range(2):
            image = np.clip(rng.normal(128, spread, (64, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(image).save(folder / f"{i}.png")
    found = scan_dataset(tmp_path / "data")
    return select_images(found, split="val", generators="all", protocol=data_protocol("raw"), limit=None)


def one(label: int, generator: str = "g", **labels: Label) -> Verdicts:
    return Verdicts("x", generator, label, {text.replace("_", ":"): said for text, said in labels.items()})


def test_flips_are_between_fake_and_real_only() -> None:
    found = stability_figures(
        [
            one(1, none="fake", jpeg_50="real", crop_80="fake"),  # flips under JPEG
            one(1, none="fake", jpeg_50="unsure", crop_80="fake"),  # gets unsure: no flip
            one(0, none="unsure", jpeg_50="real", crop_80="fake"),  # the two changes contradict each other
            one(0, "not_photo", none="real", jpeg_50="real", crop_80="real"),
        ]
    )
    assert (found["any"]["value"], found["any"]["n"]) == (0.5, 4)
    assert found["each"]["jpeg:50"]["value"] == 0.25
    assert found["each"]["crop:80"]["value"] == 0.0
    assert found["by_class"]["fakes"]["value"] == 0.5
    assert found["by_class"]["photographs"] == {**found["by_class"]["photographs"], "value": 1.0, "n": 1}
    assert found["by_class"]["no_photographs"]["n"] == 1
    assert found["answers"]["none"]["fake"]["value"] == 0.5
    json.dumps(found, allow_nan=False)
    with pytest.raises(EvaluationError):
        stability_figures([])


@pytest.fixture
def finished(records: list[Record], tmp_path: Path) -> Path:
    records[0].path.write_bytes(b"nothing")
    detectors = {NAME: tiny_detectors()[NAME]}
    plan = plan_for(records, detectors, degradations=DEGRADATIONS)
    assert run_engine(records, detectors, plan, tmp_path / "run")
    return tmp_path / "run"


def test_verdicts_are_read_from_the_rows_of_a_run(finished: Path, records: list[Record]) -> None:
    found = verdicts_of_run(finished, records, HOW)
    assert [v.image_id for v in found] == [r.image_id for r in records[1:]]  # the broken one is left out
    assert all(set(v.labels) == set(DEGRADATIONS) for v in found)


def test_what_a_picture_looks_like_withholds_fake(
    finished: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    always = HOW.model_copy(update={"low": 0.0, "high": 0.0})  # every score is above the band
    assert {s for v in verdicts_of_run(finished, records, always) for s in v.labels.values()} == {"fake"}
    graphic = image_type_module.ImageType(kind="graphic", probabilities={})
    monkeypatch.setattr(verdict_stability, "classify_image_type", lambda image: graphic)
    assert {s for v in verdicts_of_run(finished, records, always) for s in v.labels.values()} == {"unsure"}


def test_the_command(records: list[Record], tmp_path: Path) -> None:
    how, out = tmp_path / "how.json", tmp_path / "stability.json"
    named = HOW.model_copy(update={"weights": {"spec": 1.0}, "single": {"spec": (1.0, 0.0)}})
    how.write_text(named.model_dump_json())
    arguments = ("--data", str(tmp_path / "data"), "--detectors", "spec", "--limit", "1")
    assert run("dev", "stability", *arguments, "--out", str(out), "--combination", str(how)) == 0
    found = json.loads(out.read_text())
    assert (found["n"], found["detectors"]) == (2, ["spec"])
    assert set(found["each"]) == set(DEGRADATIONS) - {"none"}
    assert (tmp_path / "stability.run").is_dir()
    assert "--data DIR" in found["command"]
