"""The pages, run by Streamlit's own test driver, with detectors that answer at once."""

import io
import json
from html import escape

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from genimage_core import detectors
from genimage_core.results.cards import bundled_entry, in_words
from genimage_core.results.published import list_tables, load_table
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict import combine as verdict
from genimage_core.verdict.labels import ANSWER_STYLES

PAGES = ("pages/detect.py", "pages/degrade.py", "pages/benchmark.py", "pages/about.py")
NAMES = tuple(detectors.list_detectors())


class FakeDetector:
    """Answers with the image's brightness, so that different pictures get different scores."""

    def predict(self, images, preprocessing="tiles"):
        return np.array([image.mean() / 255 for image in images], np.float32)


@pytest.fixture(autouse=True)
def instant_detectors(monkeypatch):
    how = verdict.Combination(
        weights=dict.fromkeys(NAMES, 1 / len(NAMES)),
        bias=0.0,
        single=dict.fromkeys(NAMES, (1.0, 0.0)),
        low=0.4,
        high=0.6,
        fitted_on="nothing",
    )
    monkeypatch.setattr(detectors, "load_detector", lambda name, **_: FakeDetector())
    monkeypatch.setattr(verdict, "load_combination", lambda *_: how)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def home() -> AppTest:
    return AppTest.from_file("../../app.py", default_timeout=60).run()


@pytest.fixture
def app(home: AppTest) -> AppTest:
    return home.switch_page("pages/detect.py").run()


