"""The audit: what a biased set gives away, what `unbiased` leaves of it, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genimage_core.datasets.audit.file_facts import read_bytes, read_file
from genimage_core.datasets.audit.probe import out_of_fold
from genimage_core.datasets.audit.result import POOLED, Audit
from genimage_core.datasets.audit.run import audit_dataset
from genimage_core.datasets.protocols import data_protocol
from genimage_core.datasets.scan import scan_dataset
from genimage_core.utils.errors import DatasetError
from tests.conftest import make_image
from tests.helpers.audit_sets import biased_set, save

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return biased_set(tmp_path_factory.mktemp("biased"))


@pytest.fixture(scope="module")
def found(biased: Path) -> Audit:
    return audit_dataset(biased)


@pytest.mark.parametrize("family", ["all facts", "format", "size"])
def test_raw_files_give_the_answer_away(found: Audit, family: str) -> None:
    probe = found.probe("raw", "val", "gen", family)
    assert probe is not None
    assert probe.auroc is not None
    assert probe.auroc > 0.95
    assert (probe.n_fake, probe.n_real) == (30, 30)


@pytest.mark.parametrize("family", ["format", "size"])
def test_unbiased_leaves_nothing_of_format_and_size(found: Audit, family: str) -> None:
    probe = found.probe("unbiased", "val", "gen", family)
    assert probe is not None
    assert probe.auroc == pytest.approx(0.5, abs=0.02)
    assert "same for all" in probe.note


def test_unbiased_leaves_the_traces_of_earlier_compression(found: Audit) -> None:
    """The limit that the protocol admits: what a first JPEG took away is not there to be stored."""
    for generator in ("gen", POOLED):
        probe = found.probe("unbiased", "val", generator, "file size")
        assert probe is not None
        assert probe.auroc is not None
        assert probe.auroc > 0.95


def test_colours_of_one_distribution_are_at_chance(found: Audit) -> None:
    probe = found.probe("raw", "val", "gen", "colour")
    assert probe is not None
    assert probe.low is not None
    assert probe.high is not None
    assert probe.low - 0.1 < 0.5 < probe.high + 0.1


def test_makeup_names_formats_sizes_and_counts(found: Audit) -> None:
    real, fake = found.makeup
    assert (fake.label, fake.n, fake.formats, fake.sizes) == ("ai", 30, {"PNG": 30}, {"256 x 256": 30})
    assert (real.label, real.n) == ("nature", 30)
    assert real.formats["JPEG 75"] == 2
    assert len(real.sizes) == 5


def test_the_manifest_says_what_the_result_rests_on(found: Audit, biased: Path) -> None:
    from genimage_core.training.data import data_hash

    assert found.manifest.data_sha256 == data_hash(scan_dataset(biased))
    assert found.manifest.n_files == 60
    assert {"python", "scikit-learn", "imagehash", "pillow"} <= found.manifest.versions.keys()
    assert list(found.manifest.protocols) == ["raw", "unbiased"]


def test_the_same_seed_gives_the_same_result(biased: Path) -> None:
    first, again = (audit_dataset(biased, ["raw"], limit=12, seed=3) for _ in range(2))
    assert first == again
    assert first.probes


def test_facts_of_a_file(tmp_path: Path) -> None:
    image = make_image(3, side=64)
    image[..., :] = image[..., :1]
    path = save(tmp_path / "g" / "val" / "ai" / "a.jpg", image[:32], quality=80)
    record = scan_dataset(tmp_path)[0]
    file = read_file(record, read_bytes(record), [data_protocol("raw"), data_protocol("unbiased")])
    raw, unbiased = file.facts["raw"], file.facts["unbiased"]
    assert (raw.format, raw.quality, raw.standard_tables, raw.subsampling) == ("JPEG", 80, True, "4:2:0")
    assert (raw.width, raw.height, raw.aspect, raw.n_bytes) == (64, 32, 2.0, path.stat().st_size)
    assert raw.bytes_per_pixel == path.stat().st_size / (64 * 32)
    assert (raw.grey, raw.saturation) == (True, 0.0)
    assert raw.red == raw.blue == pytest.approx(image[:32, :, 0].mean(), abs=1.0)
    assert (unbiased.format, unbiased.quality, unbiased.n_bytes != raw.n_bytes) == ("JPEG", 96, True)
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0], red[..., 2] = 200, 50
    save(path.with_name("red.png"), red)
    record = scan_dataset(tmp_path)[1]
    colour = read_file(record, read_bytes(record), [data_protocol("raw")]).facts["raw"]
    assert (colour.red, colour.green, colour.blue) == (200, 0, 50)
    assert (colour.saturation, colour.grey, colour.quality, colour.subsampling) == (1.0, False, -1, "none")


def test_broken_files_are_listed_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "g" / "val" / "ai"
    whole = save(folder / "whole.png", make_image(1))
    (folder / "cut.png").write_bytes(whole.read_bytes()[:-2000])
    (folder / "empty.jpg").touch()
    (folder / "page.jpg").write_text("<html>not found</html>")
    found = audit_dataset(tmp_path)
    assert [(bad.image_id, bad.error) for bad in found.unreadable] == [
        ("g/val/ai/cut.png", "CorruptImageError"),
        ("g/val/ai/empty.jpg", "EmptyFileError"),
        ("g/val/ai/page.jpg", "UnsupportedFormatError"),
    ]
    assert [one.n for one in found.makeup] == [1]
    assert found.probes == []


def test_copies_never_help_the_probe() -> None:
    """Facts that are noise, each copied ten times: a model that saw a copy would know the label."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(40) % 2, 10)
    features = np.repeat(rng.random((40, 3)), 10, axis=0)
    from genimage_core.metrics.classification import auroc

    apart = out_of_fold(features, labels, np.repeat(np.arange(40), 10).astype(str), seed=0)
    mixed = out_of_fold(features, labels, np.arange(400).astype(str), seed=0)
    assert auroc(labels, mixed).value > 0.95
    assert auroc(labels, apart).value < 0.75


