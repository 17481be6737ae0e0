"""Prepared detectors: the same scores without torch, never stale, safe to share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genimage_core.detectors import build_network, list_detectors, load_detector, registry
from genimage_core.detectors.onnx.detector import OnnxDetector, prepared_path
from genimage_core.detectors.onnx.info_cache import exports_folder, read_known
from genimage_core.detectors.onnx.precision import chosen_precision, read_choices
from genimage_core.detectors.onnx.prepare import prepare_detector
from genimage_core.detectors.onnx.preprocess import STEPS
from genimage_core.detectors.onnx.sessions import side_by_side
from genimage_core.detectors.weights.store import save_packed, weights_id
from genimage_core.utils.atomic_write import write_whole
from genimage_core.verdict.pipeline import score_image
from tests.conftest import make_image

ROOT = Path(__file__).parents[3]
NAME = "gramnet"
NO_TORCH = """
import json, sys
from genimage_core import detect
from genimage_core.detectors import detector_info, list_detectors
from genimage_core.detectors.registry import load_detector
from genimage_core.images.load import load_image
detector = load_detector("gramnet", weights=sys.argv[2], device="cpu")
score = float(detector.predict([load_image(sys.argv[1]).pixels])[0])
report = detect(sys.argv[1], detectors="gramnet", weights=sys.argv[2], device="cpu")
titles = [detector_info(name).title for name in list_detectors()]
heavy = sorted({"torch", "timm", "torchvision"} & set(sys.modules))
print(json.dumps({"score": score, "report": report.detectors["gramnet"], "titles": titles, "heavy": heavy}))
"""
COMMAND = """
import sys, numpy as np
from genimage_core import cli, detectors
class Fake:
    weights_id = "none"
    def predict(self, images, preprocessing="tiles"):
        return np.full(len(images), .5)
detectors.load_detector = lambda name, **options: Fake()
sys.argv = ["genimage", "detect", "image.png", "--json"]
try:
    cli.main()
except SystemExit as done:
    assert not done.code, done.code
