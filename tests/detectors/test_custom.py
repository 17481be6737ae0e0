"""A detector of one's own: a config and a checkpoint join the registry; what would run code does not."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from genimage_core import detectors
from genimage_core.detectors import load_detector, registry
from genimage_core.detectors.base import IMAGENET_MEAN, IMAGENET_STD
from genimage_core.detectors.custom.checkpoint import read_tensors
from genimage_core.detectors.custom.config import DetectorConfig, configs_folder, read_config
from genimage_core.detectors.custom.network import log_odds
from genimage_core.detectors.custom.register import register_configs
from genimage_core.detectors.weights import store as weights
from genimage_core.evaluation.devices import with_weights
from genimage_core.utils.errors import UnsafeWeightsError, WeightsError
from genimage_core.utils.settings import DETECTORS
from tests.conftest import make_image

CARD = {
    "name": "mine",
    "title": "Mine",
    "source": "timm",
    "model": "test_byobnet",
    "weights": "mine.safetensors",
}
CARD |= {"classes": ["fake", "real"], "tile": 64, "max_tiles": 2}


def network(classes: int = 2) -> torch.nn.Module:
    torch.manual_seed(0)
    net = timm.create_model("test_byobnet", pretrained=False, num_classes=classes)
    torch.nn.init.normal_(net.get_classifier().weight, std=0.5)
    return net.eval()


def write_card(folder: Path, **changes: Any) -> Path:
    path = folder / f"{changes.get('name', 'mine')}.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in (CARD | changes).items() if v is not None}))
    return path


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for configs, and a registry that forgets them after the test."""
    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(weights, "OWN", dict(weights.OWN))
    return tmp_path


def join(folder: Path) -> list[Any]:
    return register_configs(folder, set(registry._REGISTRY))


def expected(net: torch.nn.Module, image: np.ndarray, mean: Any, std: Any, fake: int = 0) -> float:
    """P(fake) of a 64 px image, worked out without the product."""
    x = (image / 255 - np.array(mean)) / np.array(std)
    with torch.no_grad():
        out = net(torch.from_numpy(x).permute(2, 0, 1)[None].float())
    return float(out.softmax(1)[0, fake])


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_timm_checkpoint_answers_as_its_network_does(registered: Path, ending: str) -> None:
    net, path = network(), registered / f"mine.{ending}"
    if ending == "safetensors":
        save_file(net.state_dict(), path)
    else:
        torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, path)
    write_card(registered, weights=path.name)
    assert join(registered) == []
    image = make_image(1, 64)
    detector = load_detector("mine")
    wanted = expected(net, image, detector.net.spec.mean, detector.net.spec.std)
    assert detector.predict([image])[0] == pytest.approx(wanted, abs=1e-5)
    assert detector.weights_id == weights.file_sha256(path)
    assert "mine" in with_weights("default")


def test_a_torchvision_checkpoint_answers(registered: Path) -> None:
    from torchvision.models import get_model

    torch.manual_seed(0)
    net = get_model("squeezenet1_1", weights=None, num_classes=2).eval()
    save_file(net.state_dict(), registered / "mine.safetensors")
    write_card(registered, source="torchvision", model="squeezenet1_1")
    assert join(registered) == []
    image = make_image(2, 64)
    spec = (detector := load_detector("mine")).net.spec
    assert detector.predict([image])[0] == pytest.approx(expected(net, image, spec.mean, spec.std), abs=1e-5)


def onnx_file(path: Path, net: torch.nn.Module) -> None:
    torch.onnx.export(
        net, (torch.rand(1, 3, 64, 64),), str(path), dynamo=False, opset_version=17, input_names=["x"]
    )


def test_an_onnx_file_answers_for_many_views_although_exported_for_one(registered: Path) -> None:
    net = network()
    onnx_file(registered / "mine.onnx", net)
    write_card(registered, source="onnx", model=None, weights="mine.onnx")
    assert join(registered) == []
    detector = load_detector("mine")
    images = [make_image(seed, 64) for seed in (3, 4)]
    wanted = [expected(net, image, detector.net.spec.mean, detector.net.spec.std) for image in images]
    assert detector.predict(images) == pytest.approx(wanted, abs=1e-4)


def test_a_transformers_repository_answers(registered: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is an extra")
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=64,
        num_labels=2,
    )
    torch.manual_seed(0)
    net = transformers.ViTForImageClassification(config).eval()
    net.save_pretrained(registered / "vit")
    write_card(registered, source="transformers", model=None, weights="vit")
    assert join(registered) == []
    detector, image = load_detector("mine"), make_image(5, 64)
    plain = lambda x: net(x).logits  # noqa: E731
    wanted = expected(plain, image, detector.net.spec.mean, detector.net.spec.std)  # type: ignore[arg-type]
    assert detector.predict([image])[0] == pytest.approx(wanted, abs=1e-5)


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_pickle_that_would_run_code_is_refused_by_name(registered: Path, how: str) -> None:
    target, path = registered / "it_ran", registered / "mine.pt"
    content = {"state_dict": Payload(target)}
    if how == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    write_card(registered, weights="mine.pt")
    assert join(registered) == []
    with pytest.raises(UnsafeWeightsError, match=r"posix\.system") as caught:
        load_detector("mine")
    assert caught.value.source == "mine.pt"
    assert not target.exists()


def test_an_onnx_file_that_reads_others_is_refused(registered: Path) -> None:
    import onnx

    onnx_file(registered / "whole.onnx", network())
    onnx.save(
        onnx.load(str(registered / "whole.onnx")), str(registered / "mine.onnx"),
        save_as_external_data=True, location="secret.bin", size_threshold=0,
    )  # fmt: skip
    write_card(registered, source="onnx", model=None, weights="mine.onnx")
    join(registered)
    with pytest.raises(UnsafeWeightsError, match="other files"):
        load_detector("mine")


