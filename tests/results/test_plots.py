"""Figures: what stands in them, whatever draws them."""

import numpy as np
import pandas as pd
import pytest

from genimage_core.results import plots
from genimage_core.results.published import list_tables, load_table


@pytest.fixture
def values() -> pd.DataFrame:
    return pd.DataFrame({"ADM": [53.5, 39.8], "GLIDE": [61.9, 99.9]}, index=["ResNet-50", "CNNSpot"])


def heatmaps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_heatmap_holds_the_values_and_their_names(values):
    (cells,) = heatmaps(plots.accuracy_heatmap(values))
    np.testing.assert_array_equal(cells.z, values.to_numpy())
    assert list(cells.y) == ["ResNet-50", "CNNSpot"]
    assert [names for names, _ in cells.customdata[0]] == ["ADM", "GLIDE"]


def test_averages_stand_apart_and_share_the_scale(values):
    averages = pd.DataFrame({"printed": [57.7, 69.9]}, index=values.index)
    figure = plots.accuracy_heatmap(values, averages)
    cells, apart = heatmaps(figure)
    assert min(apart.x) - max(cells.x) > 1
    assert cells.coloraxis == apart.coloraxis == "coloraxis"
    assert list(figure.layout.xaxis.ticktext) == ["ADM", "GLIDE", "printed"]


@pytest.mark.parametrize("name", [n for n in list_tables() if load_table(n).kind == "heatmap"])
def test_every_published_heatmap_has_the_one_colour_scale(name):
    table = load_table(name)
    figure = plots.accuracy_heatmap(table.frame()[list(table.value_columns)])
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == plots.ACCURACY_RANGE


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    def luminance(colour):
        parts = [v / 255 for v in colour]
        r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("percent", range(35, 105, 5))
def test_numbers_are_readable_on_every_colour(percent):
    colour = plots.cell_colour(percent)
    ink = plots.ink_on(colour)
    rgb = tuple(int(ink[i : i + 2], 16) for i in (1, 3, 5))
    assert contrast(rgb, colour) >= 4.0


def test_colours_end_where_the_scale_ends():
    assert plots.cell_colour(0) == plots.cell_colour(plots.ACCURACY_RANGE[0])
    assert plots.cell_colour(100) != plots.cell_colour(50)


def test_curves_hold_a_line_for_each_detector_and_the_combined_one():
    figure = plots.severity_curves(
        {"ResNet-50": [0.9, 0.6, None], "Spec": [0.2, 0.3, None]},
        ["as is", "95", "80"],
        combined=[0.8, 0.5, None],
        band=(0.4, 0.6),
        current=1.5,
    )
    assert [trace.name for trace in figure.data] == ["All together", "ResNet-50", "Spec"]
    assert list(figure.data[1].y) == [0.9, 0.6, None]
    band, slider = figure.layout.shapes
    assert (band.y0, band.y1) == (0.4, 0.6)
    assert slider.x0 == 1.5


def test_lines_differ_without_colour():
    names = [f"detector {i}" for i in range(7)]
    figure = plots.severity_curves({name: [0.5] for name in names}, ["as is"])
    looks = {(trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 7


def test_bars_put_the_best_on_top():
    bar = plots.ranked_bars(["low", "high", "middle"], [50.0, 90.0, 70.0]).data[0]
    assert list(bar.y) == ["low", "middle", "high"]


def test_counts_are_logarithmic_and_lines_are_in_order():
    counted = plots.counts(["A", "B"], {"real images": [10, 1000], "fake images": [20, 2000]})
    assert counted.layout.xaxis.type == "log"
    lines = plots.grouped_lines(["few", "many"], {"same": [70.0, 99.0]})
    assert list(lines.data[0].x) == ["few", "many"]


def test_measured_tables_read_like_the_published_ones() -> None:
    from pages.components.benchmark.tables import measured_frame

    rows = pd.DataFrame(
        [{"detector": "resnet50", "AUROC": 0.87, "n": 12}, {"detector": "all", "AUROC": 1.0, "n": 12}]
    )
    shown = measured_frame(rows)
    assert list(shown.index) == ["ResNet-50", "all"]
    assert shown["AUROC"].tolist() == ["0.870", "1.000"]
    assert shown["n"].tolist() == ["12", "12"]


def test_a_cell_without_a_value_stays_empty_and_details_are_told_on_pointing(values):
    values.iloc[0, 1] = np.nan
    details = pd.DataFrame([["<br>n = 10", ""], ["<br>n = 20", "<br>n = 5"]])
    figure = plots.accuracy_heatmap(values, details=details)
    (cells,) = heatmaps(figure)
    (texts,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert list(texts.text) == ["53.5", "39.8", "99.9"]
    assert [more for _, more in cells.customdata[1]] == ["<br>n = 20", "<br>n = 5"]


def test_differences_have_a_scale_of_their_own_with_signs(values):
    figure = plots.accuracy_heatmap(values - 60, difference=True)
    (texts,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert "+39.9" in texts.text
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == plots.DIFFERENCE_RANGE


def test_a_clickable_heatmap_has_a_target_over_every_cell_that_holds_a_figure() -> None:
    values = pd.DataFrame({"a": [50.0, float("nan")], "b": [70.0, 90.0]}, index=["one", "two"])
    details = pd.DataFrame("n = 3", index=values.index, columns=values.columns)
    figure = plots.accuracy_heatmap(values, details=details, clickable=True)
    (targets,) = (trace for trace in figure.data if trace.type == "scatter")
    assert {(y, data[0], data[2]) for y, data in zip(targets.y, targets.customdata, strict=True)} == {
        ("one", "a", 50.0),
        ("one", "b", 70.0),
        ("two", "b", 90.0),
    }
    assert all(data[1] == "n = 3" for data in targets.customdata)
    assert sorted(text.text for text in figure.layout.annotations) == ["50.0", "70.0", "90.0"]
