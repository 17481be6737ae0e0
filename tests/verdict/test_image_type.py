"""What a picture looks like: the measures, the fit and its modesty, the command, what is bundled."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.images.degradations import parse
from genimage_core.training.fit_image_type import Gathered, fit_image_type, gather
from genimage_core.utils.errors import TrainingError, WeightsError
from genimage_core.verdict.image_type import (
    CLASSES,
    KINDS,
    WITHHOLDS,
    ImageType,
    classify_image_type,
    decide,
    load_model,
)
from genimage_core.verdict.image_type_features import FEATURES, image_type_features, tile_corners
from tests.cli.test_detect import run
from tests.helpers.image_type_images import MAKERS, document, photograph, screen


def feature(image: np.ndarray, name: str) -> float:
    return float(image_type_features(image)[FEATURES.index(name)])


@pytest.mark.parametrize("shape", [(1, 1), (3, 300), (15, 15), (256, 256), (257, 255), (600, 1400)])
def test_any_size_has_finite_features(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for picture in (image, np.zeros_like(image), np.full_like(image, 255)):
        found = image_type_features(picture)
        assert found.shape == (len(FEATURES),)
        assert np.isfinite(found).all()


def test_tiles_reach_every_edge_and_are_few() -> None:
    assert tile_corners(256, 200) == [(0, 0)]
    assert tile_corners(4000, 3000)[-1] == (4000 - 256, 3000 - 256)
    assert len(tile_corners(4000, 3000)) == 9
    assert tile_corners(256, 300) == [(0, 0), (0, 44)]


def test_the_measures_say_what_their_names_say() -> None:
    photo, window, page = photograph(0), screen(0), document(0)
    assert feature(window, "colours") < feature(photo, "colours")
    assert feature(window, "same_both") > 0.5 > feature(photo, "same_both")
    assert feature(window, "upright_edges") > feature(photo, "upright_edges")
    assert feature(page, "white_share") > 0.4 > feature(photo, "white_share")
    assert feature(page, "two_tones") > feature(photo, "two_tones")
    assert feature(photo, "noise") > feature(window, "noise")
    grey = np.repeat(photo.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    assert feature(grey, "grey_share") == 1.0


def test_jpeg_moves_the_measures_less_than_the_kind_does() -> None:
    window, photo = screen(1), photograph(1)
    for name in ("flat_8", "top_16_colours", "white_share", "upright_edges"):
        moved = abs(feature(parse("jpeg:75")(window), name) - feature(window, name))
        assert moved < abs(feature(window, name) - feature(photo, name))


def test_features_are_fast() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    image_type_features(image)
    start = time.process_time()
    image_type_features(image)
    assert time.process_time() - start < 0.5  # 30 ms on an idle core; machines under test are not idle


@pytest.fixture(scope="module")
def made() -> tuple[Gathered, Gathered]:
    def some(start: int, count: int) -> Gathered:
        pairs = [(kind, make(seed)) for kind, make in MAKERS.items() for seed in range(start, start + count)]
        x = np.array([image_type_features(image) for _, image in pairs])
        names = np.array([f"{kind}{i}" for i, (kind, _) in enumerate(pairs)])
        return Gathered(x, np.array([kind for kind, _ in pairs]), names, names)

    return some(0, 24), some(100, 12)


def test_the_fit_tells_kinds_it_has_not_seen(made: tuple[Gathered, Gathered]) -> None:
    model = fit_image_type(*made)
    assert "graphic" in model.thresholds
    assert all(figure["value"] >= 0.9 for figure in model.figures["precision"].values())
    assert classify_image_type(screen(500), model).kind == "graphic"
    assert classify_image_type(document(500), model).kind == "graphic"
    found = classify_image_type(photograph(500, 600), model)
    assert found.kind in (None, "photograph")
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_a_kind_that_cannot_be_told_is_never_said(made: tuple[Gathered, Gathered]) -> None:
    train, val = made
    mixed = train.kind.copy()
    either = np.isin(train.kind, ["drawing", "photograph"])
    mixed[either] = np.random.default_rng(0).permutation(mixed[either])
    model = fit_image_type(Gathered(train.x, mixed, train.group, train.image_id), val)
    assert "drawing" not in model.thresholds


def test_generated_images_need_no_kind(made: tuple[Gathered, Gathered]) -> None:
    train, val = made
    kinds = train.kind.copy()
    kinds[np.flatnonzero(kinds == "drawing")[::2]] = "ai"
    kinds[np.flatnonzero(kinds == "photograph")[::2]] = "ai"
    model = fit_image_type(Gathered(train.x, kinds, train.group, train.image_id), val)
    assert model.figures["n_train"]["ai"] == 24
    assert classify_image_type(screen(501), model).kind == "graphic"


def test_a_missing_kind_is_an_error(made: tuple[Gathered, Gathered]) -> None:
    train, val = made
    with pytest.raises(TrainingError, match="no training images"):
        fit_image_type(train.of(train.kind != "render"), val)


def test_below_its_threshold_nothing_is_said() -> None:
    p = np.array([0.1, 0.1, 0.2, 0.6])
    assert decide(p, {"graphic": 0.5}) == "graphic"
    assert decide(p, {"graphic": 0.7}) is None
    assert decide(p, {"drawing": 0.05}) is None


def test_only_some_kinds_withhold_a_verdict() -> None:
    for kind in KINDS:
        assert ImageType(kind=kind, probabilities={}).withholds == (kind in WITHHOLDS)
    assert not ImageType(kind=None, probabilities={}).withholds
    assert "photograph" not in WITHHOLDS


def test_missing_numbers_are_clear(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="fit-image-type"):
        load_model(tmp_path / "absent.json")
    (tmp_path / "other.json").write_text(
        load_model().model_copy(update={"features": ["x"]}).model_dump_json()
    )
    with pytest.raises(WeightsError):
        load_model(tmp_path / "other.json")


def test_what_is_bundled_is_modest() -> None:
    model = load_model()
    assert tuple(model.features) == FEATURES
    assert set(model.weights) == set(CLASSES)
    assert set(model.thresholds) <= set(KINDS)
    assert model.thresholds
    for kind in model.thresholds:
        figure = model.figures["precision"][kind]
        assert figure["value"] >= 0.9
        assert (
            sum(row.get(kind, 0) for true, row in model.figures["confusion"].items() if true != "ai")
            == figure["n"]
        )


def write(folder: Path, name: str, image: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / name)


def test_the_command_fits_and_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, prefixes = tmp_path / "data", {"screen": "ui", "document": "doc", "drawing": "art", "render": "cg"}
    for split, seeds in (("train", range(14)), ("val", range(50, 56))):
        for seed in seeds:
            write(data / "g" / split / "nature", f"cam{seed}_{seed}.png", photograph(seed, 64))
            write(data / "g" / split / "ai", f"gen{seed}_{seed}.png", MAKERS["drawing"](seed + 900, 64))
            for kind, prefix in prefixes.items():
                write(
                    data / "not_photo" / split / "nature",
                    f"{prefix}_s{seed}_{seed}.png",
                    MAKERS[kind](seed, 64),
                )
    out = tmp_path / "looks_like.json"
    assert run("dev", "fit-image-type", "--data", str(data), "--out", str(out), "--every", "2") == 0
    model = load_model(out)
    assert model.figures["n_train"] == {
        "ai": 7, "document": 14, "drawing": 14, "photograph": 14, "render": 14, "screen": 14,
    }  # fmt: skip
    assert str(tmp_path) not in model.figures["command"].replace(str(out), "")
    assert "right" in capsys.readouterr().out


def test_damage_makes_more_of_the_few(tmp_path: Path) -> None:
    from genimage_core.datasets import scan_dataset

    write(tmp_path / "not_photo" / "train" / "nature", "ui_a_1.png", screen(0, 64))
    write(tmp_path / "g" / "train" / "nature", "cam_1.png", photograph(0, 64))
    (tmp_path / "g" / "train" / "nature" / "broken_2.png").write_bytes(b"nothing")
    found = gather(scan_dataset(tmp_path), damage=True)
    assert sorted(found.kind) == ["photograph", *["screen"] * 4]
    assert len(set(found.image_id)) == 2
