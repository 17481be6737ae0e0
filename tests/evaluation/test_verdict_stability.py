"""Stability: flips counted, rows kept through a kill, the command."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from genimage_core.datasets import Record, scan_dataset
from genimage_core.evaluation import verdict_stability
from genimage_core.evaluation.verdict_stability import CONDITIONS, measure, stability_figures, verdicts
from genimage_core.utils.errors import EvaluationError
from genimage_core.verdict import image_type as looks_module
from genimage_core.verdict.combine import Combination
from tests.cli.test_detect import run

HOW = Combination(weights={"a": 1.0}, bias=0.0, single={"a": (1.0, 0.0)}, low=0.3, high=0.7, fitted_on="test")


class Grain:
    """Calls grainy pictures fake: JPEG and resizing take the grain away."""

    weights_id = "0123456789abcdef" * 4
    info = SimpleNamespace(name="a")

    def __init__(self) -> None:
        self.asked = 0

    def predict(self, images: list[np.ndarray], protocol: str = "native") -> np.ndarray:
        self.asked += len(images)
        return np.array([min(1.0, i.astype(np.float32).std() / 80) for i in images], np.float32)


@pytest.fixture(autouse=True)
def plain_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = looks_module.LooksLike(kind=None, probabilities={})
    monkeypatch.setattr(verdict_stability, "looks_like", lambda image: nothing)


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    rng = np.random.default_rng(0)
    for label, spread in (("ai", 90), ("nature", 3)):
        folder = tmp_path / "data" / "g" / "val" / label
        folder.mkdir(parents=True)
        for i in range(4):
            image = np.clip(rng.normal(128, spread, (64, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(image).save(folder / f"{i}.png")
    return scan_dataset(tmp_path / "data")


def row(label: int, generator: str = "g", **p: float) -> dict:
    scores = {text.replace("_", ":"): {"a": value} for text, value in p.items()}
    return {"label": label, "generator": generator, "scores": scores, "looks": dict.fromkeys(scores)}


def test_flips_are_between_fake_and_real_only() -> None:
    rows = [
        row(1, none=0.9, jpeg_50=0.1, crop_80=0.9),  # flips under JPEG
        row(1, none=0.9, jpeg_50=0.5, crop_80=0.9),  # gets unsure: no flip
        row(0, none=0.5, jpeg_50=0.1, crop_80=0.9),  # the two changes contradict each other
        row(0, "not_photo", none=0.1, jpeg_50=0.1, crop_80=0.1),
    ]
    found = stability_figures(rows, HOW)
    assert (found["any"]["value"], found["any"]["n"]) == (0.5, 4)
    assert found["each"]["jpeg:50"]["value"] == 0.25
    assert found["each"]["crop:80"]["value"] == 0.0
    assert found["by_class"]["fakes"]["value"] == 0.5
    assert found["by_class"]["photographs"] == {**found["by_class"]["photographs"], "value": 1.0, "n": 1}
    assert found["by_class"]["no_photographs"]["n"] == 1
    assert found["answers"]["none"]["fake"]["value"] == 0.5
    json.dumps(found, allow_nan=False)


def test_what_a_picture_looks_like_withholds_fake() -> None:
    one = row(1, none=0.9, jpeg_50=0.1)
    one["looks"]["none"] = "graphic"
    assert verdicts(one, HOW) == {"none": "unsure", "jpeg:50": "real"}


def test_every_condition_is_scored_and_changes_something(records: list[Record], tmp_path: Path) -> None:
    rows = measure(records, {"a": Grain()}, tmp_path / "rows.jsonl")
    assert len(rows) == 8
    for one in rows:
        assert tuple(one["scores"]) == CONDITIONS
        assert one["scores"]["none"] != one["scores"]["resize:50"]
    found = stability_figures(rows, HOW)
    assert found["each"]["jpeg:90"]["value"] == 0.0
    assert found["answers"]["none"]["fake"]["value"] == 0.5


def test_a_run_goes_on_after_a_kill(records: list[Record], tmp_path: Path) -> None:
    file, detector = tmp_path / "new" / "rows.jsonl", Grain()
    whole = measure(records, {"a": detector}, file)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:4]) + lines[4][:20])  # three images done, the fourth cut off
    again = Grain()
    assert measure(records, {"a": again}, file) == whole
    assert again.asked == 5 * len(CONDITIONS)
    assert file.read_text().splitlines(keepends=True) == lines


def test_rows_of_other_weights_are_refused(records: list[Record], tmp_path: Path) -> None:
    file, other = tmp_path / "rows.jsonl", Grain()
    measure(records[:1], {"a": Grain()}, file)
    other.weights_id = "f" * 64
    with pytest.raises(EvaluationError, match="other weights"):
        measure(records[:1], {"a": other}, file)
    with pytest.raises(EvaluationError, match="other weights"):
        measure(records[:1], {"a": Grain()}, file, conditions=("none", "jpeg:50"))


def test_a_broken_image_is_left_out(records: list[Record], tmp_path: Path) -> None:
    records[0].path.write_bytes(b"nothing")
    assert len(measure(records, {"a": Grain()}, tmp_path / "rows.jsonl")) == 7
    with pytest.raises(EvaluationError, match="no image"):
        stability_figures(measure(records[:1], {"a": Grain()}, tmp_path / "rows.jsonl"), HOW)


def test_the_command(records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genimage_core.detectors.load_detector", lambda name, **_: Grain())
    how, out = tmp_path / "how.json", tmp_path / "stability.json"
    named = HOW.model_copy(update={"weights": {"spec": 1.0}, "single": {"spec": (1.0, 0.0)}})
    how.write_text(named.model_dump_json())
    arguments = ("--data", str(tmp_path / "data"), "--detectors", "spec", "--limit", "2")
    assert run("stability", *arguments, "--out", str(out), "--combination", str(how)) == 0
    found = json.loads(out.read_text())
    assert (found["n"], found["detectors"]) == (4, ["spec"])
    assert set(found["each"]) == set(CONDITIONS) - {"none"}
    assert out.with_suffix(".rows.jsonl").exists()
    assert "--data DIR" in found["command"]
