"""8 bits on CPUs and 16 bits on GPUs: taken where they keep the scores, and only there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import nn

from genimage_core.datasets import Record
from genimage_core.detectors import DetectorNet, InputSpec, build_network
from genimage_core.detectors.base import fake_log_odds
from genimage_core.detectors.half_precision import (
    TOLERANCE,
    HalfForward,
    fast_forward,
    largest_change,
    to_input,
)
from genimage_core.detectors.onnx.activation_ranges import (
    FOLDER,
    drop_ranges,
    ranges_id,
    ranges_of,
    read_ranges,
    write_ranges,
)
from genimage_core.detectors.onnx.detector import OnnxDetector, prepared_path
from genimage_core.detectors.onnx.export import export_onnx, in_memory, known
from genimage_core.detectors.onnx.optimize import for_this_processor
from genimage_core.detectors.onnx.precision import read_choices
from genimage_core.detectors.onnx.quantize import quantised
from genimage_core.detectors.tiling import bundled_views
from genimage_core.evaluation.runtime.choose_precision import Limits, allowed, best_of, compare, write_choices
from genimage_core.evaluation.runtime.find_ranges import find_ranges, without_extremes
from tests.conftest import make_image
from tests.detectors.test_every_detector import TinyNet
from tests.training.test_heads import TinyTaps

CPU = torch.device("cpu")


class SmallNet(DetectorNet):
    """Six convolutions and a head: enough to be quantised as the large ones are."""

    info = TinyNet.info
    spec = InputSpec(tile=32, max_tiles=2)
    recipe = TinyNet.recipe

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(5)
        layers: list[nn.Module] = []
        for a, b in zip((3, 16, 16, 16, 16, 16), (16, 16, 16, 16, 16, 16), strict=True):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(16, 2)
        self.scale = scale

    def embed(self, prepared: torch.Tensor) -> torch.Tensor:
        return self.body(prepared).mean((2, 3))

    def decide(self, features: torch.Tensor) -> torch.Tensor:
        return self.scale * fake_log_odds(self.head(features))


def views(count: int) -> list[np.ndarray]:
    return [make_image(i, 32, fake=bool(i % 2)) for i in range(count)]


def operators(model: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(model).graph.node}


def test_eight_bits_stay_close_and_leave_the_head_alone() -> None:
    net = SmallNet().eval()
    model = export_onnx(net)
    small = quantised(model, known(net), views(8), net.keep_float, "int8")
    assert "QuantizeLinear" in operators(small)
    graph = onnx.load_from_string(small).graph
    made = {output: node.op_type for node in graph.node for output in node.output}
    head = next(node for node in graph.node if node.name.startswith("/net/head"))
    assert {made.get(name) for name in head.input}.isdisjoint({"DequantizeLinear"})
    exact = in_memory(net, "x").log_odds(views(12))
    rough = OnnxDetector(for_this_processor(small), known(net), "x", lambda: net, "int8").log_odds(views(12))
    assert 0 < np.abs(exact - rough).max() < 0.2 * np.abs(exact).max() + 0.05


def test_ranges_found_elsewhere_replace_those_of_the_views() -> None:
    net = SmallNet().eval()
    model, facts = export_onnx(net), known(net)
    narrow = ranges_of(quantised(model, facts, views(2), net.keep_float, "int8"))
    assert len(narrow) >= 3
    wide = {tensor: (2 * low, 2 * high) for tensor, (low, high) in narrow.items()}
    wide["not/in/this/graph"] = (0.0, 1.0)
    found = ranges_of(quantised(model, facts, views(2), net.keep_float, "int8", wide))
    for tensor, (low, high) in found.items():
        assert (low, high) == pytest.approx(wide[tensor], rel=0.02, abs=1e-3)


def test_ranges_of_images_are_named_as_the_graph_that_is_quantised(tmp_path: Path) -> None:
    net = SmallNet().eval()
    Image.fromarray(make_image(3, 64)).save(tmp_path / "a.png")
    image = Record(tmp_path / "a.png", "a.png", "alpha", "train", 1)
    found = find_ranges(net, [image])
    assert set(found) == set(
        ranges_of(quantised(export_onnx(net), known(net), views(2), net.keep_float, "int8"))
    )


def test_one_extreme_part_does_not_widen_a_range() -> None:
    parts = [{"t": (-1.0, 3.0)}, {"t": (-500.0, 900.0)}, {"t": (-2.0, 2.0)}]
    assert without_extremes(parts, 1) == {"t": (-2.0, 3.0)}
    assert without_extremes(parts, 0) == {"t": (-500.0, 900.0)}


def test_the_ranges_that_change_the_views_least_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousandfold range leaves the others one step: then the most extreme parts have no say."""
    net = SmallNet().eval()
    records = []
    for i in range(6):
        Image.fromarray(make_image(i, 64)).save(tmp_path / f"{i}.png")
        records.append(Record(tmp_path / f"{i}.png", f"{i}.png", "alpha", "train", i % 2))
    plain = find_ranges(net, records)
    parts = 0

    def one_is_extreme(model: bytes) -> dict[str, tuple[float, float]]:
        nonlocal parts
        parts += 1
        factor = 1000 if parts == 3 else 1
        return {tensor: (factor * low, factor * high) for tensor, (low, high) in ranges_of(model).items()}

    monkeypatch.setattr("genimage_core.evaluation.runtime.find_ranges.ranges_of", one_is_extreme)
    found = find_ranges(net, records)
    assert parts == 6
    assert all(found[t][1] < 100 * high for t, (_, high) in plain.items() if high > 0)


