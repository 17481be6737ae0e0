"""Evidence on the Detect page and on the command line, with detectors that answer at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.app.test_detect_degrade import app, assert_clean, home, html, instant_detectors, png, texts, upload
from tests.cli import test_detect
from tests.cli.test_detect import quick, run
from tests.conftest import make_image
from tests.helpers.explain_nets import ChannelsFirst, tiny

__all__ = ["app", "home", "instant_detectors", "quick"]  # fixtures


def choose(app: AppTest, kind: str) -> AppTest:
    app.session_state["evidence_kind"] = kind
    return app.run()


def test_nothing_is_made_before_it_is_asked_for(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("evidence was made unasked")

    monkeypatch.setattr("genimage_core.explain.explain", never)
    upload(app, ("a.png", png(200)))
    assert_clean(app)
    assert "Evidence" in [head.value for head in app.subheader]


def test_there_is_no_evidence_without_a_picture(app: AppTest) -> None:
    assert "Evidence" not in [head.value for head in app.subheader]


@pytest.mark.parametrize("kind", ["noise", "ela"])
def test_evidence_says_what_it_means_and_when_it_misleads(app: AppTest, kind: str) -> None:
    upload(app, ("a.png", png(200)))
    choose(app, kind)
    assert_clean(app)
    assert "What it shows." in texts(app)
    assert "When it misleads." in texts(app)
    assert "gl-words" in html(app)  # the verdict stays


def test_it_is_made_once(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core import explain as package

    made: list[str] = []
    genuine = package.explain
    monkeypatch.setattr(package, "explain", lambda *a, **k: (made.append(a[2]), genuine(*a, **k))[1])
    upload(app, ("a.png", png(200)))
    for kind in ("ela", "noise", "ela"):
        choose(app, kind)
    assert made == ["ela", "noise"]


def test_what_cannot_be_had_is_said_in_words(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core.utils.errors import ExplainError

    def fails(*_: object, **__: object) -> None:
        raise ExplainError("cannot be had.", hint="Try another.", source="Noise")

    monkeypatch.setattr("genimage_core.explain.explain", fails)
    upload(app, ("a.png", png(200)))
    choose(app, "noise")
    assert_clean(app)
    assert "cannot be had" in texts(app)


def test_detect_explain_writes_files(
    quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("genimage_core.detectors.load_detector", lambda name, weights: tiny(ChannelsFirst))
    for name in ("one.png", "two.png"):
        Image.fromarray(make_image(1, 64)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    files = [str(tmp_path / name) for name in ("one.png", "two.png", "bad.png")]
    out = tmp_path / "evidence"
    assert run("detect", *files, "--detectors", test_detect.NAMES[0], "--json", "--explain", str(out)) == 1
    good = [entry for entry in json.loads(capsys.readouterr().out) if "error" not in entry]
    assert len(good) == 2
    for entry in good:
        found = json.loads(Path(entry["evidence"]).read_text())["evidence"]
        assert {"tile_map", "ela"} <= {item["kind"] for item in found}
        for item in found:
            for name in item["files"].values():
                assert (Path(entry["evidence"]).parent / name).is_file()
    assert not (out / "bad.png").exists()


def test_charts_are_drawn_from_the_evidence_alone() -> None:
    from genimage_core.explain import Evidence
    from genimage_core.explain.reference_stats import spectrum_reference
    from pages.components.detect.charts import figures

    version = {"verdict": "fake", "p_fake": 0.9, "detectors": {"a": 0.8}, "flips": []}
    damaged = version | {"p_fake": 0.2, "flips": ["a"]}
    length = len(spectrum_reference().real_low)
    made = {
        "robustness": (
            {"verdict_changes": ["JPEG 30"], "degradations": {"as is": version, "JPEG 30": damaged}},
            {},
        ),
        "score_context": (
            {"a": {"p_fake": 0.7, "n": {"photographs": 3}}},
            {"a/photographs": np.array([0.1, 0.2, 0.3])},
        ),
        "gram_distance": ({"by_depth": {"pixels": 1.0, "stage 1": 2.0}}, {}),
        "spectrum": ({}, {"profile": np.zeros(length)}),
    }
    for kind, (data, arrays) in made.items():
        item = Evidence(kind, kind, "", "", {}, {"a": "A chart."}, data, arrays, "It was found.")
        drawn = figures(item, {"a": "Detector A"})
        assert drawn
        assert all(alt and figure.data for alt, figure in drawn.items())
    heat = next(iter(figures(Evidence("robustness", "", "", "", {}, {}, made["robustness"][0]), {}).values()))
    assert heat.data[0].text[1][1] == "0.80 ⚠"
    assert figures(Evidence("ela", "", "", "", {}, {}, {}), {}) is None
    assert figures(Evidence("attribution", "", "", "", {}, {}, {}), {}) == {}
