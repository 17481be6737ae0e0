"""Home, Can you tell? and Data set, run by Streamlit's own test driver."""

import threading
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genimage_core import detectors
from genimage_core.datasets import scan_dataset
from genimage_core.datasets.audit.result import Audit
from genimage_core.datasets.samples import shown_samples
from genimage_core.utils.errors import WeightsError
from genimage_core.utils.paths import asset
from pages.components.home.example import ExampleReport, example
from pages.components.shared.glossary import TERMS, meaning
from tests.app.test_detect_degrade import (  # noqa: F401  (fixtures)
    FakeDetector,
    assert_clean,
    home,
    html,
    instant_detectors,
    texts,
)

COUNT = 12


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def wait_for_example() -> ExampleReport:
    found = example(shown_samples()[0].file, shown_samples()[0])
    end = time.monotonic() + 60
    while found.waiting and time.monotonic() < end:
        time.sleep(0.02)
    return found


def test_home_shows_an_analysed_sample_and_the_way_on(home):  # noqa: F811
    assert_clean(home)
    wait_for_example()
    home.run()
    assert_clean(home)
    shown = html(home)
    assert "What it really is" in shown
    assert 'class="gl-words"' in shown
    assert "answer is" in shown or "take no side" in shown
    assert "Try your own" in buttons(home)
    links = [link.proto.label for link in home.get("page_link")]
    assert "**Detect**" in links
    assert "**Can you tell?**" in links


def test_home_scores_the_sample_once_for_all_visitors(home, monkeypatch):  # noqa: F811
    wait_for_example()

    def nobody(*_, **__):
        raise AssertionError("asked again")

    monkeypatch.setattr("pages.components.home.example_report.make_report", nobody)
    other = AppTest.from_file("../../app.py", default_timeout=60).run()
    assert_clean(other)
    assert 'class="gl-words"' in html(other)


def test_home_stands_while_the_detectors_are_still_loading(monkeypatch):
    release = threading.Event()

    def load(name, **_):
        release.wait(60)
        return FakeDetector()

    monkeypatch.setattr(detectors, "load_detector", load)
    app = AppTest.from_file("../../app.py", default_timeout=60).run()
    try:
        assert_clean(app)
        assert "The detectors are looking" in html(app)
        assert "**Detect**" in [link.proto.label for link in app.get("page_link")]
    finally:
        release.set()
    wait_for_example()
    assert 'class="gl-words"' in html(app.run())


def test_home_says_so_where_no_detector_can_answer(monkeypatch):
    def load(name, **_):
        raise WeightsError("missing.", hint="", source=name)

    monkeypatch.setattr(detectors, "load_detector", load)
    app = AppTest.from_file("../../app.py", default_timeout=60).run()
    assert wait_for_example().report is None
    assert "answer here" in html(app.run())
    assert_clean(app)


def test_a_whole_game_is_played_and_counted(home):  # noqa: F811
    home.query_params["seed"] = "7"
    app = home.switch_page("pages/quiz.py").run()
    assert_clean(app)
    assert "gl-rows" not in html(app)  # no answer before the guess
    for number in range(COUNT):
        press(app, "guess_gl-fake")
        assert_clean(app)
        assert ("Right" in html(app)) != ("Wrong" in html(app))
        assert "gl-rows" in html(app)
        next(b for b in app.button if b.label in ("Next picture", "See the result")).click().run()
        assert (number < COUNT - 1) == ("guess_gl-fake" in [b.key for b in app.button])
    assert_clean(app)
    _, game = app.session_state["quiz"]
    hits = sum(q.fake for q in game.questions)
    assert f"You were right {hits} times out of {COUNT}" in [s.value for s in app.subheader]
    table = app.table[0].value
    assert table.loc["You", "right"] == f"{hits} of {COUNT}"
    assert "Spec" in table.index
    next(b for b in app.button if b.label.startswith("Play again")).click().run()
    assert_clean(app)
    assert "guess_gl-real" in [b.key for b in app.button]
    assert app.query_params["seed"] not in ("7", ["7"])