def test_ranges_are_kept_for_just_these_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ranges("spec", "a", {"t": (-1.23456, 7.0)}, "the command", tmp_path)
    assert read_ranges("spec", "a", tmp_path) == {"t": (-1.235, 7.0)}
    assert read_ranges("spec", "b", tmp_path) is None
    one = ranges_id("spec", "a", tmp_path)
    write_ranges("spec", "a", {"t": (-1.0, 7.0)}, "the command", tmp_path)
    assert len({one, ranges_id("spec", "a", tmp_path), ranges_id("spec", "b", tmp_path)}) == 3
    (tmp_path / "gramnet.json").write_text('{"weights": "a", "ranges": [1]}')
    assert read_ranges("gramnet", "a", tmp_path) is None
    drop_ranges("spec", tmp_path)
    assert not ranges_id("spec", "a", tmp_path)
    before = prepared_path("spec", "a", "int8"), prepared_path("spec", "a", "fp32")
    monkeypatch.setattr("genimage_core.detectors.onnx.detector.ranges_id", lambda *_: "0123abcd")
    assert prepared_path("spec", "a", "int8") != before[0]
    assert prepared_path("spec", "a", "fp32") == before[1]


def test_bundled_ranges_are_of_what_runs_with_them() -> None:
    files = sorted(FOLDER.glob("*.json"))
    if not files:
        pytest.skip("no ranges are bundled: 8 bits are calibrated on the bundled pictures")
    for path in files:
        entry = read_choices()["detectors"][path.stem]
        assert entry["precision"] == "int8"
        assert read_ranges(path.stem, entry["weights"])


def test_a_transformers_named_blocks_and_its_head_stay_in_floats() -> None:
    net = TinyTaps().eval()
    small = quantised(export_onnx(net), known(net), [], ("head", "body.blocks.0"), "int8_dynamic")
    in_integers = {n.name for n in onnx.load_from_string(small).graph.node if n.op_type == "MatMulInteger"}
    assert any("/blocks.1/" in name for name in in_integers)
    assert not any("/blocks.0/" in name or "/head/" in name for name in in_integers)


@pytest.mark.parametrize("name", ["f3net", "gramnet", "dinov2", "deit_s"])
def test_what_a_network_keeps_in_floats_is_found_in_its_graph(name: str) -> None:
    """A misspelt module would be quantised without a word."""
    net = build_network(name, seed=0).eval()
    nodes = [n.name for n in onnx.load_from_string(export_onnx(net)).graph.node]
    own = {path for path in net.keep_float if path.removeprefix("body.") not in {"fc", "head"}}
    for path in own:
        assert any(n.startswith(f"/net/{path.removeprefix('body.')}") for n in nodes), path


def test_views_to_calibrate_on_are_the_bundled_pictures() -> None:
    found = bundled_views(InputSpec(tile=64))
    if not found:
        pytest.skip("assets/samples is missing")
    assert {view.shape for view in found} == {(64, 64, 3)}


