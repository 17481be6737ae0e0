"""The kept report on a sample: found again for the same weights and combination, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genimage_core.datasets.samples import Sample, shown_samples
from genimage_core.verdict import combine as verdict
from pages.components.home import example_report


class Brightness:
    """Answers with the image's brightness under the weights that it is said to have."""

    def __init__(self, weights_id: str) -> None:
        self.weights_id = weights_id

    def predict(self, images: list[np.ndarray], preprocessing: str = "tiles") -> np.ndarray:
        return np.array([image.mean() / 255 for image in images], np.float32)


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sample:
    found = shown_samples()[0]
    monkeypatch.setenv("GENIMAGE_CACHE", str(tmp_path))
    monkeypatch.setattr(example_report, "trained_detectors", lambda: ["deit_s", "spec"])
    return found


def bundled() -> Any:
    return {name: Brightness(example_report.weights_id(name)) for name in ("deit_s", "spec")}


def test_a_report_is_found_again(sample: Sample) -> None:
    assert example_report.find_report(sample) is None
    made = example_report.make_report(sample, bundled())
    assert example_report.find_report(sample) == made
    assert set(made.detectors) == {"deit_s", "spec"}


def test_other_weights_or_another_combination_find_nothing(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    example_report.make_report(sample, bundled())
    with monkeypatch.context() as patch:
        patch.setattr(example_report, "weights_id", lambda name: "other")
        assert example_report.find_report(sample) is None
    other = tmp_path / "combination.json"
    other.write_text(verdict.PATH.read_text() + "\n")
    monkeypatch.setattr(example_report, "COMBINATION", other)
    assert example_report.find_report(sample) is None


@pytest.mark.parametrize("names", [("deit_s",), ("deit_s", "spec")])
def test_what_not_all_bundled_detectors_said_is_not_kept(sample: Sample, names: tuple[str, ...]) -> None:
    some = {name: Brightness("not the bundled ones" if len(names) == 2 else example_report.weights_id(name))
            for name in names}  # fmt: skip
    assert example_report.make_report(sample, some).detectors  # type: ignore[arg-type]
    assert example_report.find_report(sample) is None


def test_a_damaged_file_is_made_again(sample: Sample, tmp_path: Path) -> None:
    example_report.make_report(sample, bundled())
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text("{")
    assert example_report.find_report(sample) is None
    example_report.make_report(sample, bundled())
    assert example_report.find_report(sample) is not None
