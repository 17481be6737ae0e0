"""The study in the wild, on scores that the test makes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from genimage_core.evaluation.export import read_scores
from genimage_core.results.plots_wild import METRICS, wild_figure, wild_frame
from genimage_core.results.wild import load_wild, threshold, wild_row
from genimage_core.studies.wild import add_combination, same_images, scores_of, write_scores, write_wild
from genimage_core.utils.errors import EvaluationError

KINDS = (
    ("ai", "old", 2022),
    ("ai", "new", 2026),
    ("nature", "photographs", ""),
    ("not_photo", "not_photo", ""),
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["path,label,source,generator,year"]
    for kind, (label, generator, year) in enumerate(KINDS):
        for i in range(24):
            name = f"{kind}-{i}.png"
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
            lines.append(f"{name},{label},source-{kind}-{i % 6},{generator if label == 'ai' else ''},{year}")
    path = tmp_path / "wild.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _held_out(folder: Path, name: str, strength: dict[str, float], seed: int) -> str:
    """Scores that tell each kind from the others by `strength` standard deviations of the log-odds."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"{kind}-{i}.png", degradation, 1 / (1 + np.exp(-rng.normal(strength[generator], 1))))
        for degradation in ("none", "jpeg:50")
        for kind, (_, generator, _) in enumerate(KINDS)
        for i in range(24 if degradation == "none" else 12)
    ]
    path = folder / f"{name}.csv"
    pd.DataFrame(rows, columns=["image_id", "degradation", "p_fake"]).to_csv(path, index=False)
    return f"{name}={path}"


@pytest.fixture
def rows(manifest: Path) -> pd.DataFrame:
    weak = {"old": 1.5, "new": 0.0, "photographs": 0.0, "not_photo": 0.5}
    strong = {"old": 4.0, "new": 4.0, "photographs": -4.0, "not_photo": -1.0}
    entries = [_held_out(manifest.parent, "spec", weak, 0), _held_out(manifest.parent, "clip_b", strong, 1)]
    return same_images(scores_of([], entries, manifest))


def test_ids_and_sources_are_hashes(rows: pd.DataFrame) -> None:
    assert rows["image_id"].str.fullmatch(r"[0-9a-f]{16}").all()
    assert rows["source"].str.fullmatch(r"[0-9a-f]{8}").all()
    assert rows["source"].nunique() == 24
    assert set(rows["group"]) == {"old", "new", "photographs", "not_photo"}


def test_an_image_that_is_not_listed_is_told(manifest: Path) -> None:
    path = manifest.parent / "x.csv"
    path.write_text("image_id,degradation,p_fake\nelse.png,none,0.5\n")
    with pytest.raises(EvaluationError, match="manifest"):
        scores_of([], [f"spec={path}"], manifest)


def test_threshold_lets_no_more_pass() -> None:
    scores = np.linspace(0, 1, 100)
    for passing in (0.0, 0.02, 0.05):
        assert (scores > threshold(scores, passing)).mean() <= passing


def test_a_row_tells_strong_from_weak(rows: pd.DataFrame) -> None:
    clean = rows[rows["degradation"] == "none"]
    found = {
        name: wild_row(str(name), "none", part, ["old", "new"]) for name, part in clean.groupby("detector")
    }
    assert found["clip_b"].auroc.value > 0.99 > found["spec"].auroc.value
    assert abs(found["spec"].families["new"].value - 0.5) < 0.2 < found["spec"].families["old"].value - 0.5
    assert found["clip_b"].caught.value > 0.9 > found["spec"].caught.value
    assert found["clip_b"].auroc.low <= found["clip_b"].auroc.value <= found["clip_b"].auroc.high
    assert found["clip_b"].auroc.n == 72


def test_the_study_is_written_and_read(rows: pd.DataFrame, tmp_path: Path) -> None:
    found = write_wild(add_combination(rows), tmp_path / "out" / "wild", ["the command"])
    again = load_wild(tmp_path / "out" / "wild.json")
    assert again == found
    assert list(found.families) == ["old", "new"]
    assert found.families["new"] == (2026, 24, 6)
    assert found.images == {"ai": 48, "photographs": 24, "not_photo": 24}
    assert found.degradations == ["none", "jpeg:50"]
    together = next(r for r in found.rows if r.detector == "combination" and r.degradation == "none")
    assert together.auroc.value > 0.97
    scores = pd.read_csv(tmp_path / "out" / "wild" / "scores" / "clip_b.csv")
    assert len(scores) == 96 + 48
    for metric in METRICS:
        figure = wild_figure(found, metric, "none", {"clip_b": "CLIP"})
        assert {str(name) for trace in figure.data for name in (trace.y if trace.y is not None else ())} >= {
            "CLIP"
        }
        assert wild_frame(found, metric, "none", {}).shape == (3, 4)


def test_scores_are_what_calibrate_takes(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_scores(rows, tmp_path)
    found = read_scores(tmp_path, ["spec", "clip_b"])
    assert set(found["generator"]) == {"old", "new", "photographs", "not_photo"}
    assert len(found) == 2 * 96
    sources = pd.read_csv(tmp_path / "manifest.csv")
    assert set(sources["path"]) == set(found["image_id"])
