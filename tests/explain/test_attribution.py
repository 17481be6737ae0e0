"""Which generator? The fit, its threshold, the evidence, and the model that is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from genimage_core.detectors import Detector, build_network, load_detector
from genimage_core.detectors.registry import register_detector
from genimage_core.detectors.weights.store import file_sha256, load_state, save_packed
from genimage_core.explain import explain
from genimage_core.explain.attribution_model import (  # fmt: skip
    FACTS,
    FOLDER,
    NONE,
    WEIGHTS,
    Attribution,
    Facts,
    Origin,
    attribute,
    confusion_frame,
    in_short,
    load_attribution,
    trunk_sha256,
)
from genimage_core.explain.evidence import Subject
from genimage_core.explain.kinds import attribution as which_generator
from genimage_core.metrics.classification import share
from genimage_core.results.image_scores import PHOTOGRAPHS
from genimage_core.training.fit_attribution import (  # fmt: skip
    LEAST_RIGHT,
    MOST_STRANGERS,
    Validation,
    choose_threshold,
    confusion,
    fit_attribution_run,
    fit_classes,
    shipped_trunk,
)
from genimage_core.training.heads.fit import HeadPlan
from genimage_core.utils.errors import ExplainError, TrainingError, WeightsError
from tests.conftest import make_image
from tests.helpers.doc_commands import ROOT
from tests.training.test_heads import TinyTaps, silent

SIDE = 96


def picture(seed: int, generator: str) -> np.ndarray:
    """`alpha` leaves a checkerboard, `beta` broad stripes, anybody else nothing."""
    image = make_image(seed, SIDE, fake=generator == "alpha").astype(int)
    if generator == "beta":
        image += 60 * ((np.arange(SIDE) // 6) % 2)[None, :, None] - 30
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generators, a third that is only there for testing, and photographs beside each."""
    root = tmp_path_factory.mktemp("attribution") / "data"
    seed = 0
    for generator, splits in (("alpha", (16, 12)), ("beta", (16, 12)), ("gamma", (0, 12))):
        for split, count in zip(("train", "val"), splits, strict=True):
            for label in ("ai", "nature"):
                folder = root / generator / split / label
                folder.mkdir(parents=True)
                for i in range(count):
                    seed += 1
                    made = picture(seed, generator if label == "ai" else "")
                    Image.fromarray(made).save(folder / f"{i}.png")
    return root