def test_a_cost_above_the_limits_is_refused() -> None:
    labels = np.array([0, 1] * 100)
    exact = np.where(labels, 0.8, 0.2)
    same = compare(labels, exact, exact)
    assert same["points_lost"] == same["mean_change"] == 0
    assert allowed(same, Limits())
    wrong = exact.copy()
    wrong[:4] = 1 - wrong[:4]
    lost = compare(labels, exact, wrong)
    assert lost["points_lost"] == pytest.approx(2)
    assert lost["mean_change"] == pytest.approx(4 * 0.6 / 200)
    assert not allowed(lost, Limits())
    assert not allowed(compare(labels, exact, exact + 0.03), Limits())


def test_calls_take_turns() -> None:
    order: list[str] = []
    best = best_of({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert all(seconds >= 0 for seconds in best.values())


def test_a_written_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runtime.json"
    spec = {"weights": "a", "precision": "int8"}
    table = {"command": "c", "images": 9, "together": {}, "detectors": {"spec": spec}}
    write_choices(table, path)
    assert read_choices(path) == table
    write_choices(table | {"detectors": {"f3net": {"weights": "b", "precision": "fp32"}}}, path)
    found = read_choices(path)
    assert found["detectors"]["spec"] == spec  # not measured this time
    assert found["detectors"]["f3net"] == {"weights": "b", "precision": "fp32", "command": "c", "images": 9}
    assert "together" not in found
    (tmp_path / "damaged.json").write_text("{")
    assert read_choices(tmp_path / "damaged.json") == {}


def test_the_bundled_table_keeps_its_own_limits() -> None:
    """What assets/runtime.json chose was within half a point and .02, and faster."""
    entries = read_choices().get("detectors", {})
    if not entries:
        pytest.skip("no measured table is bundled: everything runs in float32")
    for name, entry in entries.items():
        choice = entry["precision"]
        if choice != "fp32":
            assert allowed(entry["cost"][choice], Limits()), name
            assert entry["ms"][choice] < entry["ms"]["fp32"], name


def test_half_precision_keeps_the_promise() -> None:
    net = SmallNet().eval()
    forward = fast_forward(net, CPU, views(8))
    assert isinstance(forward, HalfForward)
    x = to_input(views(16), CPU)
    assert x.shape == (16, 3, 32, 32)
    assert 0 < largest_change(forward, net, x) <= TOLERANCE


def test_a_network_that_half_precision_would_change_stays_in_float32() -> None:
    net = SmallNet(scale=3e4).eval()
    with torch.no_grad():  # its log-odds lie near 0, where a rounding error is a large change
        odds = net(to_input(views(8), CPU))
        net.head.bias[1] -= float(odds.median()) / net.scale
    assert fast_forward(net, CPU, views(8)) is net


def test_a_change_to_nan_is_the_largest() -> None:
    net = SmallNet().eval()
    x = to_input(views(2), CPU)
    assert largest_change(lambda x: torch.full((len(x),), torch.nan), net, x) == float("inf")


def test_the_benchmark_prints_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a small network in the detector's place and no process of its own: the real run takes minutes."""
    from genimage_core import cli
    from genimage_core.evaluation.runtime import speed

    detector = in_memory(SmallNet().eval(), "untrained")
    monkeypatch.setattr(speed, "detector_for_speed", lambda name: detector)
    monkeypatch.setattr(speed, "YARDSTICK", {"gramnet": ("resnet18", 64)})
    fresh = {"first_verdict_s": 1.0, "peak_mb": 500, "first_verdict_loads_torch": False}
    monkeypatch.setattr(speed, "fresh_process", lambda names, threads: fresh)
    for options in (["--json"], []):
        command = ["genimage", "time", "--detectors", "gramnet", "--rounds", "1", *options]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit, match="0"):
            cli.main()
        out = capsys.readouterr().out
        if options:
            found = json.loads(out)
            (row,) = found["rows"]
            assert {"ratio", "ratio_batch16", "peak_mb"} <= set(found)
            assert found["ratio"] == pytest.approx(row["timm_ms"] / found["all_ms"], rel=0.05)
        else:
            assert "gramnet" in out
            assert "first verdict of a new process: 1.00 s" in out
