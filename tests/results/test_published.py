"""The published tables: literal cells, and every average recomputed from the cells."""

from __future__ import annotations

import csv
from decimal import Decimal

import pandas as pd
import pytest

from genimage_core.results.published import FOLDER, as_printed, list_tables, load_table, recomputed_average
from genimage_core.utils.errors import DatasetError

HEATMAPS = ["task1_sd14", "task1_mean", "resnet50_matrix", "task2_degradations"]
LISTS = ["scale", "class_subset", "content", "datasets_compared", "later_raw", "later_aligned"]
# Printed averages that the printed cells do not give: (table, row) -> (printed, mean of the cells).
KNOWN_DISAGREEMENTS = {("resnet50_matrix", "ADM"): (Decimal("70.4"), Decimal("70.475"))}


def exact_rows(table_id: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Read (printed average, exact mean) per row straight from the file, without the module under test."""
    with open(FOLDER / f"{table_id}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    cells = {row[0]: [Decimal(cell) for cell in row[1:]] for row in rows}
    return {name: (values[-1], sum(values[:-1]) / (len(values) - 1)) for name, values in cells.items()}


def test_all_tables_are_listed_and_have_their_kind() -> None:
    assert sorted(list_tables()) == sorted(HEATMAPS + LISTS)
    assert [name for name in list_tables() if load_table(name).kind == "heatmap"] == HEATMAPS
    assert sorted(path.stem for path in FOLDER.glob("*.csv")) == sorted(list_tables())


@pytest.mark.parametrize("table_id", HEATMAPS + LISTS)
def test_the_index_describes_the_file(table_id: str) -> None:
    table = load_table(table_id)
    frame = table.frame()
    assert set(table.value_columns) <= set(frame.columns)
    assert all(pd.api.types.is_numeric_dtype(frame[column]) for column in table.value_columns)
    assert table.title
    assert table.description
    assert table.source
    if table.kind == "heatmap":
        assert list(frame.columns) == [*table.value_columns, table.average_column]
        assert frame.index.is_unique
        assert frame.to_numpy().min() >= 0
        assert frame.to_numpy().max() <= 100
        printed = table.printed_average()
        assert printed is not None
        pd.testing.assert_series_equal(printed, frame["average"])
    else:
        assert table.printed_average() is None


@pytest.mark.parametrize("table_id", HEATMAPS)
def test_recomputed_average_is_the_exact_mean(table_id: str) -> None:
    means = recomputed_average(load_table(table_id))
    for row, (_, mean) in exact_rows(table_id).items():
        assert means[row] == pytest.approx(float(mean), abs=1e-9)
    assert len(means) == len(exact_rows(table_id))


@pytest.mark.parametrize("table_id", HEATMAPS)
def test_printed_averages_follow_from_the_cells(table_id: str) -> None:
    table = load_table(table_id)
    for row, (printed, mean) in exact_rows(table_id).items():
        if table.average_rounding == "truncated":
            agrees = Decimal(0) <= mean - printed < Decimal("0.1")
        else:  # an exact half may go either way: the authors averaged unrounded numbers
            agrees = abs(mean - printed) <= Decimal("0.05")
        if (table_id, row) in KNOWN_DISAGREEMENTS:
            assert (printed, mean) == KNOWN_DISAGREEMENTS[table_id, row]
            assert not agrees
            assert any(row in note and "70.475" in note for note in table.notes)
        else:
            assert agrees, (row, printed, mean)


def test_task_2_averages_are_truncated_and_not_rounded() -> None:
    table = load_table("task2_degradations")
    means, printed = recomputed_average(table), table.printed_average()
    assert printed is not None
    assert [as_printed(mean, "truncated") for mean in means] == list(printed)
    assert [as_printed(mean, "rounded") for mean in means] != list(printed)
    assert any("truncated" in note for note in table.notes)


def test_as_printed() -> None:
    assert as_printed(70.6667, "truncated") == 70.6
    assert as_printed(70.6667, "rounded") == 70.7
    assert as_printed((60.3 * 8 - 0.4) / 8, "rounded") == 60.3


def test_mean_table_resnet_row_is_the_column_mean_of_the_matrix() -> None:
    matrix, mean_table = load_table("resnet50_matrix"), load_table("task1_mean")
    columns = matrix.frame().mean(axis=0)
    row = mean_table.frame().loc["ResNet-50"]
    difference = (columns - row).abs().round(6)
    truncated_instead = {"VQDM": 60.9625, "BigGAN": 66.6625}
    for column in columns.index:
        if column in truncated_instead:
            assert columns[column] == pytest.approx(truncated_instead[column])
            assert row[column] == as_printed(columns[column], "truncated")
            assert any(column in note for note in mean_table.notes)
        else:
            assert difference[column] <= 0.05, column


def test_tables_agree_with_each_other() -> None:
    sd14 = load_table("task1_sd14").frame().loc["ResNet-50"]
    matrix = load_table("resnet50_matrix").frame().loc["SD V1.4"]
    pd.testing.assert_series_equal(sd14, matrix, check_names=False)
    assert load_table("scale").frame()["cross-generator accuracy"].iloc[-1] == sd14["average"]
    scale = load_table("scale").frame()
    assert (scale["classes"] * scale["images per class"] == scale["images"]).all()


@pytest.mark.parametrize(
    ("table_id", "row", "column", "value"),
    [
        ("task1_sd14", "CNNSpot", "GLIDE", 39.8),
        ("task1_sd14", "GramNet", "average", 69.9),
        ("task1_mean", "F3Net", "ADM", 66.5),
        ("resnet50_matrix", "GLIDE", "BigGAN", 74.0),
        ("resnet50_matrix", "ADM", "GLIDE", 97.1),
        ("task2_degradations", "CNNSpot", "JPEG 30", 97.3),
        ("task2_degradations", "GramNet", "LR 64", 94.9),
        ("task2_degradations", "Swin-T", "Blur 5", 52.5),
    ],
)
def test_heatmap_cells(table_id: str, row: str, column: str, value: float) -> None:
    assert load_table(table_id).frame().loc[row, column] == value


def test_list_cells() -> None:
    datasets = load_table("datasets_compared").frame().set_index("data set")
    assert len(datasets) == 11
    assert datasets.loc["GenImage", ["real images", "fake images"]].tolist() == [1331167, 1350000]
    assert datasets.loc["IEEE VIP Cup", ["GAN", "diffusion", "public"]].tolist() == ["yes", "yes", "no"]
    raw, aligned = load_table("later_raw").frame(), load_table("later_aligned").frame()
    assert raw.loc[raw["method"] == "SSP", "arXiv"].tolist() == ["2402.01123"]
    assert raw.loc[raw["method"] == "BSF", "arXiv"].tolist() == ["2512.17350"]
    assert sorted(raw.loc[raw["method"] == "UnivFD", "accuracy"]) == [79.5, 88.8]
    assert aligned.set_index("method").loc["NPR", "accuracy"] == 51.5
    assert load_table("content").frame()["accuracy"].tolist() == [99.9, 95.0]
    assert load_table("class_subset").frame()["accuracy"].tolist() == [78.8, 80.3, 81.2, 98.4]


def test_a_frame_is_the_callers_own() -> None:
    table = load_table("task1_sd14")
    frame = table.frame()
    frame.iloc[0, 0] = -1.0
    assert table.frame().iloc[0, 0] == 54.9


def test_errors_say_what_is_known() -> None:
    with pytest.raises(DatasetError, match=r"task9: There is no such table.*task1_sd14"):
        load_table("task9")
    with pytest.raises(DatasetError, match="no average"):
        recomputed_average(load_table("scale"))
