"""Which images an evaluation is about: the bundled set, a ZIP of the visitor's, a folder of the server."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from genimage_core.datasets.samples import EVALUATION_SET
from genimage_core.datasets.zip_import import UnpackLimits, unpack_dataset
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.settings import is_public
from pages.components.evaluate.visit import private_folder
from pages.components.shared.dataset_folder import folder_notes
from pages.components.shared.layout import plain

BUNDLED, ZIPPED, FOLDER = "Bundled set", "A ZIP of mine", "A folder on this machine"


@dataclass(frozen=True)
class ZipLimits:
    """Most that a visitor's ZIP may hold; `megabytes` as it is, the rest unpacked."""

    megabytes: int
    unpacked: UnpackLimits


AT_HOME = ZipLimits(500, UnpackLimits())
IN_PUBLIC = ZipLimits(100, UnpackLimits(images=1000, total_bytes=200 << 20))


@dataclass(frozen=True)
class Source:
    """Where the images lie.

    Attributes:
        folder: the data set.
        name: for people and for the run's folder.
        private: whether it goes when the visitor leaves.
    """

    folder: Path
    name: str
    private: bool = False


def choose() -> Source | None:
    """Let the visitor choose; None while nothing usable is chosen."""
    kinds = [BUNDLED, ZIPPED] if is_public() else [BUNDLED, ZIPPED, FOLDER]
    kind = st.segmented_control(
        "Images", kinds, default=BUNDLED, required=True, key="evaluate_images", persist_state="session"
    )
    if kind == ZIPPED:
        return _zip()
    if kind == FOLDER:
        return _folder()
    return _bundled()


def _bundled() -> Source:
    st.markdown(_about())
    return Source(EVALUATION_SET, "bundled")


@cache
def _about() -> str:
    """Return what the bundled set holds, counted from its list."""
    images = json.loads((EVALUATION_SET / "manifest.json").read_text(encoding="utf-8"))["images"]
    models = {image["made_by"] for image in images if image["made_by"]}
    fakes = sum(bool(image["made_by"]) for image in images)
    return (
        f"{fakes} AI images of {len(models)} current models, grouped into families, and "
        f"{len(images) - fakes} photographs, all cut and encoded alike. No detector has learned from them. "
        "They show where detectors are weak; with so few pictures, the intervals are wide."
    )


def _folder() -> Source | None:
    text = st.text_input(
        "Folder of a data set",
        key="evaluate_folder",
        persist_state="session",
        placeholder="/data/GenImage",
        help=_LAYOUT_HELP,
    )
    if not text.strip():
        return None
    folder = Path(text.strip()).expanduser()
    if not folder.is_dir():
        st.warning(f"{plain(str(folder))}: not a folder. Name the folder that holds the generators' folders.")
        return None
    folder_notes(folder)
    return Source(folder, folder.name or "folder")


def _zip() -> Source | None:
    limits = IN_PUBLIC if is_public() else AT_HOME
    st.caption(
        f"At most {limits.megabytes} MB, {limits.unpacked.images:,} images, "
        f"{limits.unpacked.total_bytes >> 20:,} MB unpacked. Unlike pictures on other pages these are "
        "written to the server's disk: into a folder of your own, removed within minutes of your leaving."
    )
    file = st.file_uploader(
        "Data set as ZIP", type="zip", max_upload_size=limits.megabytes, key="evaluate_zip", help=_LAYOUT_HELP
    )
    if file is None:
        return None
    try:
        return _unpacked(file, limits.unpacked)
    except GenImageError as error:
        name = f" ({plain(error.source)})" if error.source else ""
        st.warning(f"{plain(file.name)} is not taken: {error.message}{name} {error.hint}")
        return None


def _unpacked(file: Any, limits: UnpackLimits) -> Source:
    """Unpack a ZIP once; the same one again is known by its bytes."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    file.seek(0)
    folder = Path(private_folder().name) / f"data-{digest}"
    if not folder.is_dir():
        with st.spinner("Unpacking"):
            part = folder.with_suffix(".part")
            unpack_dataset(file, part, limits)
            part.rename(folder)
    count = sum(1 for path in folder.rglob("*") if path.is_file())
    st.caption(f"{count:,} images unpacked.")
    folder_notes(folder)
    return Source(folder, f"zip-{digest}", private=True)


_LAYOUT_HELP = (
    "GenImage's layout: generator/val/ai/ and generator/val/nature/ with the images, one folder for each "
    "generator; train/ may stand beside val/. Folders called 0_real and 1_fake are read, too."
)
