"""What is scored, on what, and the command that does it."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genimage_core.cli import evaluate
from genimage_core.datasets import data_protocol, scan_dataset
from genimage_core.detectors import Detector, detector_class, register_detector, registry
from genimage_core.detectors.half_precision import HalfForward
from genimage_core.detectors.weights.store import save_packed
from genimage_core.evaluation.devices import load_for_run, with_weights
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.select import fingerprint, folder_pair, select_images
from genimage_core.evaluation.store import read_rows
from genimage_core.utils.errors import DatasetError, EvaluationError
from tests.cli.test_detect import run as command
from tests.conftest import make_image
from tests.detectors.test_every_detector import TinyNet
from tests.evaluation.engine.test_run import tiny_detectors, write_images


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    detector_class("resnet50")
    register_detector(TinyNet)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back what a command does with signals."""
    before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
    yield
    for which, handler in before.items():
        signal.signal(which, handler)


def test_selection(toy_dataset: Path) -> None:
    records = scan_dataset(toy_dataset)
    reals = toy_dataset / "reals" / "val" / "nature"
    reals.mkdir(parents=True)
    Image.fromarray(make_image(0, 32)).save(reals / "a.png")
    records = scan_dataset(toy_dataset)
    options: dict[str, Any] = {"split": "val", "protocol": data_protocol("raw")}
    assert {r.generator for r in select_images(records, generators="all", **options)} == {
        "alpha",
        "beta",
        "reals",
    }
    trained = select_images(records, generators="train", **options)
    assert {r.generator for r in trained} == {"alpha", "beta"}
    assert {r.split for r in trained} == {"val"}
    few = select_images(records, generators="alpha,beta", limit=2, seed=1, **options)
    assert Counter((r.generator, r.label) for r in few) == {
        (g, i): 2 for g in ("alpha", "beta") for i in (0, 1)
    }
    assert few == select_images(records[::-1], generators="alpha,beta", limit=2, seed=1, **options)
    assert few != select_images(records, generators="alpha,beta", limit=2, seed=2, **options)
    assert [r for r in few if r.generator == "alpha"] == select_images(
        records, generators="alpha", limit=2, seed=1, **options
    )
    with pytest.raises(DatasetError, match="alpha, beta, reals"):
        select_images(records, generators="alpha,gamma", **options)
    with pytest.raises(DatasetError, match="split `train`"):
        select_images(records, generators="reals", split="train", protocol=data_protocol("raw"))


def test_the_fingerprint_sees_contents_labels_and_places(tmp_path: Path) -> None:
    records = write_images(tmp_path / "data", 4)
    before = fingerprint(records)
    assert fingerprint(records[:3]) != before
    assert fingerprint([replace(records[0], label=1 - records[0].label), *records[1:]]) != before
    shutil.copytree(tmp_path / "data", tmp_path / "elsewhere", copy_function=shutil.copyfile)
    copies = scan_dataset(tmp_path / "elsewhere")
    assert fingerprint(copies) == before  # another machine, another time
    copies[0].path.write_bytes(copies[1].path.read_bytes())
    assert fingerprint(copies) != before
    records[0].path.unlink()
    with pytest.raises(DatasetError, match="gone"):
        fingerprint(records)


def test_a_pair_of_folders(tmp_path: Path) -> None:
    for name in ("made", "taken"):
        (tmp_path / name / "deep").mkdir(parents=True)
        Image.fromarray(make_image(0, 32)).save(tmp_path / name / "deep" / "a.png")
    pair = folder_pair(tmp_path / "made", tmp_path / "taken")
    assert [(r.image_id, r.label, r.split) for r in pair] == [
        ("ai/deep/a.png", 1, "val"),
        ("nature/deep/a.png", 0, "val"),
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images"):
        folder_pair(tmp_path / "made", tmp_path / "empty")
    with pytest.raises(DatasetError, match="not a folder"):
        folder_pair(tmp_path / "absent", tmp_path / "taken")


def test_a_run_is_in_the_precision_that_its_plan_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "genimage_core.evaluation.devices.load_detector",
        lambda name, **how: asked.append(how["runtime"]),
    )
    for precision in ("fp32", "int8"):
        load_for_run(["spec"], "default", device="cpu", precision=precision)  # type: ignore[arg-type]
    assert asked == ["onnx", "auto"]


def test_precision_and_device_are_checked(tiny: None, tmp_path: Path) -> None:
    save_packed("tiny", TinyNet().state_dict(), tmp_path, bits=8, group=16, facts={})
    assert with_weights(str(tmp_path)) == ["tiny"]
    assert set(load_for_run(["tiny"], str(tmp_path), device="cpu")) == {"tiny"}
    with pytest.raises(EvaluationError, match="bf16"):
        load_for_run(["tiny"], str(tmp_path), device="cpu", precision="bf16")
    if not torch.cuda.is_available():
        with pytest.raises(EvaluationError, match="no such device"):
            load_for_run(["tiny"], str(tmp_path), device="cuda")


def test_bf16_changes_scores_a_little() -> None:
    exact = tiny_detectors()["tiny"]
    rough = Detector(exact.net, exact.device, "", HalfForward(exact.net))
    views = [make_image(i, 32) for i in range(8)]
    one, two = exact.log_odds(views), rough.log_odds(views)
    assert two.dtype == np.float32
    assert 0 < np.abs(one - two).max() < 0.05


def test_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 0.0, 1.0, 10.0, 20.0])
    show = evaluate.rate_printer(4, lambda: next(times))
    for done in (100, 105, 150, 200):
        show(done, 200)
    assert capsys.readouterr().err.splitlines() == [
        "100 / 200 images",
        "150 / 200 images, 5.00 images/s (20.0 scores/s), 10 s left",
        "200 / 200 images, 5.00 images/s (20.0 scores/s), 0 s left",
    ]


def test_the_command_stops_at_ctrl_c_and_goes_on(
    tiny: None, handlers: None, toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    weights, out = tmp_path / "weights", tmp_path / "run"
    save_packed("tiny", TinyNet().state_dict(), weights, bits=8, group=16, facts={})
    arguments = ("evaluate", "--data", str(toy_dataset), "--weights", str(weights), "--out", str(out),
                 "--degrade", "none,jpeg:65", "--batch", "5")  # fmt: skip
    score = engine.score_batch

    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return score(*given)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "score_batch", interrupted)
        assert command(*arguments) == evaluate.STOPPED
    assert "goes on" in capsys.readouterr().err
    assert read_rows(out)["image_id"].nunique() == 5
    assert not (out / "report.json").exists()
    assert command("report", str(out)) == 0
    assert "5 of 24 images, not finished" in capsys.readouterr().out
    assert command(*arguments) == 0
    assert "accuracy" in capsys.readouterr().out
    assert read_rows(out)["image_id"].nunique() == 24
    assert (out / "report.json").exists()
    assert command(*arguments[:-4], "--degrade", "none") == 1
    assert "another plan (degradations: none,jpeg:65, now none)" in capsys.readouterr().err
    assert command(*arguments, "--limit", "2") == 1
    assert command("evaluate", "--out", str(out)) == 2
    pair = (
        "--ai",
        str(toy_dataset / "alpha" / "val" / "ai"),
        "--nature",
        str(toy_dataset / "alpha/val/nature"),
    )
    assert command("evaluate", *pair, *arguments[3:5], "--out", str(tmp_path / "pair")) == 0
    assert set(read_rows(tmp_path / "pair")["generator"]) == {"folders"}
