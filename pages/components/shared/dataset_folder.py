"""A data set's folder on this machine, for those who run the app themselves."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from genimage_core.datasets import Record
from genimage_core.datasets.scan import Scan, scan
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.settings import is_public
from pages.components.shared.layout import plain

LAYOUT = "`<generator>/{train,val}/{ai,nature}/<images>`"


def folder_records() -> list[Record]:
    """Let the visitor name a folder in GenImage's layout; return its images, none where none is named.

    On a public server nothing is asked: strangers must not see its folders.
    """
    if is_public():
        return []
    text = st.text_input(
        "Folder of a data set on this machine",
        key="data_folder",
        placeholder="Leave empty for the bundled samples",
        help=f"In GenImage's layout: {LAYOUT}. Folders called 0_real and 1_fake are read, too.",
        persist_state="session",
    ).strip()
    if not text:
        return []
    try:
        found = _scan(str(Path(text).expanduser()))
    except GenImageError as error:
        st.warning(f"{plain(error.message)} {plain(error.hint)}", icon=":material/folder_off:")
        return []
    notes(found)
    return found.records


def folder_notes(folder: Path) -> None:
    """Say what of a data set's folder is left out; an error is left to whoever reads the images."""
    with suppress(GenImageError):
        notes(_scan(str(folder)))


def notes(found: Scan) -> None:
    """Say what of a data set was left out, or read in a way that one should know."""
    for note in found.notes:
        st.caption(f":material/info: {plain(note)}")


@st.cache_data(show_spinner="Looking through the folder…", ttl=600, max_entries=4)
def _scan(folder: str) -> Scan:
    return scan(folder)
