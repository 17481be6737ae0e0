"""Files under names of before are read as those of today."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from genimage_core.evaluation.plan import RUN_FILE, check_same, read_plan
from genimage_core.evaluation.store import RunStore, read_rows
from genimage_core.results.image_scores import read_score_table
from genimage_core.results.measured import MeasuredTable
from genimage_core.utils.old_names import of_export
from tests.evaluation.test_store import make_plan, rows_of

OLD = {"degradation": "condition", "data_protocol": "protocol", "preprocessing": "reading"}


def test_a_run_of_before_goes_on(tmp_path: Path) -> None:
    new = make_plan()
    with RunStore(tmp_path, new) as store:
        written = store.append(rows_of(new, "1"))
    plan = json.loads((tmp_path / RUN_FILE).read_text())
    plan = {{"degradations": "conditions", **OLD}.get(key, key): value for key, value in plan.items()}
    (tmp_path / RUN_FILE).write_text(json.dumps(plan | {"reading": "native"}))
    table = pq.ParquetFile(written).read()
    place = table.column_names.index("preprocessing")
    native = pa.array(["native"] * len(table)).dictionary_encode()
    table = table.set_column(place, table.schema.field(place), native)
    pq.write_table(table.rename_columns([OLD.get(name, name) for name in table.column_names]), written)
    check_same(read_plan(tmp_path), new, tmp_path)
    assert set(read_rows(tmp_path)["preprocessing"]) == {"tiles"}
    with RunStore(tmp_path, new) as store:
        assert store.done() == {"1"}
        store.append(rows_of(new, "2"))
    rows = read_rows(tmp_path)
    assert set(rows["image_id"]) == {"1", "2"}
    assert set(rows["preprocessing"]) == {"tiles"}


def test_exported_scores_and_their_manifest(tmp_path: Path) -> None:
    file = tmp_path / "spec.csv"
    pd.DataFrame({"image_id": ["a"], "protocol": ["paper"], "condition": ["none"]}).to_csv(file, index=False)
    assert read_score_table(file).to_dict("records") == [
        {"image_id": "a", "preprocessing": "resize", "degradation": "none"}
    ]
    old = {"protocol": "native", "data_protocol": "raw", "condition": "jpeg:65"}
    assert of_export(old) == {"preprocessing": "tiles", "data_protocol": "raw", "degradation": "jpeg:65"}


def test_a_measured_table() -> None:
    found = MeasuredTable.model_validate(
        {"table": "t", "title": "", "protocol": "raw", "reading": "paper", "data_sha256": "", "weights": {},
         "cells": []}
    )  # fmt: skip
    assert (found.data_protocol, found.preprocessing) == ("raw", "resize")