heavy = {"torch", "timm", "torchvision", "pandas", "scipy.stats", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    net = build_network(NAME, seed=3).train()
    views = np.stack([make_image(i) for i in range(8)])
    with torch.no_grad():
        net(torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255)  # the norms need data
    save_packed(NAME, net.state_dict(), folder, bits=8, group=64, facts={})
    return folder


@pytest.fixture(scope="module")
def prepared(weights: Path) -> OnnxDetector:
    found = load_detector(NAME, weights=weights, device="cpu")
    assert isinstance(found, OnnxDetector)
    return found


def in_a_fresh_process(code: str, *arguments: str, cwd: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name", [name for name in list_detectors() if registry.detector_class(name).host_step]
)
def test_a_host_step_computes_what_prepare_does(name: str) -> None:
    net = build_network(name)
    views = np.stack([make_image(i, net.spec.tile) for i in range(3)])
    with torch.inference_mode():
        expected = net.prepare(torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255)
    np.testing.assert_allclose(STEPS[net.host_step or ""](views), expected.numpy(), atol=1e-4)


def test_scores_are_torchs_also_for_the_papers_views(prepared: OnnxDetector, weights: Path) -> None:
    plain = load_detector(NAME, weights=weights, runtime="torch")
    images = [make_image(1, 90), make_image(2, 500, fake=True)]
    np.testing.assert_allclose(prepared.predict(images), plain.predict(images), atol=1e-4)
    one = [make_image(3, 64)]
    np.testing.assert_allclose(prepared.predict(one, "resize"), plain.predict(one, "resize"), atol=1e-4)
    assert prepared.weights_id == plain.weights_id == weights_id(NAME, weights)
    assert (prepared.info, prepared.spec) == (plain.info, plain.spec)
    assert (prepared.device.type, type(prepared.net).__name__) == ("cpu", "GramNet")


def test_a_fresh_process_answers_without_torch(prepared: OnnxDetector, weights: Path, tmp_path: Path) -> None:
    image = make_image(7, 300)
    Image.fromarray(image).save(tmp_path / "image.png")
    said = json.loads(in_a_fresh_process(NO_TORCH, "image.png", str(weights), cwd=tmp_path))
    assert said["heavy"] == []
    assert said["score"] == said["report"] == pytest.approx(float(prepared.predict([image])[0]), abs=1e-4)
    assert said["titles"][:2] == ["ResNet-50", "DeiT-S"]


def test_the_command_detect_imports_no_torch(tmp_path: Path) -> None:
    """Up to and with the verdict; a stand-in for the networks keeps this quick."""
    Image.fromarray(make_image(1)).save(tmp_path / "image.png")
    registry._discover()  # what any process before has done
    said = json.loads(in_a_fresh_process(COMMAND, cwd=tmp_path))
    assert said[0]["verdict"] in ("fake", "real", "unsure")


def test_float32_is_had_also_where_8_bits_were_chosen(
    prepared: OnnxDetector, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genimage_core.detectors.onnx.precision.chosen_precision", lambda *_: "int8")
    exact = load_detector(NAME, weights=weights, runtime="onnx")
    assert isinstance(exact, OnnxDetector)
    assert exact.precision == "fp32"
    np.testing.assert_array_equal(exact.predict([make_image(5)]), prepared.predict([make_image(5)]))


def test_other_weights_are_other_models(prepared: OnnxDetector, tmp_path: Path) -> None:
    assert prepared_path(NAME, prepared.weights_id, "fp32").is_file()
    save_packed(NAME, build_network(NAME, seed=4).state_dict(), tmp_path, bits=8, group=64, facts={})
    assert registry._load_prepared(NAME, tmp_path) is None
    assert not list(exports_folder().glob("*.part"))


def test_a_damaged_model_is_made_again(prepared: OnnxDetector, weights: Path) -> None:
    path = prepared_path(NAME, prepared.weights_id, "fp32")
    write_whole(path, path.read_bytes()[:1000])  # another file: the open detector has the old one mapped
    again = load_detector(NAME, weights=weights, device="cpu")
    image = [make_image(5)]
    np.testing.assert_allclose(again.predict(image), prepared.predict(image), atol=1e-6)
    assert registry._load_prepared(NAME, weights) is not None


def test_what_is_kept_for_other_processors_is_laid_out_without_torch(
    prepared: OnnxDetector, weights: Path, tmp_path: Path
) -> None:
    prepare_detector(*registry.load_network(NAME, weights), "fp32", keep_portable=True)
    prepared_path(NAME, prepared.weights_id, "fp32").unlink()
    Image.fromarray(make_image(8)).save(tmp_path / "image.png")
    said = json.loads(in_a_fresh_process(NO_TORCH, "image.png", str(weights), cwd=tmp_path))
    assert said["heavy"] == []
    assert said["score"] == pytest.approx(float(prepared.predict([make_image(8)])[0]), abs=1e-4)
    assert prepared_path(NAME, prepared.weights_id, "fp32").is_file()


def test_without_a_cache_it_still_answers(
    prepared: OnnxDetector, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENIMAGE_CACHE", str(tmp_path / "file" / "no folder"))
    found = load_detector(NAME, weights=weights, device="cpu")
    image = [make_image(6)]
    np.testing.assert_allclose(found.predict(image), prepared.predict(image), atol=1e-6)


def test_facts_that_are_kept_are_those_of_the_networks() -> None:
    registry._discover()
    kept = read_known()
    assert kept
    for name, known in kept.items():
        net = registry.detector_class(name)
        assert known == (net.info, net.spec, net.host_step)


def test_eight_bits_are_for_measured_weights_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "runtime.json"
    table.write_text(json.dumps({"detectors": {NAME: {"weights": "a" * 64, "precision": "int8"}}}))
    monkeypatch.setattr("genimage_core.detectors.onnx.precision.read_choices", lambda: read_choices(table))
    assert chosen_precision(NAME, "a" * 64) == "int8"
    assert chosen_precision(NAME, "b" * 64) == "fp32"
    assert chosen_precision("spec", "a" * 64) == "fp32"


def test_no_more_passes_run_at_once_than_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genimage_core.detectors.onnx.sessions.cpu_threads", lambda: 3)
    inside, most, lock, three = 0, 0, threading.Lock(), threading.Barrier(3, timeout=20)

    def call(number: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        three.wait()  # passes only if three are here at the same time
        with lock:
            inside -= 1
        return number

    with ThreadPoolExecutor(2) as asking:
        numbers = [range(6), range(10, 16)]
        found = list(asking.map(lambda n: side_by_side([lambda i=i: call(i) for i in n]), numbers))
    assert found == [list(range(6)), list(range(10, 16))]
    assert most == 3


def test_what_goes_wrong_in_a_pass_goes_wrong_for_its_caller() -> None:
    def fail() -> int:
        raise ValueError("this pass")

    with pytest.raises(ValueError, match="this pass"):
        side_by_side([lambda: 1, fail, lambda: 2])


FORK = """
import os
from genimage_core.detectors.onnx.sessions import side_by_side
assert side_by_side([lambda: 1, lambda: 2]) == [1, 2]
child = os.fork()
if not child:
    os._exit(side_by_side([lambda: 7])[0])
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, check=True, timeout=60)


def test_detectors_that_share_the_cores_say_what_each_says_alone(weights: Path) -> None:
    detector = load_detector(NAME, weights=weights, device="cpu")
    image = make_image(3, 600)
    together = score_image(image, {"b": detector, "a": detector, "c": detector})
    assert list(together) == ["b", "a", "c"]
    assert set(together.values()) == {float(detector.predict([image])[0])}
