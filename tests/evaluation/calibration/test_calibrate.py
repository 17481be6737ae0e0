"""Calibration: lines, combinations, the band and its margin, subsets, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genimage_core.evaluation.calibration import calibrate as calibration
from genimage_core.evaluation.calibration.calibrate import calibrate
from genimage_core.evaluation.calibration.figures import reliability
from genimage_core.evaluation.calibration.fit import fit_logistic, fold_of, platt, temperature
from genimage_core.evaluation.calibration.samples import samples
from genimage_core.evaluation.calibration.unsure_band import (
    Limits,
    allowed,
    answer_figures,
    choose_band,
    choose_high,
    halves,
)
from genimage_core.evaluation.calibration.zones import lean_borders
from genimage_core.metrics.classification import wilson
from genimage_core.utils.errors import EvaluationError
from genimage_core.verdict.combine import Combination, combine, load_combination, subset_key
from tests.cli.test_detect import run

COLUMNS = ["image_id", "generator", "label", "detector", "p_fake"]


def scores(
    n: int,
    skills: dict[str, float],
    generators: tuple[str, ...] = ("g1", "g2"),
    seed: int = 0,
    hot: float = 1.0,
) -> pd.DataFrame:
    """Made-up scores: detector -> distance of the classes in sigmas; `hot` times too sure of themselves."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n):
        label, generator = i % 2, generators[i // 2 % len(generators)]
        for name, skill in skills.items():
            z = rng.normal() + (label - 0.5) * skill
            p = 1 / (1 + np.exp(-z * skill * hot))
            rows.append((f"{generator}/{i}", generator, label, name, p))
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="module")
def fitted() -> tuple[Combination, dict]:
    known = scores(600, {"a": 3.0, "b": 1.5, "c": 0.3}, hot=3.0)
    unseen = scores(500, {"a": 1.0, "b": 0.8, "c": 0.3}, ("u1", "u2"), seed=1, hot=3.0)
    drawings = unseen[unseen["label"] == 0].head(90).assign(generator="not_photo")
    drawings["image_id"] = "not_photo/" + drawings["image_id"]
    return calibrate(known, {}, "made up", band_rows=pd.concat([unseen, drawings]))


def test_each_zone_tells_its_share_of_fakes(fitted: tuple[Combination, dict]) -> None:
    how, figures = fitted
    low, lean_low, lean_high, high = how.borders
    assert low <= lean_low <= lean_high <= high
    shares = [
        how.zones[z].value for z in ("real", "leans_real", "unsure", "leans_fake", "fake") if z in how.zones
    ]
    assert len(shares) >= 4
    assert shares == sorted(shares)
    assert all(s.low is not None and s.low <= s.value <= s.high for s in how.zones.values())  # type: ignore[operator]
    assert figures["zones"]["fake"]["value"] == how.zones["fake"].value
    assert all(subset.lean_low is not None for subset in how.subsets.values())


def test_an_answer_leans_where_the_share_passes_a_quarter_and_three_quarters() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 1, 40_000)
    y = (rng.random(40_000) < p).astype(int)
    assert lean_borders(y, p, 0.1, 0.9) == (pytest.approx(0.25, abs=0.04), pytest.approx(0.75, abs=0.04))
    assert lean_borders(y, p, 0.4, 0.6) == (0.4, 0.6)
    some = np.concatenate(
        [np.flatnonzero(y == 1), np.flatnonzero(y == 0)[::4]]
    )  # classes weigh the same still
    assert lean_borders(y[some], p[some], 0.1, 0.9)[0] == pytest.approx(0.25, abs=0.05)


def test_lines_undo_overconfidence() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 20_000)
    honest = rng.normal(size=20_000) + (y - 0.5) * 1.0  # unit variance: these are log-odds as they are
    assert temperature(4 * honest, y, np.ones(20_000)) == (pytest.approx(0.25, abs=0.02), 0.0)
    slope, shift = platt(4 * honest + 2, y, np.ones(20_000))
    assert (slope, shift) == (pytest.approx(0.25, abs=0.02), pytest.approx(-0.5, abs=0.06))