def test_a_probe_that_knows_nothing_is_at_chance_and_not_below() -> None:
    labels = np.arange(103) % 2
    scores = out_of_fold(np.ones((103, 2)), labels, np.arange(103).astype(str), seed=0)
    assert set(scores) == {0.5}


def test_few_images_give_no_figure_but_a_reason(tmp_path: Path) -> None:
    for i in range(9):
        save(tmp_path / "g" / "val" / "ai" / f"{i}.png", make_image(i))
    for i in range(12):
        save(tmp_path / "g" / "val" / "nature" / f"{i}.png", make_image(100 + i))
    probe = audit_dataset(tmp_path, ["raw"]).probe("raw", "val", POOLED)
    assert probe is not None
    assert (probe.auroc, probe.n_fake, probe.n_real) == (None, 9, 12)
    assert "fewer than 10" in probe.note


def test_limit_is_a_seeded_draw_of_each_class(biased: Path) -> None:
    one = audit_dataset(biased, ["raw"], limit=3, seed=1)
    assert [part.n for part in one.makeup] == [3, 3]
    assert one.manifest.data_sha256 == audit_dataset(biased, ["raw"], limit=3, seed=1).manifest.data_sha256
    assert one.manifest.data_sha256 != audit_dataset(biased, ["raw"], limit=3, seed=2).manifest.data_sha256


def test_fakes_without_reals_of_their_own_stand_against_all_reals(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / "g" / "val" / "ai" / f"{i}.png", make_image(i))
        save(tmp_path / "photos" / "val" / "nature" / f"{i}.jpg", make_image(50 + i))
    found = audit_dataset(tmp_path, ["unbiased", "raw"])
    for generator in ("g", POOLED):
        probe = found.probe("raw", "val", generator, "format")
        assert probe is not None
        assert (probe.n_fake, probe.n_real, probe.auroc) == (12, 12, 1.0)


def test_errors_are_typed(biased: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="named train"):
        audit_dataset(biased, split="train")
    with pytest.raises(DatasetError, match="data protocol"):
        audit_dataset(biased, ["paper"])
    with pytest.raises(DatasetError, match="layout"):
        audit_dataset(tmp_path)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the image corpus is not here")
def test_the_corpus_gives_less_away_when_unbiased() -> None:
    found = audit_dataset(CORPUS, limit=12)
    raw, unbiased = (found.probe(name, "val", family="format") for name in ("raw", "unbiased"))
    assert raw is not None
    assert unbiased is not None
    assert raw.low is not None
    assert raw.low > 0.6
    assert unbiased.auroc == pytest.approx(0.5, abs=0.02)
    assert found.unreadable == []