def png(grey: int, size: tuple[int, int] = (160, 120)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(out, "PNG")
    return out.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    uploader = app.file_uploader[0]
    uploader.set_value([(name, data, "image/png") for name, data in files])
    return app.run()


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.warning, app.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def assert_clean(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs_without_a_picture(app, page):
    assert_clean(app.switch_page(page).run())


@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs_with_a_picture(app, page):
    upload(app, ("white.png", png(250)))
    assert_clean(app.switch_page(page).run())


@pytest.mark.parametrize(("grey", "answer"), [(250, "ai"), (128, "cannot_tell"), (5, "photo")])
def test_an_upload_gets_an_answer_and_all_scores(app, grey, answer):
    upload(app, ("picture.png", png(grey)))
    assert_clean(app)
    shown = html(app)
    assert f"</span>{escape(ANSWER_STYLES[answer].words)}</p>" in shown
    assert shown.count("gl-zone") == 5
    asked = len(detectors.list_detectors())
    assert shown.count(f'aria-valuenow="{grey / 255:.2f}"') == asked + 1  # and the combined score
    assert "160 × 120 px" in shown


@pytest.mark.parametrize(
    ("name", "data"),
    [("empty.png", b""), ("text.png", b"not a picture at all"), ("cut.png", png(100, (400, 400))[:200])],
)
def test_a_bad_file_is_named_with_advice(app, name, data):
    upload(app, (name, data))
    assert_clean(app)
    (warning,) = app.warning
    assert name in warning.value.replace("\\", "")
    assert len(warning.value) > len(name) + 40


def test_a_bad_file_does_not_stop_the_others(app):
    upload(app, ("white.png", png(250)), ("bad.png", b"nonsense"), ("black.png", png(3)))
    assert_clean(app)
    assert len(app.warning) == 1
    (table,) = app.dataframe
    assert table.value["name"].tolist() == ["white.png", "black.png"]
    assert [words[0] for words in table.value["answer"]] == ["◆", "●"]
    assert table.value.columns[0] == "answer"


def test_the_table_of_many_is_sorted_by_answer_and_so_is_the_export(app):
    from pages.components.detect.picture_table import BY_ANSWER

    upload(app, ("black.png", png(3)), ("white.png", png(250)), ("grey.png", png(128)))
    assert "1 AI" in texts(app)
    app.button_group(key="overview_order").set_value(BY_ANSWER).run()
    assert app.dataframe[0].value["name"].tolist() == ["white.png", "grey.png", "black.png"]


def test_the_prior_moves_the_odds_and_nothing_else(app):
    upload(app, ("white.png", png(250)))
    even = html(app)
    app.slider(key="prior").set_value(5).run()
    assert_clean(app)
    rare = html(app)
    assert "if half of all" in even
    assert "if 5 in 100 of all" in rare
    assert even.count("aria-valuenow") == rare.count("aria-valuenow")


def test_the_table_of_many_is_filtered_by_verdict_and_name(app):
    upload(app, ("white.png", png(250)), ("black.png", png(3)), ("dark.png", png(9)))
    app.button_group(key="overview_verdicts").select("photo").run()
    assert app.dataframe[0].value["name"].tolist() == ["black.png", "dark.png"]
    app.text_input(key="overview_name").set_value("DARK").run()
    assert app.dataframe[0].value["name"].tolist() == ["dark.png"]
    app.text_input(key="overview_name").set_value("nothing").run()
    assert_clean(app)
    assert not app.dataframe
    assert "No picture is left" in texts(app)


def test_the_progress_goes_when_the_last_picture_took_long(app, monkeypatch):
    from pages.components.detect import picture_table

    monkeypatch.setattr(picture_table, "SLICE", -1.0)  # each picture takes more than a slice
    upload(app, ("white.png", png(250)), ("black.png", png(3)))
    assert_clean(app)
    assert app.dataframe[0].value["score"].notna().all()
    assert not app.progress


def test_the_report_is_one_html_file(app, monkeypatch):
    from pages.components.detect import downloads

    monkeypatch.setattr("genimage_core.explain.report.select.report_evidence", lambda *_: [])
    upload(app, ("white.png", png(250)))
    assert_clean(app)
    assert "Report as HTML" in [button.label for button in app.get("download_button")]
    text = downloads.as_html(app.session_state["pictures"][0], "tiles")
    assert "white.png" in text
    assert text.count("not known") == len(detectors.list_detectors())  # these have no weights


def test_more_files_than_a_visit_may_bring_are_left_out(app, monkeypatch):
    from pages.components.shared import pictures

    monkeypatch.setattr(pictures, "MAX_BYTES", 2 * len(png(250)))
    upload(app, ("a.png", png(250)), ("b.png", png(250)), ("c.png", png(250)))
    assert_clean(app)
    assert len(app.session_state["pictures"]) == 2
    assert "1 of your files were left out" in texts(app)


def test_a_name_is_shown_letter_by_letter(app):
    upload(app, ("<b>*x*</b> :smile: $a$.png", b"nonsense"))
    assert_clean(app)
    assert "\\*x\\*" in app.warning[0].value
    assert "<b>" not in html(app)


def test_results_can_be_taken_along_as_json_and_csv(app):
    from pages.components.detect import downloads

    upload(app, ("white.png", png(250)), ("bad.png", b"nonsense"))
    chosen = app.session_state["pictures"]
    entries = json.loads(downloads.as_json(chosen, "tiles"))
    assert (entries[0]["answer"], entries[0]["basis"], entries[0]["verdict"]) == ("ai", "pixels", "fake")
    assert 0.5 < entries[0]["odds"] <= 1
    assert json.loads(downloads.as_json(chosen, "tiles", 0.01))[0]["odds"] < entries[0]["odds"]
    assert set(entries[0]["detectors"]) == set(NAMES)
    assert entries[0]["file"]["width"] == 160
    assert "not an image" in entries[1]["error"]
    lines = downloads.as_csv(chosen, "tiles").splitlines()
    assert len(lines) == 3
    assert {"answer", "basis", "odds", "p_fake_resnet50"} <= set(lines[0].split(","))


def test_a_sample_is_tried_and_its_truth_told(app):
    tries = [button for button in app.button if button.label.startswith("Try ")]
    assert tries, "assets/samples is missing"
    tries[0].click().run()
    assert_clean(app)
    assert "The truth:" in texts(app)


def test_the_picture_comes_along_to_degrade_and_a_slider_moves_the_scores(app):
    upload(app, ("white.png", png(250)))
    app.switch_page("pages/degrade.py").run()
    assert_clean(app)
    assert "All together" in html(app)
    app.select_slider(key="jpeg").set_value(30).run()
    assert_clean(app)
    assert "--degrade jpeg:30" in texts(app)
    assert ("tiles", "jpeg:30") in app.session_state["pictures"][0].scores


def test_a_picture_is_cropped_resized_and_taken_as_a_screenshot(app):
    upload(app, ("white.png", png(250, (400, 300))))
    app.switch_page("pages/degrade.py").run()
    app.select_slider(key="crop").set_value(50).run()
    app.select_slider(key="resize").set_value(150).run()
    app.toggle(key="screen").set_value(True).run()
    assert_clean(app)
    assert "--degrade crop:50+resize:150+screen" in texts(app)
    assert ("tiles", "crop:50+resize:150+screen") in app.session_state["pictures"][0].scores
    app.button_group(key="preset").select("JPEG 65").run()  # the paper's conditions stand alone
    assert "--degrade jpeg:65" in texts(app)
    assert not app.toggle(key="screen").value


def test_a_preset_sets_the_sliders_and_a_slider_frees_the_preset(app):
    upload(app, ("white.png", png(250)))
    app.switch_page("pages/degrade.py").run()
    app.button_group(key="preset").select("Blur 3").run()
    assert_clean(app)
    assert app.session_state["blur"] == 3
    assert app.session_state["curve"] == "blur"
    app.select_slider(key="jpeg").set_value(65).run()
    assert app.session_state["preset"] is None
    assert "--degrade blur:3+jpeg:65" in texts(app)


def test_pictures_are_forgotten_on_request(app):
    upload(app, ("white.png", png(250)))
    next(button for button in app.button if button.label == "Forget my pictures").click().run()
    assert_clean(app)
    assert app.session_state["pictures"] == []


def test_visitors_do_not_see_each_other(app):
    upload(app, ("mine.png", png(250)))
    other = AppTest.from_file("../../app.py", default_timeout=60).run().switch_page("pages/detect.py").run()
    assert "mine.png" not in texts(other) + html(other)
    assert not other.session_state["pictures"]


@pytest.mark.parametrize("name", list_tables())
def test_every_table_is_shown_and_can_be_linked_to(name):
    app = AppTest.from_file("../../app.py", default_timeout=60).run()
    app.query_params["table"] = name
    app.switch_page("pages/benchmark.py").run()
    assert_clean(app)
    assert load_table(name).title in [element.value for element in app.subheader]
    assert len(app.table[0].value) == len(load_table(name).frame())


def test_one_measured_set_is_shown_at_a_time():
    from genimage_core.results.measured import list_measured

    found = list_measured()
    if len(found) < 2:
        pytest.skip("fewer than two measured sets are bundled")
    app = AppTest.from_file("../../app.py", default_timeout=60).run()
    app.switch_page("pages/benchmark.py").run()
    chooser = next(box for box in app.selectbox if box.label == "Measured set")
    assert chooser.options == [result.title for result in found]
    chooser.set_value(len(found) - 1).run()
    assert_clean(app)
    assert len(app.table[-1].value) == len(found[-1].rows)
    assert found[-1].description in [element.value for element in app.markdown]


@pytest.mark.parametrize("name", list_tables())
def test_every_table_becomes_a_file(name):
    from pages.components.benchmark import tables

    table = load_table(name)
    assert len(tables.csv(table).strip().splitlines()) == len(table.frame()) + 1


def test_a_detector_without_weights_is_said_and_the_others_answer(app, monkeypatch):
    def load(name, **_):
        if name == "spec":
            raise WeightsError("its weights are missing.", hint="Restore assets/weights.", source="spec")
        return FakeDetector()

    monkeypatch.setattr(detectors, "load_detector", load)
    st.cache_resource.clear()
    upload(app, ("white.png", png(250)))
    assert_clean(app)
    assert any("Spec does not answer" in info.value for info in app.info)
    assert len(app.session_state["pictures"][0].scores["tiles", ""]) == len(NAMES) - 1


def test_without_any_weights_the_page_says_so(app, monkeypatch):
    def load(name, **_):
        raise WeightsError("no weights here.", hint="Restore assets/weights.", source=name)

    monkeypatch.setattr(detectors, "load_detector", load)
    st.cache_resource.clear()
    upload(app, ("white.png", png(250)))
    assert_clean(app)
    assert "No verdict" in html(app)


def test_about_shows_a_card_for_each_detector(app):
    app.switch_page("pages/about.py").run()
    assert_clean(app)
    assert sum("ResNet-50" in expander.label for expander in app.expander) == 1
    assert len(app.expander) >= 7
    shown = "\n".join(text.value for text in app.markdown)
    entry, weights_id = bundled_entry("resnet50")
    assert weights_id in shown
    assert in_words(entry["packing_loss"]["auroc_packed"]) in shown
