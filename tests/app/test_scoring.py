"""Asking the detectors: who answers first, what is kept, and that a visitor's next move is noticed."""

import threading
import time

import numpy as np
import pytest

from genimage_core.utils.errors import WeightsError
from pages.components.shared import detectors, scoring
from pages.components.shared.pictures import Picture

NAMES = ["one", "two", "three", "four"]
IMAGE = np.full((40, 40, 3), 51, np.uint8)


class Noting:
    """Notes down when it was asked."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name, self.asked = name, asked

    def predict(self, images, preprocessing="tiles"):
        self.asked.append(self.name)
        return np.array([image.mean() / 255 for image in images], np.float32)


class Store:
    """What `models.store` gives."""

    def __init__(self, found):
        self.found, self.asked = found, []

    def get(self, name):
        return self.found[name]

    at_hand = get


@pytest.fixture
def store(monkeypatch):
    """Four detectors that are at hand."""
    asked: list[str] = []
    found = Store({name: Noting(name, asked) for name in NAMES})
    found.asked = asked
    monkeypatch.setattr(detectors, "store", lambda: found)
    monkeypatch.setattr(detectors, "asking_order", lambda first="": sorted(NAMES, key=lambda n: n != first))
    monkeypatch.setattr(scoring, "preprocessing", lambda: "tiles")
    return found


def test_the_chosen_one_answers_before_any_other_is_asked(store):
    told = []
    scores = scoring.ask(Picture("k", "n", b""), lambda: IMAGE, told.append, first="three")
    assert store.asked[0] == "three"
    assert told[0] == {"three": pytest.approx(0.2)}
    assert scores == told[-1] == dict.fromkeys(NAMES, pytest.approx(0.2))


def test_nobody_is_asked_twice_and_one_without_weights_not_at_all(store):
    picture = Picture("k", "n", b"")
    store.found["two"] = WeightsError("missing.", hint="", source="two")
    scoring.ask(picture, lambda: IMAGE, lambda _: None)
    assert sorted(store.asked) == ["four", "one", "three"]

    def no_image():
        raise AssertionError("decoded for nothing")

    assert len(scoring.ask(picture, no_image, lambda _: None)) == 3
    assert len(store.asked) == 3


def test_a_move_ends_the_asking_while_a_detector_looks_and_its_answer_is_kept(store):
    release = threading.Event()

    def predict(images, preprocessing="tiles"):
        release.wait(20)
        return np.array([0.7], np.float32)

    for name in NAMES:
        store.found[name].predict = predict
    picture = Picture("k", "n", b"")

    class Moved(BaseException):
        pass

    def moved(_):
        raise Moved

    began = time.monotonic()
    with pytest.raises(Moved):
        scoring.ask(picture, lambda: IMAGE, moved, at_once=1)
    assert time.monotonic() - began < 10  # did not wait for the answer
    assert picture.scored("tiles") == {}
    release.set()
    end = time.monotonic() + 20
    while not picture.scored("tiles") and time.monotonic() < end:
        time.sleep(0.01)
    assert picture.scored("tiles") == {"one": pytest.approx(0.7)}  # the others were called off


def test_what_goes_wrong_in_a_detector_is_not_swallowed(store):
    def broken(images, preprocessing="tiles"):
        raise ZeroDivisionError

    store.found["two"].predict = broken
    with pytest.raises(ZeroDivisionError):
        scoring.ask(Picture("k", "n", b""), lambda: IMAGE, lambda _: None)