@pytest.fixture
def plan(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HeadPlan:
    from genimage_core.detectors import registry

    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register_detector(TinyTaps)
    init = tmp_path / "trunk.safetensors"
    net = build_network("tiny_taps", seed=1)
    save_file({k: v for k, v in net.state_dict().items() if "body" in k}, init)
    save_packed("tiny_taps", net.state_dict(), tmp_path / "set", bits=8, group=32, facts={})
    # One cache for all tests: the trunk is always the same.
    return HeadPlan(data, init, data.parent / "features", "tiny_taps", inverse_penalty=1e-2)


def tiny_detector(folder: Path) -> Detector:
    return load_detector("tiny_taps", weights=folder, device="cpu", runtime="torch")


def test_what_is_fitted_names_its_generators_and_nobody_else(plan: HeadPlan, tmp_path: Path) -> None:
    facts = fit_attribution_run(plan, tmp_path / "out", {}, silent, weights=tmp_path / "set", checked=4)
    assert facts.classes == ["alpha", "beta", NONE]
    assert facts.manifest["fitted_on"] == {"alpha": 16, "beta": 16, NONE: 32}
    rows = {row.origin: row for row in facts.confusion}
    assert list(rows) == ["alpha", "beta", "gamma", PHOTOGRAPHS]
    assert rows["alpha"].right + rows["beta"].right >= 6
    assert rows["alpha"].wrong == rows["beta"].wrong == 0
    assert facts.manifest["packed_trunk"]["n"] == 4
    assert facts.manifest["packed_trunk"]["largest_change"] < 0.1

    model, detector = load_attribution(tmp_path / "out"), tiny_detector(tmp_path / "set")
    assert model.facts == facts
    found = [model.name(attribute(picture(9000 + i, "alpha"), detector, model)) for i in range(6)]
    assert found.count("alpha") >= 3
    assert set(found) <= {"alpha", None}
    assert np.isclose(attribute(picture(1, ""), detector, model).sum(), 1)


def test_another_trunk_is_told_not_guessed_about(plan: HeadPlan, tmp_path: Path) -> None:
    facts = fit_attribution_run(plan, tmp_path / "out", {}, silent, weights=tmp_path / "set", checked=0)
    model = load_attribution(tmp_path / "out")
    other = build_network("tiny_taps", seed=2)
    save_packed("tiny_taps", other.state_dict(), tmp_path / "other", bits=8, group=32, facts={})
    with pytest.raises(WeightsError, match="cannot answer"):
        attribute(picture(1, "alpha"), tiny_detector(tmp_path / "other"), model)
    with pytest.raises(TrainingError, match="trunk is not the one"):
        fit_attribution_run(plan, tmp_path / "no", {}, silent, weights=tmp_path / "other")
    # Another head on the same trunk changes nothing.
    own = build_network("tiny_taps", seed=1).state_dict()
    own["head.bias"] = own["head.bias"] + 1
    save_packed("tiny_taps", own, tmp_path / "refitted", bits=8, group=32, facts={})
    assert shipped_trunk("tiny_taps", tmp_path / "refitted", own) == facts.trunk_sha256


def test_generators_can_be_chosen_and_unknown_ones_are_refused(plan: HeadPlan, tmp_path: Path) -> None:
    options = {"weights": tmp_path / "set", "checked": 0}
    facts = fit_attribution_run(plan, tmp_path / "a", {}, silent, classes=["alpha"], **options)  # type: ignore[arg-type]
    assert facts.generators == ["alpha"]
    assert facts.manifest["fitted_on"][NONE] == 48
    with pytest.raises(TrainingError, match="alpha, beta"):
        fit_attribution_run(plan, tmp_path / "b", {}, silent, classes=["gamma"], **options)  # type: ignore[arg-type]


def test_damaged_files_are_a_typed_error(tmp_path: Path) -> None:
    for name in (FACTS, WEIGHTS):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    assert load_attribution(tmp_path).facts == load_attribution().facts
    load_attribution.cache_clear()
    (tmp_path / WEIGHTS).write_bytes((FOLDER / WEIGHTS).read_bytes() + b"\0")
    with pytest.raises(WeightsError, match="missing or damaged"):
        load_attribution(tmp_path)
    with pytest.raises(WeightsError, match="missing or damaged"):
        load_attribution(tmp_path / "nowhere")


def test_the_fit_agrees_with_its_folded_form() -> None:
    rng = np.random.default_rng(0)
    labels = ["one", "two", NONE] * 30
    centres = {"one": (3, 0), "two": (0, 3), NONE: (0, 0)}
    x = np.array([centres[name] for name in labels]) + rng.normal(0, 0.4, (90, 2))
    x = (np.hstack([x, rng.normal(size=(90, 6))]) * np.geomspace(0.1, 40, 8) + 5).astype(np.float16)
    weight, bias = fit_classes(x, labels, ["one", "two", NONE], 1.0)
    guess = np.array(["one", "two", NONE])[(x.astype(np.float32) @ weight.T + bias).argmax(1)]
    assert (guess == np.array(labels)).mean() > 0.95


def validation(rows: list[tuple[str, bool, str, float]]) -> Validation:
    origin, second, top, p = zip(*rows, strict=True)
    return Validation(np.array(origin), np.array(second), np.array(top), np.array(p))


def test_the_threshold_keeps_both_promises_on_its_own_half() -> None:
    rows = [("alpha", False, "alpha", 0.9)] * 50 + [("beta", False, "alpha", 0.6)] * 5
    rows += [("gamma", False, "alpha", 0.7)] * 10 + [("gamma", False, NONE, 0.99)] * 90
    rows += [("gamma", True, "alpha", 0.95)] * 50  # the other half has no say
    val = validation(rows)
    threshold = choose_threshold(val, ["alpha", "beta"])
    assert 0.70 < threshold < 0.71
    named = (val.p >= threshold) & (val.top != NONE) & ~val.second
    assert named[val.origin == "gamma"].sum() <= MOST_STRANGERS * 100
    assert (val.top == val.origin)[named].mean() >= LEAST_RIGHT
    with pytest.raises(TrainingError, match="no threshold"):
        choose_threshold(validation([("alpha", False, "beta", 0.99)] * 20), ["alpha", "beta"])


def test_the_matrix_counts_each_image_of_its_half_once() -> None:
    val = validation(
        [("alpha", True, "alpha", 0.9)] * 3
        + [("alpha", True, "beta", 0.9)]
        + [("alpha", True, "alpha", 0.4), ("alpha", False, "alpha", 0.9), ("beta", True, NONE, 0.9)]
        + [("gamma", True, "beta", 0.8), (PHOTOGRAPHS, True, NONE, 0.9)]
    )
    found = confusion(val, ["alpha", "beta"], 0.5)
    assert [row.origin for row in found] == ["alpha", "beta", "gamma", PHOTOGRAPHS]
    assert (found[0].n, found[0].right, found[0].wrong) == (5, 3, 1)
    assert found[2] == Origin(origin="gamma", known=False, n=1, named={"beta": 1})


# The evidence


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The shipped facts with a model that answers what the test wants, for a verdict that it wants."""
    wanted: dict[str, object] = {"label": "fake", "p": 1.0, "withheld": False}
    facts = load_attribution().facts

    def answer(*_: object) -> np.ndarray:
        p = np.full(len(facts.classes), (1 - float(wanted["p"])) / (len(facts.classes) - 1))  # type: ignore[arg-type]
        p[facts.classes.index("dalle2")] = wanted["p"]
        return p

    class Verdict:
        label = property(lambda _: wanted["label"])
        withheld = property(lambda _: wanted["withheld"])

    monkeypatch.setattr(which_generator, "attribute", answer)
    monkeypatch.setattr(which_generator, "judge", lambda scores, kind: Verdict())
    return wanted


def evidence() -> dict[str, object]:
    found = explain(make_image(1), {"dinov2": object()}, "attribution", scores={"dinov2": 0.9})  # type: ignore[dict-item]
    assert set(found.images) == set(found.alts) == {"attribution"}
    json.dumps(found.as_dict(), allow_nan=False)
    return {"words": found.alts["attribution"], **found.data}


def test_above_the_threshold_a_name_comes_with_what_it_is_worth(
    asked: dict[str, object],
) -> None:
    found = evidence()
    assert found["named"] == "dalle2"
    assert found["test"] == load_attribution().facts.origins_of("dalle2")
    assert "dalle2" in str(found["words"])
    assert str(sum(found["test"].values())) in str(found["words"])  # type: ignore[attr-defined]


def test_nothing_is_named_below_the_threshold(asked: dict[str, object]) -> None:
    asked["p"] = load_attribution().facts.threshold - 0.01
    found = evidence()
    assert found["named"] is None
    assert "probability" not in found
    assert "dalle2" not in str(found["words"])


@pytest.mark.parametrize(("key", "value"), [("label", "real")])
def test_nothing_is_named_when_the_verdict_is_a_photograph(
    asked: dict[str, object], key: str, value: str
) -> None:
    asked[key] = value
    found = evidence()
    assert found["named"] is None
    assert "dalle2" not in str(found["words"])
    assert "verdict" in str(found["why_not"])


def test_without_a_verdict_nothing_is_named() -> None:
    subject = Subject(make_image(1), {}, {"nobody_knows_it": 0.9})
    assert "no verdict" in which_generator.why_silent(subject)


def test_another_network_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    net = build_network("gramnet")
    detector = Detector(net, next(net.parameters()).device, "other")
    with pytest.raises(ExplainError, match="another network"):
        explain(make_image(1), {"dinov2": detector}, "attribution", scores={"dinov2": 0.9})


# What is shipped


def test_the_shipped_files_belong_together_and_to_the_shipped_detector() -> None:
    facts = load_attribution().facts
    assert facts.weights_sha256 == file_sha256(FOLDER / WEIGHTS)
    assert (FOLDER / WEIGHTS).stat().st_size < 2_000_000
    assert len(facts.generators) == 8
    assert facts.trunk_sha256 == trunk_sha256(load_state(facts.detector)[0])


def test_the_shipped_figures_are_those_of_the_matrix() -> None:
    facts = load_attribution().facts
    known = [row for row in facts.confusion if row.known]
    named, right = sum(r.right + r.wrong for r in known), sum(r.right for r in known)
    n = sum(row.n for row in known)
    assert facts.figures["known_named"] == share(np.arange(n) < named).as_dict()
    assert facts.figures["named_right"] == share(np.arange(named) < right).as_dict()
    assert facts.figures["named_right"]["value"] >= 0.9
    frame = confusion_frame(facts)
    assert (frame.drop(columns="images").sum(axis=1) == frame["images"]).all()
    assert f"n = {n}" in in_short(facts)


def test_probabilities_are_of_the_mean_log_odds() -> None:
    facts = replace_classes(load_attribution().facts, ["a", "b"])
    model = Attribution(facts, np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), np.zeros(2, np.float32))
    p = model.probabilities(np.array([[2.0, 0.0], [0.0, 0.0]]))
    assert p[0] == pytest.approx(1 / (1 + np.exp(-1)))


def replace_classes(facts: Facts, classes: list[str]) -> Facts:
    return facts.model_copy(update={"classes": classes})


def test_the_studies_page_shows_the_matrix() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.switch_page("pages/studies.py").run()
    assert not app.exception
    assert "Which generator?" in [tab.label for tab in app.tabs]
    facts = load_attribution().facts
    shown = "\n".join(text.value for text in app.markdown)
    assert in_short(facts) in shown
    assert any(list(table.value.index) == [row.origin for row in facts.confusion] for table in app.table)
