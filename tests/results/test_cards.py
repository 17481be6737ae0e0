"""Cards: figures from the measured files and nowhere else, the same for the app, the hub and the docs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from genimage_core.detectors import detector_info, list_detectors
from genimage_core.results import cards
from genimage_core.results import cards as card_tables
from genimage_core.results.cards import (
    FOLDER,
    bundled_card,
    bundled_entry,
    card_text,
    in_words,
    left_out,
    measured_results,
    measurements,
    model_card,
    write_cards,
)
from genimage_core.utils.errors import GenImageError
from tests.cli.test_detect import run
from tests.helpers.doc_commands import ROOT

NAMES = list_detectors()


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_hold_the_cards_that_the_command_writes_now(name: str) -> None:
    kept = (ROOT / FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert kept == str(bundled_card(name)), "run `python -m genimage_core dev cards`"


def test_the_docs_hold_no_card_of_an_unknown_detector() -> None:
    assert {path.stem for path in (ROOT / FOLDER).glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_words_beside_a_class_repeat_nothing_that_is_generated(name: str) -> None:
    entry, weights_id = bundled_entry(name)
    assert entry is not None
    words = detector_info(name).card_path.read_text(encoding="utf-8")
    measured = measurements(name, weights_id)
    figures = [f["value"] for m in measured for f in m.pooled.values()]
    figures += [f["value"] for m in measured for g in m.generators.values() for f in g.values()]
    shown = {f"{value:.{digits}f}".lstrip("0") for value in figures for digits in (3, 4)}
    shown |= {str(entry["training"][key]) for key in ("files", "fakes", "data_sha256")} | {weights_id}
    assert not [figure for figure in shown if re.search(rf"(?<!\d){re.escape(figure)}(?!\d)", words)]
    assert "## What it must not be used for" in words


def test_a_card_shows_the_measured_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_tables, "MEASURED", tmp_path)
    figure = {"value": 0.1234, "low": 0.1, "high": 0.15, "n": 77}
    content = {
        "manifest": {"weights_sha256": "ab" * 32, "data_sha256": "cd" * 32, "degradation": "jpeg:65"},
        "pooled": {"auroc": figure, "accuracy": figure},
        "generators": {"alpha": {"auroc": figure}, "drawings": {"accuracy": figure}},
    }
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "resnet50.json").write_text(json.dumps(content))
    (tmp_path / "some.json").write_text(json.dumps({"title": "A set"}))
    monkeypatch.setattr(cards, "measurements", lambda name, digest: measurements(name, digest, tmp_path))
    info = detector_info("resnet50")
    card = model_card(info, {"files": []}, "ab" * 32)
    assert "## Figures: A set" in card.text
    assert "| alpha | 0.123 (0.100 to 0.150) | – | 77 |" in card.text
    assert "| drawings | – | 0.123 (0.100 to 0.150) | 77 |" in card.text
    _, head, _ = str(card).split("---\n", 2)
    (model,) = yaml.safe_load(head)["model-index"]
    assert model["name"] == info.title
    values = [metric["value"] for result in model["results"] for metric in result["metrics"]]
    assert values == [0.1234] * 4
    assert {result["dataset"]["revision"] for result in model["results"]} == {"cd" * 32}
    other = model_card(info, {"files": []}, "ef" * 32)
    assert "Nothing was measured with these weights yet" in other.text
    assert "model-index" not in str(other).split("---\n", 2)[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_names_weights_and_data_by_their_hash(name: str) -> None:
    entry, weights_id = bundled_entry(name)
    assert entry is not None
    text = bundled_card(name).text
    assert weights_id in text
    assert entry["training"]["data_sha256"] in text
    for figure in entry["packing_loss"]["accuracy_packed"], entry["packing_loss"]["accuracy_float"]:
        assert in_words(figure) in text
    for one in measurements(name, weights_id):
        assert in_words(one.pooled["auroc"]) in text


def test_leave_one_out_stands_only_where_the_trunk_is_the_one_measured() -> None:
    entry, _ = bundled_entry("dinov2")
    assert entry is not None
    other = {"training": {**entry["training"], "init_sha256": "0" * 64}}
    assert left_out("dinov2", other) == []
    assert left_out("resnet50", entry) == []


def test_results_of_other_weights_are_not_claimed() -> None:
    assert measured_results("resnet50", "0" * 64) == []


def test_a_detector_without_words_or_weights_has_a_card_too(tmp_path: Path) -> None:
    info = replace(detector_info("resnet50"), name="mine", title="Mine", card_path=tmp_path / "mine.md")
    text = card_text(info, None, "")
    assert text.startswith("# Mine\n")
    assert "has none for this detector" in text
    assert "# Mine" not in card_text(info, None, "", title=False)


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run("dev", "cards", "--out", str(tmp_path / "cards"), "--detectors", "spec,dinov2")
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == ["spec.md", "dinov2.md"]
    assert (tmp_path / "cards" / "spec.md").read_text() == str(bundled_card("spec"))
    (tmp_path / "file").write_text("")
    with pytest.raises(GenImageError, match="cannot be written"):
        write_cards(tmp_path / "file" / "below", ["spec"])
