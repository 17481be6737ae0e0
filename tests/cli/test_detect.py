"""The command line: JSON, exit codes, bad files, the same answers as the library."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import genimage_core
from genimage_core import cli
from genimage_core.detectors.weights.store import weights_folder
from genimage_core.evaluation.export import figures_table, read_scores
from genimage_core.verdict.combine import Combination
from tests.conftest import make_image

NAMES = ["resnet50", "deit_s", "swin_t", "cnnspot", "spec", "f3net", "gramnet", "clip_b", "dinov2"]


class FakeDetector:
    """Answers with the share of red, so that answers depend on the image."""

    def predict(self, images: list[np.ndarray], preprocessing: str = "tiles") -> np.ndarray:
        return np.array([image[..., 0].mean() / 255 for image in images], np.float32)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    how = Combination(
        weights=dict.fromkeys(NAMES, 1.0), bias=0.0, single=dict.fromkeys(NAMES, (1.0, 0.0)),
        low=0.3, high=0.7, fitted_on="test",
    )  # fmt: skip
    # First, since it imports modules that would else keep the next line's stand-in for ever.
    monkeypatch.setattr("genimage_core.evaluation.config.with_weights", lambda weights: NAMES)
    monkeypatch.setattr("genimage_core.detectors.load_detector", lambda name, weights: FakeDetector())
    monkeypatch.setattr("genimage_core.verdict.combine.load_combination", lambda: how)


def run(*arguments: str) -> int:
    """Exit code of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["genimage_core", *arguments])
        try:
            cli.main()
        except SystemExit as done:
            return int(done.code or 0)
    return 0


def save(path: Path, colour: int = 250) -> Path:
    image = make_image(0)
    image[..., 0] = colour
    Image.fromarray(image).save(path)
    return path


def test_detect_json(quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "red.png")
    save(tmp_path / "blue.png", 5)
    assert run("detect", str(tmp_path), "--json") == 0
    entries = {Path(e["path"]).name: e for e in json.loads(capsys.readouterr().out)}
    assert entries["red.png"]["verdict"] == "fake"
    assert entries["blue.png"]["verdict"] == "real"
    assert set(entries["red.png"]["detectors"]) == set(NAMES)
    assert entries["red.png"]["p_fake"] > 0.9
    assert isinstance(entries["red.png"]["notes"], list)


