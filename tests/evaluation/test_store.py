"""The run folder: whole files or none, one process, one plan."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genimage_core.evaluation import store as store_module
from genimage_core.evaluation.plan import DataFacts, Plan, parse_degradations, read_plan
from genimage_core.evaluation.store import SCHEMA, Row, RunStore, list_shards, read_rows
from genimage_core.utils.errors import EvaluationError


def make_plan(images: int = 4, **changes: object) -> Plan:
    data = DataFacts(
        fingerprint="f" * 64, covers="test", images=images, generators=("g",), split="val", limit=None, seed=0
    )
    base = Plan(
        data=data, detectors={"a": "1" * 64, "b": "2" * 64}, degradations=("none", "jpeg:65"),
        data_protocol="raw", preprocessing="tiles", device="cpu", versions={"torch": "2"}, command="first",
    )  # fmt: skip
    return base.model_copy(update=changes)


def rows_of(plan: Plan, *ids: str, p: float = 0.25) -> list[Row]:
    return [
        Row(
            image_id=i, generator="g", split="val", label=1, detector=d, weights=w, degradation=c,
            data_protocol=plan.data_protocol, preprocessing=plan.preprocessing, p_fake=p, error=None,
        )
        for i in ids for d, w in plan.detectors.items() for c in plan.degradations
    ]  # fmt: skip


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    plan = make_plan()
    unread = [row | {"p_fake": None, "error": "damaged"} for row in rows_of(plan, "z")]
    with RunStore(tmp_path, plan) as store:
        store.append(rows_of(plan, "x", "y"))
        store.append(unread)  # type: ignore[arg-type]
        assert store.done() == {"x", "y", "z"}
    rows = read_rows(tmp_path)
    assert list(rows.columns) == SCHEMA.names
    assert len(rows) == 3 * 4
    assert rows["p_fake"].isna().sum() == 4
    assert rows.loc[rows["image_id"] == "z", "error"].tolist() == ["damaged"] * 4
    assert rows.loc[0].to_dict() | {"error": None} == rows_of(plan, "x")[0]
    assert [path.name for path in list_shards(tmp_path)] == ["rows-000001.parquet", "rows-000002.parquet"]


def test_a_run_goes_on_with_the_next_number(tmp_path: Path) -> None:
    plan = make_plan()
    for name in ("x", "y"):
        with RunStore(tmp_path, plan) as store:
            store.append(rows_of(plan, name))
    assert [path.name for path in list_shards(tmp_path)] == ["rows-000001.parquet", "rows-000002.parquet"]
    assert len(read_rows(tmp_path)) == 8


def test_an_empty_run_has_no_rows(tmp_path: Path) -> None:
    with RunStore(tmp_path, make_plan()):
        pass
    assert read_rows(tmp_path).empty


def test_a_write_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        store.append(rows_of(plan, "x"))

    def half(table: object, path: Path, **options: object) -> None:
        path.write_bytes(b"PAR1 and then the disk is full")
        raise OSError("No space left on device")

    with RunStore(tmp_path, plan) as store, monkeypatch.context() as patch:
        patch.setattr(store_module.pq, "write_table", half)
        with pytest.raises(OSError, match="No space"):
            store.append(rows_of(plan, "y"))
    assert [path.name for path in (tmp_path / "rows").glob("*.part")]
    with RunStore(tmp_path, plan) as store:
        assert store.done() == {"x"}
        store.append(rows_of(plan, "y"))
        assert store.done() == {"x", "y"}
    assert not list((tmp_path / "rows").glob("*.part"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"degradations": ("none",)}, "degradations: none,jpeg:65, now none"),
        (
            {"detectors": {"a": "1" * 64, "b": "3" * 64}},
            "detectors.b: 2222222222222222, now 3333333333333333",
        ),
        ({"detectors": {"a": "1" * 64}}, "detectors.b: 2222222222222222, now absent"),
        ({"data_protocol": "unbiased"}, "data_protocol: raw, now unbiased"),
        ({"preprocessing": "resize"}, "preprocessing: tiles, now resize"),
        ({"versions": {"torch": "3"}}, "versions.torch: 2, now 3"),
        ({"precision": "bf16"}, "precision"),
        ({"data": make_plan(5).data}, "data.images: 4, now 5"),
    ],
)
def test_another_plan_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        store.append(rows_of(plan, "x"))
    with pytest.raises(EvaluationError, match=said) as refused, RunStore(tmp_path, make_plan(**changes)):
        pass
    assert refused.value.hint
    assert read_plan(tmp_path) == plan
    assert len(read_rows(tmp_path)) == 4


def test_the_command_may_be_another(tmp_path: Path) -> None:
    with RunStore(tmp_path, make_plan()):
        pass
    with RunStore(tmp_path, make_plan(command="second")):
        pass
    assert read_plan(tmp_path).command == "first"


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    second = RunStore(tmp_path, make_plan())
    with RunStore(tmp_path, make_plan()), pytest.raises(EvaluationError, match="another process"):
        second.__enter__()
    with RunStore(tmp_path, make_plan()) as store:
        assert store.done() == set()


def test_rows_without_a_plan_are_refused(tmp_path: Path) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        store.append(rows_of(plan, "x"))
    (tmp_path / "run.json").unlink()
    with pytest.raises(EvaluationError, match=r"no run\.json"), RunStore(tmp_path, plan):
        pass
    with pytest.raises(EvaluationError, match="no evaluation run here"):
        read_plan(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_plan(tmp_path)


def test_a_damaged_file_is_named_and_can_be_deleted(tmp_path: Path) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        store.append(rows_of(plan, "x"))
        second = store.append(rows_of(plan, "y"))
        second.write_bytes(second.read_bytes()[:-20])
        with pytest.raises(EvaluationError, match="rows-000002") as found:
            store.done()
        assert "Delete it" in found.value.hint
        with pytest.raises(EvaluationError, match="rows-000002"):
            read_rows(tmp_path)
        second.unlink()
        assert store.done() == {"x"}


def test_other_parquet_is_no_file_of_rows(tmp_path: Path) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        path = store.append(rows_of(plan, "x"))
        pq.write_table(pq.read_table(path).drop_columns(["image_id"]), path)
        with pytest.raises(EvaluationError, match="damaged"):
            store.done()
        with pytest.raises(EvaluationError, match="damaged"):
            read_rows(tmp_path)


def test_doubled_and_missing_rows_are_found(tmp_path: Path) -> None:
    plan = make_plan()
    with RunStore(tmp_path, plan) as store:
        path = store.append(rows_of(plan, "x"))
        (path.parent / "rows-000009.parquet").write_bytes(path.read_bytes())
        with pytest.raises(EvaluationError, match="rows-000009"):
            store.done()
        with pytest.raises(EvaluationError, match="twice"):
            read_rows(tmp_path)
        (path.parent / "rows-000009.parquet").unlink()
        incomplete = store.append(rows_of(plan, "y")[:-1])
        with pytest.raises(EvaluationError, match=incomplete.name):
            store.done()


def test_conditions_are_spelled_one_way_and_stand_once() -> None:
    assert parse_degradations("none") == ("none",)
    assert parse_degradations("JPEG:65, blur:3.0+jpeg:65,jpeg:65") == ("jpeg:65", "blur:3+jpeg:65")
    paper = ("none", "lowres:112", "lowres:64", "jpeg:65", "jpeg:30", "blur:3", "blur:5")
    assert parse_degradations("paper") == paper
    assert parse_degradations("paper,blur:1,none") == (*paper, "blur:1")


def test_a_place_that_cannot_be_written_is_clear(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(EvaluationError, match="cannot be written"), RunStore(tmp_path / "file", make_plan()):
        pass
