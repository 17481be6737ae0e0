"""State in the address: a view that is opened again looks the same, and names no visitor's picture."""

import pytest

from genimage_core.datasets.samples import list_samples
from genimage_core.images.degradations import parse
from tests.app.test_detect_degrade import app, assert_clean, home, instant_detectors, png, texts, upload  # noqa: F401


def degrade(home, **address):  # noqa: F811
    for key, value in address.items():
        home.query_params[key] = value
    opened = home.switch_page("pages/degrade.py").run()
    assert_clean(opened)
    return opened


SAMPLE = list_samples()[0].file


def named(opened, key):
    """What the address names, whether the test or the page put it there."""
    value = opened.query_params[key]
    return value if isinstance(value, str) else value[0]


@pytest.mark.parametrize(
    "text", ["jpeg:30", "lowres:112:down+blur:1.5+jpeg:65", "crop:80+resize:50+screen+jpeg:75"]
)
def test_a_shared_degradation_is_set_again(home, text):  # noqa: F811
    opened = degrade(home, degrade=text, sample=SAMPLE)
    assert [p.name for p in opened.session_state["pictures"]] == [SAMPLE]
    assert f"--degrade {parse(text)}" in texts(opened)
    assert named(opened, "degrade") == str(parse(text))


def test_a_value_between_two_stops_goes_to_the_nearer(home):  # noqa: F811
    opened = degrade(home, degrade="jpeg:31", sample=SAMPLE)
    assert opened.select_slider(key="jpeg").value == 30


@pytest.mark.parametrize("text", ["nonsense:1", "jpeg:30+jpeg:40", "jpeg:30+blur:2"])
def test_what_the_sliders_cannot_show_is_said(home, text):  # noqa: F811
    opened = degrade(home, degrade=text, sample=SAMPLE)
    assert len(opened.toast) == 1
    assert opened.select_slider(key="jpeg").value == "off"


def test_a_moved_slider_changes_the_address_and_stays_moved(home):  # noqa: F811
    opened = degrade(home, degrade="jpeg:30", sample=SAMPLE)
    opened.select_slider(key="blur").set_value(2.0).run()
    assert named(opened, "degrade") == "blur:2+jpeg:30"
    opened.run()
    assert opened.select_slider(key="blur").value == 2.0
    for kind in ("blur", "jpeg"):
        opened.select_slider(key=kind).set_value("off").run()
    assert "degrade" not in opened.query_params


def test_a_visitors_own_picture_is_not_named(app):  # noqa: F811
    upload(app, ("private.png", png(250)))
    assert not dict(app.query_params)
    app.button(key=f"detect_{SAMPLE}").click().run()
    assert named(app, "sample") == SAMPLE


def test_a_view_of_a_table_is_opened_as_it_was(home):  # noqa: F811
    home.query_params["table"] = "task1_sd14"
    home.query_params["detectors"] = ["Spec", "F3Net"]
    opened = home.switch_page("pages/benchmark.py").run()
    assert_clean(opened)
    assert sorted(opened.table[0].value.index) == ["F3Net", "Spec"]
    opened.multiselect(key="detectors").set_value(["GramNet"]).run()
    assert opened.table[0].value.index.tolist() == ["GramNet"]


def test_an_unknown_sample_is_passed_over(home):  # noqa: F811
    assert not degrade(home, sample="../../secret.png").session_state["pictures"]