def test_logistic_fit_recovers_known_weights() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 2))
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * x[:, 0] - 0.3)))).astype(int)
    weights, bias = fit_logistic(x, y, np.ones(20_000), nonnegative=True)
    assert weights == pytest.approx([1.5, 0.0], abs=0.08)
    assert bias == pytest.approx(-0.3, abs=0.08)


def test_a_weight_of_two_is_an_image_that_is_there_twice() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(60, 1)), rng.integers(0, 2, 60)
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    twice = np.concatenate([x, x[:20]]), np.concatenate([y, y[:20]])
    weighted, bias = fit_logistic(x, y, weights, nonnegative=False)
    repeated, same = fit_logistic(*twice, np.ones(80), nonnegative=False)
    assert weighted == pytest.approx(repeated, abs=1e-4)
    assert bias == pytest.approx(same, abs=1e-4)


def test_both_sets_count_the_same_however_many_images_they_hold() -> None:
    known = scores(400, {"a": 3.0, "b": 0.1})
    unseen = scores(80, {"a": 0.1, "b": 3.0}, ("u1", "u2"), seed=1)
    data = samples(known, unseen, {})
    assert data.weight[data.second].sum() == pytest.approx(data.weight[~data.second].sum())
    how, _ = calibrate(known, {}, "made up", band_rows=unseen, fit_on="both")
    assert how.weights["b"] > 0.5 * how.weights["a"]


@pytest.mark.parametrize("n", [100, 180, 448, 2000])
def test_the_margin_keeps_the_upper_bound_under_the_limit(n: int) -> None:
    hits = allowed(n, 0.02)
    if hits is None:
        assert wilson(0, n, 0.8)[1] > 0.02
        return
    assert wilson(hits, n, 0.8)[1] <= 0.02 < wilson(hits + 1, n, 0.8)[1]
    p = np.linspace(0.6, 0.9, n)
    assert (p > choose_high(p)).sum() == hits


def test_too_few_reals_allow_nothing() -> None:
    p = np.linspace(0.1, 0.8, 40)
    assert choose_high(p) == pytest.approx(0.9)


def test_the_band_keeps_to_both_sets_and_always_holds_the_middle() -> None:
    rng = np.random.default_rng(2)
    easy, hard = rng.uniform(0, 0.4, 1000), rng.uniform(0, 0.95, 1000)
    fakes, none = [rng.uniform(0.6, 1, 500), rng.uniform(0.1, 1, 500)], np.zeros(0)
    low, high = choose_band([easy, hard], fakes, none, Limits())
    assert (hard > high).mean() <= 0.02
    assert all((f < low).mean() <= 0.1 for f in fakes)
    narrow = choose_band([easy], [fakes[0]], none, Limits())
    assert narrow == (0.45, 0.55)


def test_the_band_keeps_to_its_limit_on_what_is_no_photograph() -> None:
    rng = np.random.default_rng(4)
    photographs, drawings, fakes = (
        rng.uniform(0, 0.4, 1000),
        rng.uniform(0, 0.9, 400),
        rng.uniform(0.5, 1, 500),
    )
    _, high = choose_band([photographs], [fakes], drawings, Limits())
    assert 0.02 < (drawings > high).mean() <= 0.1
    _, loose = choose_band([photographs], [fakes], drawings, Limits(others=0.5))
    assert loose < high


def test_halves_keep_the_promise_that_the_margin_makes() -> None:
    p = np.random.default_rng(3).beta(2, 4, 1200)
    found = halves(p, np.arange(1200).astype(str))
    assert found["mean"] <= 0.02
    assert found["kept"] > 0.75
    assert found["n"] == 1200


