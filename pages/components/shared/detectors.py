"""The detectors, loaded once for all visitors: the only thing that visitors share."""

import threading
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import streamlit as st

from genimage_core.utils.errors import GenImageError

if TYPE_CHECKING:
    from genimage_core.detectors import Detector, DetectorInfo


class ModelStore:
    """Loads each detector once, in the background from the first visit on.

    Loading takes a second or two each, which passes while the first visitor still looks for a picture.
    Those that decide the verdict are loaded first.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Detector | GenImageError] = {}
        self._lock = threading.Lock()
        # No daemon: an interpreter that ends amid a library's threads is aborted. See `server_lives`.
        threading.Thread(target=self._load_all, name="load-detectors", daemon=False).start()

    def get(self, name: str) -> "Detector | GenImageError":
        """Return a detector, or the error that says why it cannot be used."""
        # Without the lock where it is there: another one's loading must not hold up an answer.
        found = self._loaded.get(name)
        if found is None:
            with self._lock:
                if name not in self._loaded:
                    self._loaded[name] = self._load(name)
                found = self._loaded[name]
        return found

    def load(self, name: str) -> "Detector":
        """Return a detector.

        Raises:
            GenImageError: it cannot be used.
        """
        found = self.get(name)
        if isinstance(found, GenImageError):
            raise found
        return found

    def at_hand(self, name: str) -> "Detector | GenImageError | None":
        """Return what `get` does, but None instead of waiting for it."""
        return self._loaded.get(name)

    def _load(self, name: str) -> "Detector | GenImageError":
        from genimage_core import detectors

        try:
            return detectors.load_detector(name)
        except GenImageError as error:
            return error

    def _load_all(self) -> None:
        for name in asking_order():
            if server_lives():
                self.get(name)


def server_lives() -> bool:
    """Return whether the server goes on, so that work in the background still has a point."""
    return threading.main_thread().is_alive()


@st.cache_resource(show_spinner=False)
def store() -> ModelStore:
    """Return the server's detectors; the first call starts loading them."""
    return ModelStore()


def warm_up() -> None:
    """Start loading the detectors, without waiting for them."""
    store()


def infos() -> dict[str, "DetectorInfo"]:
    """Return every registered detector's facts by name, in the paper's order."""
    from genimage_core.detectors import detector_info, list_detectors

    return {name: detector_info(name) for name in list_detectors()}


def titles() -> dict[str, str]:
    """Return every registered detector's title by name."""
    return {name: info.title for name, info in infos().items()}


def asking_order(first: str = "") -> list[str]:
    """Return every detector's name in the order in which they are asked.

    Args:
        first: the one that the visitor wants to hear first; then come those that weigh most in the verdict.
    """
    from genimage_core.detectors import list_detectors
    from genimage_core.verdict.combine import load_combination

    try:
        weights = load_combination().weights
    except GenImageError:
        weights = {}
    return sorted(list_detectors(), key=lambda name: (name != first, -weights.get(name, 0.0)))


def each() -> Iterator[tuple[str, "Detector | GenImageError"]]:
    """Yield detectors one by one as they become ready; an error in place of one that cannot be loaded."""
    from genimage_core.detectors import list_detectors

    for name in list_detectors():
        yield name, store().get(name)


def ready() -> bool:
    """Return whether every detector is loaded, or known to be unusable."""
    from genimage_core.detectors import list_detectors

    return all(store().at_hand(name) is not None for name in list_detectors())


def complete(scores: Collection[str]) -> bool:
    """Return whether every detector that can be used is among those that have answered."""
    from genimage_core.detectors import list_detectors

    missing = [name for name in list_detectors() if name not in scores]
    return all(isinstance(store().at_hand(name), GenImageError) for name in missing)
