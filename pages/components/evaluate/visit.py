"""What belongs to one visit: its private folder, and the runs that must end before the folder can go."""

import tempfile
import threading
from pathlib import Path

import streamlit as st

from genimage_core.evaluation.background import BackgroundRun

_active: list[BackgroundRun] = []


def remember(run: BackgroundRun) -> None:
    """Note a run that has begun."""
    _active[:] = [r for r in _active if r.active] + [run]


def stop_within(folder: Path) -> list[BackgroundRun]:
    """Ask whatever works in a folder to end; return what was at work."""
    found = [run for run in _active if run.active and run.folder.is_relative_to(folder)]
    for run in found:
        run.stop()
    return found


def _remove(folder: "tempfile.TemporaryDirectory[str]") -> None:
    runs = stop_within(Path(folder.name))
    if not runs:
        folder.cleanup()
        return

    def wait_and_clean() -> None:
        for run in runs:
            run.join()
        folder.cleanup()

    # Elsewhere: whoever calls this serves other visitors as well, and a batch may take a while.
    threading.Thread(target=wait_and_clean, name="clean-up").start()


@st.cache_resource(scope="session", on_release=_remove, show_spinner=False)
def private_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return this visit's own folder, readable to the server alone; removed when the visit ends."""
    return tempfile.TemporaryDirectory(prefix="genimage-lab-", ignore_cleanup_errors=True)