def test_answers_count_each_kind_once() -> None:
    y, p = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0.1, 0.5, 0.9, 0.1, 0.5, 0.9, 0.95])
    found = answer_figures(y, p, 0.3, 0.7)
    assert found["reals_called_fake"]["value"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["fakes_unsure"]["value"] == 0.25
    assert found["accuracy_on_answered"] == {**found["accuracy_on_answered"], "value": 0.6, "n": 5}
    assert "accuracy_on_answered" not in answer_figures(y, np.full(7, 0.5), 0.3, 0.7)


def test_reliability_points_hold_their_interval() -> None:
    y, p = np.array([0, 1, 1, 1]), np.array([0.05, 0.95, 0.95, 1.0])
    first, last = reliability(y, p)
    assert (first["p"], first["share"], first["n"]) == (0.05, 0.0, 1)
    assert (last["share"], last["n"]) == (1.0, 3)
    assert last["low"] <= last["share"] <= last["high"]


def test_groups_never_lie_in_two_folds() -> None:
    rows = scores(100, {"a": 1.0})
    groups = {image: f"group {i // 10}" for i, image in enumerate(rows["image_id"])}
    data = samples(rows, None, groups)
    assert len(set(data.fold)) > 1
    for group in set(data.group):
        assert set(data.fold[data.group == group]) == {fold_of(group)}


def test_calibration_and_band_help(fitted: tuple[Combination, dict]) -> None:
    how, figures = fitted
    assert min(how.weights.values()) >= 0
    for name in "ab":
        each = figures["detectors"][name]["scores"]
        assert each["after"]["ece"]["value"] < each["before"]["ece"]["value"]
        assert figures["log_loss_single"][name]["platt"] < figures["log_loss_single"][name]["none"]
    known, unseen = figures["sets"]["scores"], figures["sets"]["band_scores"]
    assert known["combination"]["ece"]["value"] < 0.08
    assert known["combination"]["auroc"]["value"] > unseen["combination"]["auroc"]["value"] > 0.6
    assert unseen["answers"]["reals_called_fake"]["value"] <= 0.03
    assert set(unseen["generators"]) == {"u1", "u2"}
    assert unseen["no_photographs"]["not_photo"]["reals_called_fake"]["n"] == 30
    assert unseen["combination"]["auroc"]["n"] == 500  # drawings are no photographs
    json.dumps(figures, allow_nan=False)


def test_the_method_with_the_lowest_loss_is_taken(fitted: tuple[Combination, dict]) -> None:
    _, figures = fitted
    losses = {name: row["mean"] for name, row in figures["log_loss"].items() if "agreement" not in name}
    assert losses[figures["method"]] == min(losses.values())


def test_every_choice_of_detectors_has_its_own_weights_and_band(fitted: tuple[Combination, dict]) -> None:
    how, _ = fitted
    assert set(how.subsets) == {"a", "b", "c", "a+b", "a+c", "b+c"}
    verdict = combine({"b": 0.9, "a": 0.9}, how)
    assert verdict.partial
    assert (verdict.low, verdict.high) == (how.subsets["a+b"].low, how.subsets["a+b"].high)
    weak = combine({"c": 0.75}, how)
    assert weak.label == "unsure"  # c knows next to nothing, however sure it is of itself


def test_subsets_are_calibrated(fitted: tuple[Combination, dict]) -> None:
    how, _ = fitted
    fresh = scores(1500, {"a": 3.0, "b": 1.5, "c": 0.3}, seed=9, hot=3.0)
    table = fresh.pivot_table(index=["image_id", "label"], columns="detector", values="p_fake").reset_index()
    p = np.array([combine({"b": b}, how).p_fake for b in table["b"]])
    middle = (p > 0.6) & (p < 0.9)
    assert abs(p[middle].mean() - table["label"][middle].mean()) < 0.08


def test_the_second_set_may_have_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "logistic, ridge .001"
    monkeypatch.setattr(calibration, "COMBINATIONS", {name: calibration.COMBINATIONS[name]})
    known = scores(300, {"a": 3.0, "b": 1.5})
    unseen = scores(300, {"a": 0.0, "b": 2.5}, ("u1", "u2"), seed=1)
    alone, _ = calibrate(known, {}, "x", band_rows=unseen)
    both, figures = calibrate(known, {}, "x", band_rows=unseen, fit_on="both")
    assert both.weights["b"] / both.weights["a"] > alone.weights["b"] / alone.weights["a"]
    assert figures["n_fitted"] == 600


def test_of_combinations_as_good_the_one_on_most_detectors_is_taken() -> None:
    rows = scores(300, {"a": 2.0, "b": 2.0, "c": 2.0})
    how, figures = calibrate(rows, {}, "x")
    near = {n for n, loss in figures["log_loss"].items() if loss["behind"] <= loss["standard_error"]}
    assert figures["method"] in near
    assert min(how.weights.values()) > 0.9 * max(how.weights.values())


def test_sets_without_a_common_detector_are_refused() -> None:
    with pytest.raises(EvaluationError, match="calibrated"):
        calibrate(scores(40, {"a": 1.0}), {}, "x", band_rows=scores(40, {"b": 1.0}, ("u",)))
    reals = scores(40, {"a": 1.0}).query("label == 0")
    with pytest.raises(EvaluationError, match="calibrated"):
        calibrate(reals, {}, "x")


def test_a_stricter_limit_widens_the_band() -> None:
    rows = scores(400, {"a": 1.5})
    loose, _ = calibrate(rows, {}, "x", limits=Limits(0.2, 0.3))
    strict, _ = calibrate(rows, {}, "x", limits=Limits(0.02, 0.05))
    assert strict.low < loose.low
    assert strict.high > loose.high


def test_other_scores_of_the_same_images_are_measured_on_what_was_fitted_without_them() -> None:
    known = scores(400, {"a": 3.0, "b": 1.5}, hot=3.0)
    unseen = scores(300, {"a": 1.0, "b": 0.8}, ("u1", "u2"), seed=1, hot=3.0)
    rows = pd.concat([known, unseen])
    flipped = rows.assign(p_fake=1 - rows["p_fake"])
    some = rows[rows["image_id"].isin(rows["image_id"].unique()[::3])]
    how, figures = calibrate(
        known, {}, "x", band_rows=unseen, also={"same": rows, "flipped": flipped, "some": some}
    )
    plain, _ = calibrate(known, {}, "x", band_rows=unseen)
    assert how.weights == plain.weights
    assert figures["also"]["same"]["sets"] == figures["sets"]
    for part, found in figures["sets"].items():
        auroc = figures["also"]["flipped"]["sets"][part]["combination"]["auroc"]["value"]
        assert auroc == pytest.approx(1 - found["combination"]["auroc"]["value"], abs=1e-3)
    n = [s["combination"]["auroc"]["n"] for s in figures["also"]["some"]["sets"].values()]
    assert sum(n) == some["image_id"].nunique()
    with pytest.raises(EvaluationError, match="lack a detector"):
        calibrate(known, {}, "x", also={"half": known[known["detector"] == "a"]})
    with pytest.raises(EvaluationError, match="other images"):
        calibrate(known, {}, "x", also={"other": unseen})
    with pytest.raises(EvaluationError, match="other images"):
        calibrate(known, {}, "x", also={"reals": known[known["label"] == 0]})


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, skill, generators in (("known", 2.0, ("g",)), ("unseen", 1.0, ("u",))):
        (tmp_path / folder).mkdir()
        for name in ("spec", "resnet50"):
            rows = scores(200, {name: skill}, generators, seed=len(name))
            rows.to_csv(tmp_path / folder / f"{name}.csv", index=False)
    out, figures = tmp_path / "combination.json", tmp_path / "figures" / "known_calibration.json"
    arguments = ("--scores", str(tmp_path / "known"), "--band-scores", str(tmp_path / "unseen"))
    assert (
        run("dev", "calibrate", *arguments, "--fitted-on", "x", "--out", str(out), "--figures", str(figures))
        == 0
    )
    how, found = load_combination(out), json.loads(figures.read_text())
    assert set(how.weights) == {"spec", "resnet50"}
    assert subset_key(["spec"]) in how.subsets
    assert found["band"]["high"] == how.high
    assert found["sets"]["band_scores"]["answers"]["reals_called_fake"]["n"] == 100
    assert str(tmp_path / "known") not in found["scores"]
    assert "combination" in capsys.readouterr().out
    again = f"again={tmp_path / 'known'},{tmp_path / 'unseen'}"
    fixed = ("--fitted-on", "x", "--out", str(out), "--figures", str(figures))
    assert run("dev", "calibrate", *arguments, *fixed, "--also", again) == 0
    assert json.loads(figures.read_text())["also"]["again"]["sets"] == found["sets"]
    assert "again, scores: auroc" in capsys.readouterr().out
    assert run("dev", "calibrate", *arguments, *fixed, "--also", "again") == 2
    assert "NAME=FOLDER" in capsys.readouterr().err
