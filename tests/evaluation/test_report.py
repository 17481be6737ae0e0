"""The report of a run against its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genimage_core.evaluation import report as report_module
from genimage_core.evaluation.plan import DataFacts, Plan
from genimage_core.evaluation.report import make_report, report_text, write_report
from genimage_core.evaluation.store import Row, RunStore
from genimage_core.metrics.classification import accuracy, auroc, mcnemar, share
from genimage_core.verdict.combine import Combination
from tests.cli.test_detect import run as command
from tests.metrics.test_bootstrap import sklearn_metrics


def write_run(folder: Path, scores: dict[str, dict[str, Any]], planned: int | None = None) -> Plan:
    """A run of detectors `a` and `b`: image id -> generator, label and their scores."""
    data = DataFacts(
        fingerprint="f" * 64, covers="test", images=planned or len(scores), generators=("x",), split="val",
        limit=None, seed=0,
    )  # fmt: skip
    plan = Plan(
        data=data, detectors={"a": "1" * 64, "b": "2" * 64}, degradations=("none",), data_protocol="raw",
        preprocessing="tiles", device="cpu", versions={},
    )  # fmt: skip
    rows = [
        Row(
            image_id=image_id, generator=facts["generator"], split="val", label=facts["label"], detector=name,
            weights=plan.detectors[name], degradation="none", data_protocol="raw", preprocessing="tiles",
            p_fake=facts[name], error=None if facts[name] is not None else "The file is empty.",
        )
        for image_id, facts in scores.items() for name in ("a", "b")
    ]  # fmt: skip
    with RunStore(folder, plan) as store:
        store.append(rows)
    return plan


def made_scores() -> dict[str, dict[str, Any]]:
    """40 images of `x`, 20 of `y`, 10 reals without fakes, 1 that cannot be read."""
    rng, found = np.random.default_rng(0), {}
    for generator, count in (("x", 40), ("y", 20), ("reals", 10)):
        for i in range(count):
            label = 0 if generator == "reals" else i % 2
            a, b = (float(np.float32(p)) for p in 1 / (1 + np.exp(-rng.normal(label * 2.0 - 1.0, 2.0, 2))))
            found[f"{generator}/{i}"] = {"generator": generator, "label": label, "a": a, "b": b}
    found["x/bad"] = {"generator": "x", "label": 1, "a": None, "b": None}
    return found


def arrays(scores: dict[str, dict[str, Any]], name: str, *generators: str) -> tuple[np.ndarray, np.ndarray]:
    some = [f for f in scores.values() if f["generator"] in generators and f[name] is not None]
    return np.array([f["label"] for f in some]), np.array([f[name] for f in some])


def test_report_is_what_the_rows_say(tmp_path: Path) -> None:
    scores = made_scores()
    write_run(tmp_path, scores)
    report = write_report(tmp_path)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert report["images"] == {"planned": 71, "done": 71, "unreadable": 1, "complete": True}
    assert report["errors"] == [{"image_id": "x/bad", "error": "The file is empty.", "rows": 2}]
    first = report["results"][0]
    assert (first["detector"], first["degradation"], first["weights"]) == ("a", "none", "1" * 64)
    assert first["without_score"] == 1
    labels, p = arrays(scores, "a", "x", "y")
    assert first["pooled"]["accuracy"] == accuracy(labels, p).as_dict()
    assert first["pooled"]["auroc"] == auroc(labels, p).as_dict()
    assert (first["pooled"]["n"], first["pooled"]["n_fake"], first["pooled"]["n_real"]) == (60, 30, 30)
    assert first["pooled"]["accuracy_real"] == share(p[labels == 0] <= 0.5).as_dict()
    assert first["pooled"]["accuracy_fake"] == share(p[labels == 1] > 0.5).as_dict()
    for name, value in sklearn_metrics(labels, p).items():
        assert first["pooled"][name]["value"] == pytest.approx(value, abs=1e-4)
        assert first["pooled"][name]["low"] <= first["pooled"][name]["value"] <= first["pooled"][name]["high"]
    each = [accuracy(*arrays(scores, "a", generator)).value for generator in ("x", "y")]
    assert first["averaged_over"] == ["x", "y"]
    assert first["mean"]["accuracy"]["value"] == pytest.approx(np.mean(each), abs=1e-4)
    assert first["weighted_mean"]["accuracy"]["value"] == first["pooled"]["accuracy"]["value"]
    assert each[0] != each[1]
    _, reals = arrays(scores, "a", "reals")
    assert first["real_only"] == {"reals": {"called_fake": share(reals > 0.5).as_dict()}}
    assert set(first["generators"]) == {"x", "y"}
    assert "accuracy_calibrated" not in first["pooled"]


def test_report_pairs_detectors_on_the_pooled_images(tmp_path: Path) -> None:
    scores = made_scores()
    write_run(tmp_path, scores)
    (pair,) = make_report(tmp_path)["paired"]
    labels, a = arrays(scores, "a", "x", "y")
    _, b = arrays(scores, "b", "x", "y")
    right_a, right_b = (a > 0.5) == labels, (b > 0.5) == labels
    assert (pair["first"], pair["second"], pair["n"]) == ("a", "b", 60)
    assert pair["only_first_right"] == (right_a & ~right_b).sum()
    assert pair["only_second_right"] == (right_b & ~right_a).sum()
    assert pair["accuracy_difference"]["value"] == pytest.approx(right_a.mean() - right_b.mean(), abs=1e-4)
    assert pair["mcnemar_p"] == pytest.approx(mcnemar(right_a, right_b).p_value, rel=1e-3)


def test_calibrated_accuracy_only_for_the_weights_that_were_calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = made_scores()
    write_run(tmp_path, scores)
    how = Combination(
        weights={"a": 1.0, "b": 1.0}, bias=0, single={"a": (1.0, 1.5), "b": (1.0, 1.5)}, low=0.4, high=0.6,
        fitted_on="test",
    )  # fmt: skip
    bundled = {"a": {"files": [{"sha256": "1" * 64}]}, "b": {"files": [{"sha256": "9" * 64}]}}
    monkeypatch.setattr(report_module, "load_combination", lambda: how)
    monkeypatch.setattr(report_module, "weights_entry", bundled.__getitem__)
    first, second = make_report(tmp_path)["results"]
    labels, p = arrays(scores, "a", "x", "y")
    expected = accuracy(labels, p, threshold=1 / (1 + np.exp(1.5)))
    assert first["pooled"]["accuracy_calibrated"] == expected.as_dict()
    assert expected.value != accuracy(labels, p).value
    assert "called_fake_calibrated" in first["real_only"]["reals"]
    assert "accuracy_calibrated" not in second["pooled"]


def test_bundled_weights_are_known_by_their_hash() -> None:
    from genimage_core.detectors.weights.store import load_state, trained_detectors, weights_entry
    from genimage_core.verdict.combine import load_combination

    names = [name for name in trained_detectors() if name in load_combination().single]
    name = min(names, key=lambda n: sum(file["bytes"] for file in weights_entry(n)["files"]))
    plan = Plan.model_construct(detectors={name: load_state(name)[1]})
    assert report_module.calibrations(plan) == {name: load_combination().single[name]}
    assert report_module.calibrations(Plan.model_construct(detectors={name: "0" * 64})) == {}


@pytest.mark.parametrize(
    "labels",
    [[], [1], [0], [1, 0], [1, 0, 0], [1, 1]],
    ids=["none", "fake", "real", "pair", "three", "fakes"],
)
def test_report_of_next_to_nothing(tmp_path: Path, labels: list[int]) -> None:
    """Figures that cannot be had are left out, never NaN."""
    scores = {
        f"i{i}": {"generator": "x", "label": label, "a": 0.6, "b": 0.4} for i, label in enumerate(labels)
    }
    write_run(tmp_path, scores, planned=9)
    report = write_report(tmp_path)
    assert not report["images"]["complete"]
    assert f"{len(labels)} of 9 images, not finished" in report_text(report)
    both = len(set(labels)) == 2
    assert all(("mean" in r) == both for r in report["results"])


def test_report_when_nothing_could_be_read(tmp_path: Path) -> None:
    write_run(tmp_path, {"i": {"generator": "x", "label": 1, "a": None, "b": None}})
    report = write_report(tmp_path)
    assert report["images"]["unreadable"] == 1
    assert "no image that both scored" in report_text(report)


def test_report_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path, made_scores())
    assert command("report", str(tmp_path), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads(json.dumps(make_report(tmp_path)))
    assert command("report", str(tmp_path)) == 0
    text = capsys.readouterr().out
    assert "71 of 71 images; 1 unreadable; data protocol raw, preprocessing tiles, split val" in text
    assert f"{report['results'][0]['mean']['average_precision']['value']:.3f}" in text
    assert "% of reals (no fakes there) called fake" in text
    assert "McNemar p = " in text
    assert command("report", str(tmp_path / "absent")) == 1
    assert "no evaluation run here" in capsys.readouterr().err