@pytest.mark.parametrize("name", ["mine.pt", "mine.safetensors", "mine.onnx"])
def test_rubbish_is_a_typed_error(registered: Path, name: str) -> None:
    (registered / name).write_bytes(b"rubbish" * 100)
    write_card(registered, weights=name, source="onnx" if name.endswith("onnx") else "timm")
    join(registered)
    with pytest.raises(WeightsError):
        load_detector("mine")


def test_the_checkpoint_of_another_network_is_named(registered: Path) -> None:
    save_file(network(3).state_dict(), registered / "mine.safetensors")
    write_card(registered)
    join(registered)
    with pytest.raises(WeightsError, match=r"2 of another shape .*head\.fc"):
        load_detector("mine")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mine!"}, "name"),
        ({"source": "pickle"}, "source"),
        ({"model": None}, "needs model"),
        ({"model": "hf-hub:someone/net"}, "model"),
        ({"classes": ["fake", "fake"]}, "both real and fake"),
        ({"std": [1, 1, 0]}, "above 0"),
        ({"colour": "red"}, "colour"),
        ({"weights": "../elsewhere.safetensors"}, "beside the config"),
        ({"weights": "absent.safetensors"}, "beside the config"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    for path in (folder / "mine.safetensors", tmp_path / "elsewhere.safetensors"):
        save_file({"x": torch.zeros(1)}, path)
    path = write_card(folder, **changes)
    with pytest.raises(WeightsError, match=words):
        read_config(path)


def test_a_bad_card_and_a_taken_name_do_not_stop_the_others(registered: Path) -> None:
    save_file(network().state_dict(), registered / "mine.safetensors")
    write_card(registered)
    write_card(registered, name="resnet50")
    (registered / "broken.yaml").write_text("name: [")
    problems = join(registered)
    assert "mine" in registry.list_detectors()
    assert sorted(str(p.source) for p in problems) == ["broken.yaml", "resnet50"]


def test_outputs_become_log_odds() -> None:
    base = {"name": "x", "title": "X", "source": "timm", "model": "m", "weights": "w"}
    three = DetectorConfig(**base, classes=("fake", "real", "fake"))
    out = torch.tensor([[1.0, 0.5, -1.0]])
    p = out.softmax(1)[0]
    assert float(log_odds(out, three)) == pytest.approx(math.log(float(p[0] + p[2]) / float(p[1])), abs=1e-5)
    sure = DetectorConfig(**base, classes=("real", "fake"), output="probabilities")
    assert float(log_odds(torch.tensor([[0.2, 0.8]]), sure)) == pytest.approx(math.log(4), abs=1e-5)
    assert float(log_odds(torch.tensor([[3.0]]), DetectorConfig(**base, classes=("real",)))) == -3.0
    with pytest.raises(WeightsError, match="1 outputs"):
        log_odds(torch.tensor([[3.0]]), sure)


def test_where_cards_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(DETECTORS, raising=False)
    monkeypatch.setenv("GENIMAGE_PUBLIC", "0")
    assert configs_folder() is None
    (tmp_path / "my_detectors").mkdir()
    assert configs_folder() == Path("my_detectors")
    monkeypatch.setenv(DETECTORS, str(tmp_path))
    assert configs_folder() == tmp_path
    monkeypatch.setenv("GENIMAGE_PUBLIC", "1")
    assert configs_folder() is None


def test_a_float16_checkpoint_is_read(tmp_path: Path) -> None:
    save_file({"x": torch.ones(2, dtype=torch.float16)}, tmp_path / "half.safetensors")
    assert read_tensors(tmp_path / "half.safetensors")["x"].dtype == torch.float16


def test_the_command_line_knows_it_without_code(tmp_path: Path) -> None:
    save_file(network().state_dict(), tmp_path / "mine.safetensors")
    write_card(tmp_path)
    command = [sys.executable, "-m", "genimage_core", "detectors", "--json"]
    for public, there in (("0", True), ("1", False)):
        environment = os.environ | {DETECTORS: str(tmp_path), "GENIMAGE_PUBLIC": public}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert ("mine" in [entry["name"] for entry in json.loads(done.stdout)]) is there


class Instant:
    """A bundled detector that answers at once: here only the new one is of interest."""

    def predict(self, images: Any, preprocessing: str = "tiles") -> np.ndarray:
        return np.full(len(images), 0.5, np.float32)


def test_the_pages_show_it(registered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    net = network()
    save_file(net.state_dict(), registered / "mine.safetensors")
    write_card(registered, title="Own one")
    (registered / "mine.md").write_text("# Own one\n\nWords about it.\n")
    assert join(registered) == []
    real = registry.load_detector
    monkeypatch.setattr(
        detectors, "load_detector", lambda name, **_: real(name) if name == "mine" else Instant()
    )
    st.cache_resource.clear()
    buffer, image = io.BytesIO(), make_image(6, 64)
    Image.fromarray(image).save(buffer, "PNG")
    app = AppTest.from_file("../../app.py", default_timeout=240).run().switch_page("pages/detect.py").run()
    app.file_uploader[0].set_value([("picture.png", buffer.getvalue(), "image/png")])
    app.run()
    assert not app.exception
    shown = "".join(element.proto.body for element in app.get("html"))
    assert "Own one" in shown
    wanted = expected(net, image, IMAGENET_MEAN, IMAGENET_STD)
    assert f'aria-valuenow="{wanted:.2f}"' in shown
    about = app.switch_page("pages/about.py").run()
    assert any("Own one" in expander.label for expander in about.expander)
    assert any("Words about it." in element.value for element in about.markdown)
    st.cache_resource.clear()
