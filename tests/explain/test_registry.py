"""Evidence: the registry, the traces, stability, known pictures, files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from genimage_core import explain as package
from genimage_core.detectors import Detector, build_network
from genimage_core.explain import explain, explain_all, kind_info, list_kinds
from genimage_core.explain.evidence import Subject
from genimage_core.explain.export import folder_names, write_evidence
from genimage_core.explain.kinds import score_context as relatives_module
from genimage_core.explain.kinds.ela import error_levels
from genimage_core.explain.kinds.f3net_bands import fad_bands
from genimage_core.explain.kinds.noise import noise_residual
from genimage_core.explain.kinds.robustness import AS_IS, robustness
from genimage_core.explain.kinds.spectrum import SIDE, log_spectrum, radial_profile
from genimage_core.explain.reference_stats import half_spectra, spectrum_reference, whole_spectra
from genimage_core.images.degradations import PAPER_SUITE
from genimage_core.results import image_scores as measured
from genimage_core.utils.errors import ExplainError
from genimage_core.verdict.combine import Combination
from tests.conftest import make_image
from tests.helpers.explain_nets import ChannelsFirst, Tokens, planted, tiny

ALONE = [kind for kind in list_kinds() if kind_info(kind).asks == "nobody"]


@pytest.fixture(scope="module")
def f3net() -> Detector:
    return Detector(build_network("f3net").eval(), torch.device("cpu"), "untrained")


def test_every_kind_says_what_it_means_and_when_it_misleads() -> None:
    assert {"tile_map", "grad_cam", "robustness", "score_context", "spectrum", "noise", "ela"} <= set(
        list_kinds()
    )
    for kind in list_kinds():
        info = kind_info(kind)
        assert info.title
        assert len(info.means) > 60
        assert len(info.misleads) > 60


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ExplainError) as caught:
        explain(make_image(0), {}, "horoscope")
    assert "tile_map" in caught.value.hint


@pytest.mark.parametrize("kind", [k for k in list_kinds() if k not in ALONE])
def test_kinds_that_need_a_detector_say_so(kind: str) -> None:
    with pytest.raises(ExplainError):
        explain(make_image(0), {}, kind)


@pytest.mark.parametrize("kind", ["gram_distance", "f3net_bands"])
def test_kinds_of_one_detector_say_whom_they_miss(kind: str) -> None:
    with pytest.raises(ExplainError) as caught:
        explain(make_image(0), {"first": tiny(ChannelsFirst)}, kind)
    assert kind_info(kind).asks in caught.value.message


@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (97, 131)])
def test_pictures_of_any_size(kind: str, size: tuple[int, int]) -> None:
    image = make_image(1, 200)[: size[0], : size[1]]
    first, again = explain(image, {}, kind), explain(image, {}, kind)
    assert first.images
    assert set(first.images) == set(first.alts)
    json.dumps(first.as_dict(), allow_nan=False)
    for key, picture in first.images.items():
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        np.testing.assert_array_equal(picture, again.images[key])


def test_error_levels_show_what_was_not_compressed_before() -> None:
    _, data = cv2.imencode(".jpg", make_image(2, 128)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    saved = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()
    saved[32:64, 32:64] = make_image(7, 128)[32:64, 32:64]
    levels = error_levels(saved).mean(2)
    assert levels[36:60, 36:60].mean() > 3 * levels[80:, 80:].mean()


def test_the_noise_residual_finds_noise_of_known_strength() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((128, 128, 3), 128.0)
    noisy = (flat + rng.normal(0, 5, flat.shape)).round().astype(np.uint8)
    assert noise_residual(noisy).std() == pytest.approx(5, rel=0.25)
    assert noise_residual(flat.astype(np.uint8)).std() == 0


def test_a_periodic_trace_is_a_bright_dot_at_its_frequency() -> None:
    image = make_image(3, 256).astype(float)
    image += 12 * np.cos(2 * np.pi * np.arange(256) / 4)[None, :, None]
    spectrum = log_spectrum(np.clip(image, 0, 255).astype(np.uint8))
    row, column = np.unravel_index(np.argmax(spectrum[:, SIDE // 2 + 20 :]), (SIDE, SIDE // 2 - 20))
    assert (row, column + SIDE // 2 + 20) == (SIDE // 2, SIDE // 2 + SIDE // 4)


def test_brightness_and_contrast_do_not_count_in_the_spectrum() -> None:
    image = make_image(4, 160)
    darker = (image // 2).astype(np.uint8)
    low = np.s_[SIDE // 2 - 4 : SIDE // 2 + 5]
    change = log_spectrum(image)[low, low] - log_spectrum(darker)[low, low]
    assert np.abs(change).mean() < 0.03  # halving the values halves their precision, too
    assert radial_profile(log_spectrum(image)).shape == (SIDE // 2,)


def test_spectra_are_stored_by_half() -> None:
    spectra = np.stack([log_spectrum(make_image(seed, 160)) for seed in range(2)])
    np.testing.assert_allclose(whole_spectra(half_spectra(spectra)), spectra, atol=0.01)


def test_the_shipped_spectra_are_plausible() -> None:
    reference = spectrum_reference()
    assert reference.groups[0] == "photographs"
    assert len(reference.groups) == len(reference.counts) == len(reference.means)
    assert min(reference.counts) >= 100
    assert (reference.real_low < reference.profiles[0]).all()
    assert (reference.profiles[0] < reference.real_high).all()
    shares = (10.0 ** reference.means.astype(float)).sum((1, 2))
    assert ((shares > 0.2) & (shares < 1.2)).all()  # a mean of logs lies below the log of the mean


def test_f3nets_bands_add_up(f3net: Detector) -> None:
    with torch.no_grad():
        f3net.net.fad.learned.zero_()
    view, bands = fad_bands(make_image(5, 200), f3net)
    prepared = view.astype(np.float32) / 127.5 - 1
    # With nothing learned the fourth band is the picture, and the first three cover i + j up to the side.
    np.testing.assert_allclose(bands[3], prepared, atol=1e-3)
    assert np.abs(bands[:3].sum(0) - prepared).mean() < 0.2
    assert np.abs(bands[0] - bands[0].mean()).mean() > np.abs(bands[2]).mean()


def test_f3nets_bands_as_pictures(f3net: Detector) -> None:
    found = explain(make_image(5, 200), {"f3net": f3net}, "f3net_bands")
    assert list(found.images) == ["view", "low", "middle", "high", "all"]
    assert sum(found.data["energy_share"].values()) == pytest.approx(1, abs=1e-4)


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    how = Combination(
        weights={"first": 1.0}, bias=0.0, single={"first": (1.0, 0.0)}, low=0.4, high=0.6, fitted_on="test"
    )
    monkeypatch.setattr("genimage_core.verdict.combine.load_combination", lambda: how)


def test_flips_are_those_that_change_sides(calibrated: None) -> None:
    detectors = {"first": tiny(ChannelsFirst)}
    found = robustness(Subject(planted(64, 16, 16), detectors))
    assert [c.name for c in found] == [AS_IS, *PAPER_SUITE]
    assert found[0].flips == []
    sides = [c.scores["first"] > 0.5 for c in found]
    assert [bool(c.flips) for c in found] == [side != sides[0] for side in sides]
    assert all(c.verdict is not None for c in found)
    np.testing.assert_allclose(
        found[3].scores["first"],
        detectors["first"].predict([PAPER_SUITE["JPEG 65"](planted(64, 16, 16))])[0],
        rtol=1e-5,
    )


def test_known_scores_are_not_asked_for_again() -> None:
    found = robustness(Subject(planted(64, 16, 16), {"first": tiny(ChannelsFirst)}, {"first": 0.125}))
    assert found[0].scores == {"first": 0.125}


def test_stability_says_which_verdicts_change(calibrated: None) -> None:
    found = explain(planted(64, 16, 16), {"first": tiny(ChannelsFirst), "tokens": tiny(Tokens)}, "robustness")
    assert found.images["robustness"].shape[2] == 3
    assert set(found.data["degradations"]) == {AS_IS, *PAPER_SUITE}
    changed = [
        name
        for name, c in found.data["degradations"].items()
        if c["verdict"] != found.data["degradations"][AS_IS]["verdict"]
    ]
    assert found.data["verdict_changes"] == changed


@pytest.fixture
def known_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [
        (f"{generator}/val/{label}/{i}.png", generator, "val", label, "tiny", "tiles", "none", i / 40)
        for generator in ("alpha", "beta")
        for label in (0, 1)
        for i in range(20 * label, 20 * label + 20)
    ]
    rows += [("not_photo/val/0/a.png", "not_photo", "val", 0, "tiny", "tiles", "none", 0.9)]
    rows += [("alpha/train/1/x.png", "alpha", "train", 1, "tiny", "tiles", "none", 0.01)]
    rows += [("alpha/val/1/y.png", "alpha", "val", 1, "other", "tiles", "none", 0.02)]
    rows += [("alpha/val/1/z.png", "alpha", "val", 1, "tiny", "tiles", "jpeg:65", 0.03)]
    columns = ["image_id", "generator", "split", "label", "weights", "preprocessing", "degradation", "p_fake"]
    for table in ("one", "two"):
        (tmp_path / table).mkdir()
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / table / "first.csv", index=False)
    monkeypatch.setattr(
        relatives_module, "measured_scores", lambda name, w: measured.measured_scores(name, w, tmp_path)
    )
    measured.measured_scores.cache_clear()
    return tmp_path


def test_scores_are_found_whatever_the_table_is_called(known_pictures: Path) -> None:
    rows = measured.measured_scores("first", "tiny", known_pictures)
    assert rows["group"].value_counts().to_dict() == {
        measured.PHOTOGRAPHS: 40, "alpha": 20, "beta": 20, measured.NOT_PHOTO_WORDS: 1,
    }  # fmt: skip
    assert measured.measured_scores("first", "unknown", known_pictures).empty
    assert measured.measured_scores("nobody", "tiny", known_pictures).empty


def test_relatives_count_those_that_score_higher(known_pictures: Path) -> None:
    detectors = {"first": tiny(ChannelsFirst)}
    found = explain(planted(), detectors, "score_context", scores={"first": 0.25})
    assert found.data["first"]["share_at_least"][measured.PHOTOGRAPHS] == pytest.approx(0.5)
    assert found.data["first"]["share_at_least"]["alpha"] == 1.0
    assert found.alts["first"].startswith("First: 50% of photographs and 100% of AI images")


def test_relatives_need_scores_of_these_weights() -> None:
    with pytest.raises(ExplainError, match="measured with these weights"):
        explain(planted(), {"first": tiny(ChannelsFirst)}, "score_context", scores={"first": 0.5})


def test_evidence_as_files(tmp_path: Path) -> None:
    detectors = {"first": tiny(ChannelsFirst)}
    only = ["tile_map", "ela", "f3net_bands"]
    index = write_evidence(tmp_path / "out", explain_all(planted(64, 16, 16), detectors, only=only))
    content = json.loads(index.read_text())
    assert [entry["kind"] for entry in content["evidence"]] == ["tile_map", "ela"]
    assert [entry["kind"] for entry in content["left_out"]] == ["f3net_bands"]
    files = [name for entry in content["evidence"] for name in entry["files"].values()]
    assert sorted(files) == ["ela.png", "tile_map-first.png"]
    assert Image.open(tmp_path / "out" / "tile_map-first.png").size == (64, 64)


def test_a_folder_for_each_image() -> None:
    names = folder_names([Path("a/x.png"), Path("b/x.png"), Path("b/X.png"), Path("y.jpg")])
    assert names == ["x.png", "x.png-2", "X.png-3", "y.jpg"]


def test_the_package_says_what_it_offers() -> None:
    assert set(package.__all__) >= {"Evidence", "explain", "explain_all", "kind_info", "list_kinds"}


def test_a_missing_package_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_grad_cam", None)
    with pytest.raises(ExplainError) as caught:
        explain(planted(), {"first": tiny(ChannelsFirst)}, "grad_cam")
    assert "pytorch_grad_cam" in caught.value.message
    assert "explain" in caught.value.hint
