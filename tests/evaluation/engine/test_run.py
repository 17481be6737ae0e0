"""The engine: the scores of `predict`, each once, whatever stops it in between."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genimage_core.datasets import Record, data_protocol, scan_dataset
from genimage_core.detectors import Detector
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.engine import views as engine_views
from genimage_core.evaluation.plan import Plan
from genimage_core.evaluation.select import data_facts
from genimage_core.evaluation.store import read_rows
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.utils.errors import EvaluationError
from tests.conftest import make_image
from tests.detectors.test_every_detector import TinyNet

KEY = ["image_id", "detector", "degradation"]
DEGRADATIONS = ("none", "lowres:24:down", "blur:2+jpeg:65")


class WiderNet(TinyNet):
    """Reads other views than `TinyNet`."""

    info = replace(TinyNet.info, name="wider")
    spec = replace(TinyNet.spec, tile=48, max_tiles=3, paper_resize=64, paper_crop=56)


def tiny_detectors() -> dict[str, Detector]:
    """Three untrained detectors, two of which read the same views."""
    found = {}
    for seed, (name, net) in enumerate((("tiny", TinyNet), ("twin", TinyNet), ("wider", WiderNet))):
        torch.manual_seed(seed)
        found[name] = Detector(net(), torch.device("cpu"), str(seed) * 64)
    return found


def plan_for(records: list[Record], detectors: dict[str, Detector], **changes: Any) -> Plan:
    facts = data_facts(records, split="val", limit=None, seed=0)
    base = Plan(
        data=facts, detectors={n: d.weights_id for n, d in detectors.items()}, degradations=DEGRADATIONS,
        data_protocol="raw", preprocessing="tiles", device="cpu", versions={},
    )  # fmt: skip
    return base.model_copy(update=changes)


def write_images(root: Path, count: int, side: int = 60) -> list[Record]:
    for i in range(count):
        folder = root / "alpha" / "val" / ("ai", "nature")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(make_image(i, side, fake=i % 2 == 0)).save(folder / f"{i:03}.png", compress_level=1)
    return scan_dataset(root)


@pytest.fixture
def records(toy_dataset: Path) -> list[Record]:
    """24 validation images of two generators, in three sizes."""
    found = [r for r in scan_dataset(toy_dataset) if r.split == "val"]
    for i, record in enumerate(found):
        side = (20, 61, 160)[i % 3]  # smaller than a tile, odd, several tiles
        Image.fromarray(make_image(i, side, fake=bool(record.label))).save(record.path)
    return found


@pytest.mark.parametrize("preprocessing", ["tiles", "resize"])
@pytest.mark.parametrize("protocol", ["raw", "unbiased"])
def test_scores_are_those_of_predict(
    records: list[Record], tmp_path: Path, preprocessing: Any, protocol: str
) -> None:
    detectors = tiny_detectors()
    plan = plan_for(records, detectors, preprocessing=preprocessing, data_protocol=protocol)
    assert engine.run(records, detectors, plan, tmp_path / "run", batch=5, workers=2)
    rows = read_rows(tmp_path / "run").set_index(KEY)
    assert len(rows) == len(records) * plan.rows_per_image
    assert rows["error"].isna().all()
    apply = data_protocol(protocol).apply
    for record in records:
        image = apply(load_image(record.path).pixels)
        for degradation in DEGRADATIONS:
            degraded = parse(degradation)(image)
            for name, detector in detectors.items():
                row = rows.loc[(record.image_id, name, degradation)]
                expected = detector.predict([degraded], preprocessing)[0]
                assert row["p_fake"] == pytest.approx(expected, abs=1e-5)
                assert (row["generator"], row["split"], row["label"]) == (
                    record.generator,
                    "val",
                    record.label,
                )
                assert (row["weights"], row["data_protocol"], row["preprocessing"]) == (
                    detector.weights_id,
                    protocol,
                    preprocessing,
                )
    assert rows["p_fake"].nunique() > 100  # the scores tell images, detectors and degradations apart


def test_each_image_is_decoded_once_and_like_readers_share_views(
    records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[Path] = Counter()
    cut: Counter[int] = Counter()
    cut_views = engine_views.cut_views

    def count_load(path: Path) -> Any:
        decoded[path] += 1
        return load_image(path)

    def count_views(image: np.ndarray, spec: Any, preprocessing: Any) -> list[np.ndarray]:
        cut[spec.tile] += 1
        return cut_views(image, spec, preprocessing)

    monkeypatch.setattr(engine_views, "load_image", count_load)
    monkeypatch.setattr(engine_views, "cut_views", count_views)
    detectors = tiny_detectors()
    engine.run(records, detectors, plan_for(records, detectors), tmp_path / "run", workers=1)
    assert decoded == {record.path: 1 for record in records}
    expected = len(records) * len(DEGRADATIONS)
    assert cut == {32: expected, 48: expected}


def test_views_of_many_images_and_conditions_go_through_together(
    records: list[Record], tmp_path: Path
) -> None:
    detectors = tiny_detectors()
    sizes: list[int] = []
    net = detectors["wider"].net

    def note(x: torch.Tensor) -> torch.Tensor:
        sizes.append(len(x))
        return net(x)

    detectors["wider"].forward = note
    engine.run(records[:6], detectors, plan_for(records[:6], detectors), tmp_path / "run", batch=6)
    assert len(sizes) == -(-sum(sizes) // 32)
    assert sum(sizes) > 6 * len(DEGRADATIONS)


def test_preparing_can_be_sent_to_another_process(records: list[Record]) -> None:
    specs = [TinyNet.spec, WiderNet.spec]
    here = engine_views.Preparer(specs, {"jpeg:65": parse("jpeg:65")}, data_protocol("unbiased"), "tiles")
    one, two = here(records[2]), pickle.loads(pickle.dumps(here))(records[2])
    assert one.views.keys() == two.views.keys()
    assert len(one.views) == 2
    for key, views in one.views.items():
        np.testing.assert_array_equal(np.stack(views), np.stack(two.views[key]))
        assert all(view.base is None for view in views)  # nothing keeps the whole image


def test_bad_files_are_rows_with_their_error(tmp_path: Path) -> None:
    records = write_images(tmp_path / "data", 40)
    records[3].path.write_bytes(records[3].path.read_bytes()[:500])
    records[17].path.write_bytes(b"")
    detectors = tiny_detectors()
    plan = plan_for(records, detectors)
    assert engine.run(records, detectors, plan, tmp_path / "run", batch=7)
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 40 * plan.rows_per_image
    bad = rows[rows["p_fake"].isna()]
    assert set(bad["image_id"]) == {records[3].image_id, records[17].image_id}
    assert (bad["image_id"].value_counts() == plan.rows_per_image).all()
    assert bad["error"].notna().all()
    assert rows.loc[rows["p_fake"].notna(), "error"].isna().all()
    assert set(bad.loc[bad["image_id"] == records[17].image_id, "error"]) == {"The file is empty."}


def test_an_image_that_one_degradation_cannot_take(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "alpha" / "val" / "ai"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((2, 65_501, 3), np.uint8)).save(folder / "wide.png")
    records, detectors = scan_dataset(tmp_path / "data"), tiny_detectors()
    plan = plan_for(records, detectors, degradations=("none", "jpeg:65"))
    engine.run(records, detectors, plan, tmp_path / "run")
    rows = read_rows(tmp_path / "run").groupby("degradation", observed=True)
    assert rows["p_fake"].count().to_dict() == {"none": 3, "jpeg:65": 0}
    assert rows["error"].count().to_dict() == {"none": 0, "jpeg:65": 3}


def test_a_network_without_an_answer_is_an_error(records: list[Record], tmp_path: Path) -> None:
    detectors = tiny_detectors()
    detectors["twin"].forward = lambda x: torch.full((len(x),), float("nan"))
    engine.run(records, detectors, plan_for(records, detectors), tmp_path / "run")
    rows = read_rows(tmp_path / "run").groupby("detector", observed=True)
    assert rows["p_fake"].count().to_dict() == {"tiny": 72, "twin": 0, "wider": 72}
    assert set(rows.get_group("twin")["error"]) == {engine.NOT_FINITE}


def test_a_mistake_of_the_program_names_the_image(
    records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(engine_views, "load_image", fail)
    detectors = tiny_detectors()
    with pytest.raises(EvaluationError, match=r"oops") as found:
        engine.run(records, detectors, plan_for(records, detectors), tmp_path / "run")
    assert found.value.source == records[0].image_id


def test_images_or_detectors_of_another_plan_are_refused(records: list[Record], tmp_path: Path) -> None:
    detectors = tiny_detectors()
    plan = plan_for(records, detectors)
    with pytest.raises(EvaluationError, match="images"):
        engine.run(records[1:], detectors, plan, tmp_path)
    with pytest.raises(EvaluationError, match="images"):
        engine.run([records[1], *records[1:]], detectors, plan, tmp_path)
    detectors["tiny"].weights_id = "other"
    with pytest.raises(EvaluationError, match="detectors"):
        engine.run(records, detectors, plan, tmp_path)