def test_the_address_names_the_draw(home):  # noqa: F811
    drawn = []
    for seed in ("7", "7", "8"):
        app = AppTest.from_file("../../app.py", default_timeout=60).run()
        app.query_params["seed"] = seed
        app.switch_page("pages/quiz.py").run()
        drawn.append(app.session_state["quiz"][1].questions)
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_data_page_without_a_folder_shows_the_samples_and_the_bundled_audit(home):  # noqa: F811
    app = home.switch_page("pages/dataset.py").run()
    assert_clean(app)
    assert "The bundled samples" in texts(app)
    app.query_params["show"] = "What gives them away"
    app.run()
    assert_clean(app)
    assert "sees **no picture**" in texts(app)
    assert {metric.label for metric in app.metric} >= {"Broken files", "Copies"}


def test_the_data_page_lists_the_worst_mistakes(home):  # noqa: F811
    app = home.switch_page("pages/dataset.py").run()
    app.query_params["show"] = "Worst mistakes"
    app.run()
    assert_clean(app)
    assert len(app.dataframe) == 2
    assert app.dataframe[0].value["score"].astype(float).min() > 0.5


def test_a_named_folder_is_browsed_and_audited(home, toy_dataset: Path, monkeypatch):  # noqa: F811
    asked = []

    def quick(folder, **how):
        asked.append((folder, how["split"]))
        how["progress"]("reading", 1, 2)
        return Audit.model_validate_json(asset("measured", "audit.json").read_text())

    monkeypatch.setattr("genimage_core.datasets.audit.run.audit_dataset", quick)
    app = home.switch_page("pages/dataset.py").run()
    app.text_input(key="data_folder").set_value(str(toy_dataset)).run()
    assert_clean(app)
    assert app.dataframe[0].value["ai"].sum() == 36
    app.multiselect(key="generators").select("beta").run()
    assert "of 2" in app.number_input(key="leaf").label
    app.query_params["show"] = "What gives them away"
    app.run()
    next(b for b in app.button if b.label == "Audit this data set").click().run()
    assert_clean(app)
    assert asked == [(str(toy_dataset), "all")]
    assert "Broken files" in [metric.label for metric in app.metric]


def test_a_manifest_gives_a_gallery_by_class_and_prompt(home, toy_dataset: Path):  # noqa: F811
    ids = [record.image_id for record in scan_dataset(toy_dataset)]
    lines = [f"{name},n{i % 2},{('tench', 'gold fish')[i % 2]},photo {i}" for i, name in enumerate(ids)]
    (toy_dataset / "manifest.csv").write_text("\n".join(["path,class,class_name,prompt", *lines]))
    app = home.switch_page("pages/dataset.py").run()
    app.text_input(key="data_folder").set_value(str(toy_dataset)).run()
    assert_clean(app)
    app.selectbox(key="subject").select("tench").run()
    app.text_input(key="prompt_words").set_value("photo 4").run()
    assert_clean(app)
    wanted = {f"photo {i}" for i in range(0, len(ids), 2) if "4" in str(i)}
    captions = [c.value.split(": ", 1)[1] for c in app.caption if ": photo " in c.value]
    assert sorted(captions) == sorted(wanted)


def test_a_wrong_folder_is_named_with_advice(home, tmp_path: Path):  # noqa: F811
    app = home.switch_page("pages/dataset.py").run()
    app.text_input(key="data_folder").set_value(str(tmp_path / "nowhere")).run()
    assert_clean(app)
    assert "Name the folder" in app.warning[0].value


@pytest.mark.parametrize("page", ["pages/dataset.py", "pages/quiz.py"])
def test_a_public_server_asks_for_no_folder(home, monkeypatch, page):  # noqa: F811
    monkeypatch.setenv("GENIMAGE_PUBLIC", "1")
    app = home.switch_page(page).run()
    assert_clean(app)
    assert "data_folder" not in [field.key for field in app.text_input]


def test_terms_are_short():
    assert all(len(text) < 240 for text in TERMS.values())
    with pytest.raises(KeyError):
        meaning("no such term")
