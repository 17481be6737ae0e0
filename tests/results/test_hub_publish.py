"""Weights from a hub repository, with a cache and a hub made in the test: nothing goes over the network."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import yaml
from huggingface_hub.errors import LocalEntryNotFoundError

from genimage_core.detectors import load_detector
from genimage_core.detectors.weights.hub import fetch_weights, parse_address
from genimage_core.detectors.weights.store import load_state
from genimage_core.results.cards import measured_results
from genimage_core.results.hub_publish import hub_class, hub_model
from genimage_core.utils.errors import WeightsError
from tests.conftest import make_image

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DETECTOR = "gramnet"  # the smallest


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    hub_model(DETECTOR).save_pretrained(folder)
    return folder


def address_of(folder: Path, commit: str = COMMIT) -> str:
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    return f"hf://someone/detector@{commit}?sha256={digest}"


@pytest.fixture
def hub_cache(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's own cache layout with one snapshot in it, and no way to the network."""
    snapshot = tmp_path / "hub" / "models--someone--detector" / "snapshots" / COMMIT
    shutil.copytree(saved, snapshot)
    real = huggingface_hub.snapshot_download

    def download(*args: object, **options: object) -> str:
        assert options["local_files_only"], "the network was asked although the cache has everything"
        return real(*args, cache_dir=tmp_path / "hub", **options)  # type: ignore[arg-type,no-any-return]

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return snapshot


def test_what_was_saved_is_loaded_by_both_ways_with_the_same_scores(saved: Path) -> None:
    image = make_image(5)
    expected = load_detector(DETECTOR, runtime="torch").predict([image])
    again = load_detector(DETECTOR, weights=saved, runtime="torch")
    assert np.allclose(again.predict([image]), expected, atol=1e-6)
    state = hub_class(DETECTOR).from_pretrained(saved).state_dict()
    bundled, _ = load_state(DETECTOR)
    assert all(np.array_equal(state[key].numpy(), bundled[key].numpy()) for key in bundled)


def test_the_saved_card_carries_what_was_measured_with_these_weights(saved: Path) -> None:
    _, head, text = (saved / "README.md").read_text().split("---\n", 2)
    assert "## What it looks at" in text
    facts = yaml.safe_load(head)
    assert facts["library_name"] == "genimage-lab"
    expected = measured_results(DETECTOR, load_state(DETECTOR)[1])
    shown = [
        m["value"] for r in facts.get("model-index", [{"results": []}])[0]["results"] for m in r["metrics"]
    ]
    assert sorted(shown) == sorted(result.metric_value for result in expected)


def test_results_of_other_weights_are_not_claimed() -> None:
    assert measured_results(DETECTOR, "0" * 64) == []


def test_the_cache_is_enough(hub_cache: Path, saved: Path) -> None:
    assert fetch_weights(address_of(saved)) == hub_cache
    _, digest = load_state(DETECTOR, address_of(saved))
    assert (
        digest
        == json.loads((saved / "manifest.json").read_text())["detectors"][DETECTOR]["files"][0]["sha256"]
    )


def test_another_manifest_than_the_pinned_one_is_refused(hub_cache: Path, saved: Path) -> None:
    address = address_of(saved)
    (hub_cache / "manifest.json").write_text((hub_cache / "manifest.json").read_text() + "\n")
    with pytest.raises(WeightsError, match="not the pinned one"):
        fetch_weights(address)


def test_other_weights_than_the_manifests_are_refused(hub_cache: Path, saved: Path) -> None:
    with (hub_cache / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match="sha256"):
        load_state(DETECTOR, address_of(saved))


def test_what_the_cache_lacks_is_fetched_once_from_the_hub(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(repository: str, *, revision: str, allow_patterns: list[str], local_files_only: bool) -> str:
        asked.append((repository, revision, local_files_only))
        if local_files_only:
            raise LocalEntryNotFoundError("nothing here")
        assert not any(pattern.endswith((".bin", ".pt", ".py")) for pattern in allow_patterns)
        return str(saved)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert fetch_weights(address_of(saved)) == saved
    assert asked == [("someone/detector", COMMIT, True), ("someone/detector", COMMIT, False)]


def test_no_hub_is_a_typed_error(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(WeightsError, match="did not give them"):
        fetch_weights(address_of(saved))


@pytest.mark.parametrize(
    "text",
    [
        "hf://someone/detector",
        "hf://someone/detector@main?sha256=" + "0" * 64,
        f"hf://someone/detector@{COMMIT}",
        f"hf://someone/../detector@{COMMIT}?sha256=" + "0" * 64,
    ],
)
def test_an_address_that_pins_too_little_is_refused(text: str) -> None:
    with pytest.raises(WeightsError, match="cannot be used"):
        parse_address(text)
