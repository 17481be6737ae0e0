"""The public calls give what the command line gives."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genimage_core
from genimage_core.utils.errors import DegradationError, EvaluationError, ImageReadError, UnknownDetectorError
from tests.conftest import make_image

DETECTOR = "gramnet"  # the smallest


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.fromarray(make_image(3)).save(path)
    return path


def test_detect_gives_the_detectors_own_score_from_path_and_bytes(picture: Path) -> None:
    report = genimage_core.detect(picture, detectors=DETECTOR)
    direct = genimage_core.load_detector(DETECTOR).predict([make_image(3)])[0]
    assert report.detectors == {DETECTOR: pytest.approx(float(direct), abs=1e-4)}
    assert report.verdict in ("fake", "real", "unsure")
    assert any("Only some of the detectors" in note for note in report.notes)
    again = genimage_core.detect(picture.read_bytes(), detectors=DETECTOR)
    assert again.p_fake == pytest.approx(report.p_fake)


def test_weights_of_the_papers_setting_are_found_by_name(picture: Path) -> None:
    report = genimage_core.detect(picture, detectors="resnet50", weights="sd_v1")
    other = genimage_core.detect(picture, detectors="resnet50")
    assert report.detectors != other.detectors
    assert any("bundled weights" in note for note in report.notes)
    assert not any("bundled weights" in note for note in other.notes)


def test_detect_degrades_first(picture: Path) -> None:
    damaged = io.BytesIO()
    Image.fromarray(genimage_core.degrade(picture, "blur:3")).save(damaged, "PNG")
    first = genimage_core.detect(damaged.getvalue(), detectors=DETECTOR)
    second = genimage_core.detect(picture, detectors=DETECTOR, degrade="blur:3")
    assert second.detectors == pytest.approx(first.detectors)


def test_degrade_takes_pixels_too(picture: Path) -> None:
    assert np.array_equal(
        genimage_core.degrade(make_image(3), "jpeg:30"), genimage_core.degrade(picture, "jpeg:30")
    )
    assert genimage_core.degrade(picture, "lowres:64:down").shape == (64, 64, 3)


def test_errors_are_typed(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageReadError):
        genimage_core.detect(b"no picture", detectors=DETECTOR)
    with pytest.raises(UnknownDetectorError):
        genimage_core.detect(picture, detectors="nonsense")
    with pytest.raises(DegradationError):
        genimage_core.degrade(picture, "melt:3")
    with pytest.raises(EvaluationError, match="colour"):
        genimage_core.evaluate(tmp_path, colour="red")


def test_evaluate_reports_on_a_data_set_and_keeps_a_run_where_asked(
    toy_dataset: Path, tmp_path: Path
) -> None:
    report = genimage_core.evaluate(toy_dataset, detectors=DETECTOR, limit=2, out=tmp_path / "run")
    assert report["images"] == {"planned": 8, "done": 8, "unreadable": 0, "complete": True}
    assert (tmp_path / "run").is_dir()
    fleeting = genimage_core.evaluate(toy_dataset, detectors=DETECTOR, limit=2)
    assert fleeting["results"] == report["results"]