def test_a_bad_file_is_one_entry_and_exit_code_1(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = save(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_text("no image")
    assert run("detect", str(bad), str(good), "--json") == 1
    found = capsys.readouterr()
    entries = json.loads(found.out)
    assert [("error" in e) for e in entries] == [True, False]
    assert entries[0]["hint"]
    assert "1 of 2" in found.err


def test_detect_with_another_weight_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.png")
    assert run("detect", str(path), "--weights", "sd_v1", "--json") == 0
    found = capsys.readouterr()
    (entry,) = json.loads(found.out)
    expected = genimage_core.detect(path, weights="sd_v1")
    assert entry["detectors"] == {"resnet50": pytest.approx(expected.detectors["resnet50"], abs=1e-3)}
    assert any("measured with the bundled weights" in note for note in entry["notes"])
    assert "deit_s: no weights in this set" in found.err
    runs = tmp_path / "runs"  # one run a detector
    runs.mkdir()
    (runs / "resnet50").symlink_to(weights_folder("sd_v1").resolve())
    assert run("detect", str(path), "--weights", str(runs), "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["detectors"] == entry["detectors"]
    assert genimage_core.detect(path, weights=str(runs)).detectors == pytest.approx(expected.detectors)
    assert run("detect", str(path), "--weights", str(tmp_path / "none"), "--json") == 1
    assert "no weights here" in capsys.readouterr().err


def test_detect_degrades_first(quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.png")
    assert run("detect", str(path), "--detectors", "spec,f3net", "--degrade", "blur:3+jpeg:65", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)[0]["detectors"]) == {"spec", "f3net"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("detect", "absent.png", "--detectors", "resnet5000"),
        ("detect", "absent.png", "--degrade", "jpeg:999"),
        ("detect", "absent.png"),
        ("degrade", "absent.png", "out.png", "--apply", "jpeg:65"),
        ("tables", "no_such_table"),
    ],
)
def test_bad_input_is_exit_code_1(
    quick: None, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 1
    err = capsys.readouterr().err
    assert err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments", [("detect",), ("nonsense",), ("detect", "a.png", "--preprocessing", "best")]
)
def test_bad_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments) == 2


def test_degrade_writes_what_the_library_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from genimage_core.images.degradations import parse

    source, out = save(tmp_path / "a.png"), tmp_path / "b.png"
    assert run("degrade", str(source), str(out), "--apply", "blur:2+jpeg:40", "--json") == 0
    expected = parse("blur:2+jpeg:40")(np.asarray(Image.open(source)))
    np.testing.assert_array_equal(np.asarray(Image.open(out)), expected)
    assert json.loads(capsys.readouterr().out)["applied"] == "blur:2+jpeg:40"


def test_degrade_to_an_unwritable_place_is_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(tmp_path / "a.png")
    assert run("degrade", str(source), str(tmp_path / "no" / "b.png"), "--apply", "blur:2") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detectors", "--json") == 0
    assert [d["name"] for d in json.loads(capsys.readouterr().out)] == NAMES
    assert run("tables", "--json") == 0
    assert "task1_sd14" in {t["id"] for t in json.loads(capsys.readouterr().out)}
    assert run("tables", "task1_sd14", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 7
    assert rows[0]["detector"] == "ResNet-50"
    assert run("tables", "task1_sd14") == 0
    assert re.search(r"^\s*Swin-T +62\.1 +99\.9", capsys.readouterr().out, re.MULTILINE)


def test_train_pack_evaluate_calibrate(
    toy_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The laboratory end to end, on made-up images: two runs, one weight set, figures, a combination."""
    runs, scores, packed = tmp_path / "runs", tmp_path / "scores", tmp_path / "weights"
    for name in ("gramnet", "spec"):
        assert run("train", "--detector", name, "--data", str(toy_dataset), "--train-on", "all",
                   "--out", str(runs / name), "--steps", "2", "--workers", "0") == 0  # fmt: skip
        assert run("dev", "pack", "--runs", str(runs), "--data", str(toy_dataset), "--out", str(packed),
                   "--detectors", name, "--bits", "8") == 0  # fmt: skip
    manifest = json.loads((packed / "manifest.json").read_text())
    assert manifest["detectors"]["spec"]["packing_loss"]["accuracy_packed"]["n"] == 24
    assert manifest["detectors"]["spec"]["training"]["train_on"] == "all"
    out = tmp_path / "run"
    assert run("evaluate", "--data", str(toy_dataset), "--out", str(out), "--generators", "train",
               "--detectors", "gramnet,spec", "--weights", str(packed)) == 0  # fmt: skip
    assert run("dev", "export-scores", str(out), str(scores), "--title", "Toys") == 0
    table = json.loads(scores.with_suffix(".json").read_text())
    assert [row["detector"] for row in table["rows"]] == ["spec", "gramnet", "mean of the detectors"]
    assert table["rows"] == figures_table(read_scores(scores, ["spec", "gramnet"]))
    assert "AUROC beta" in table["rows"][0]
    figures = json.loads((scores / "spec.json").read_text())
    assert figures["pooled"]["auroc"]["n"] == 24
    assert len(pd.read_csv(scores / "spec.csv")) == 24
    evaluated, exported = figures["manifest"]["command"].splitlines()
    assert evaluated.startswith("python -m genimage_core evaluate --data DIR")
    assert exported.startswith("python -m genimage_core dev export-scores")
    part = tmp_path / "part"
    assert run("dev", "export-scores", str(out), str(part), "--generators", "beta") == 0
    assert set(pd.read_csv(part / "spec.csv")["generator"]) == {"beta"}
    assert run("dev", "export-scores", str(out), str(part), "--generators", "gamma") == 1
    fits = []
    for place in (scores, out):  # the exported tables, and the run itself
        fitted, figures_file = tmp_path / f"{place.name}_fit.json", tmp_path / "figures.json"
        assert run("dev", "calibrate", "--scores", str(place), "--fitted-on", "toys", "--out", str(fitted),
                   "--figures", str(figures_file), "--detectors", "gramnet,spec") == 0  # fmt: skip
        fits.append(Combination.model_validate_json(fitted.read_text()).weights)
    assert set(fits[0]) == {"gramnet", "spec"}
    assert fits[1] == pytest.approx(fits[0], rel=0.02, abs=0.02)  # the tables hold five decimals


def test_core_needs_neither_streamlit_nor_gradio() -> None:
    code = (
        "import sys; sys.modules['streamlit'] = sys.modules['gradio'] = None\n"
        "import genimage_core.cli, genimage_core.verdict.pipeline, genimage_core.results.published\n"
        "import genimage_core.training.loop, genimage_core.results.plots\n"
        "import genimage_core.evaluation.calibration.calibrate\n"
        "from genimage_core.detectors import list_detectors; print(len(list_detectors()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(len(NAMES)), done.stderr
