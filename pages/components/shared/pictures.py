"""The pictures of one visit. They live in this session's memory alone and go when it ends."""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from genimage_core.datasets.samples import Sample
from genimage_core.images.load import ImageFacts, LoadedImage, count_pixels, load_image
from genimage_core.provenance import Provenance
from genimage_core.utils.errors import GenImageError
from pages.components.shared.layout import plain
from pages.components.shared.turns import LARGE, turn

if TYPE_CHECKING:
    from genimage_core.verdict.image_type import ImageType
    from genimage_core.verdict.pipeline import Report

MAX_PICTURES = 200
MAX_BYTES = 400 * 2**20
"""Most that one visit's files may weigh together: they stay in the server's memory."""
PREVIEW_SIDE = 1024  # a usual side of generated pictures: those need no resizing
THUMBNAIL_SIDE = 96
MANY = 3
"""Files that are read without a word; more take long enough to say how far it is."""


@dataclass
class Picture:
    """One file that the visitor brought, and what has been found out about it.

    The pixels are decoded when needed and not kept: two hundred photographs would fill the memory.
    """

    key: str
    name: str
    data: bytes = field(repr=False)
    sample: Sample | None = None
    facts: ImageFacts | None = None
    provenance: Provenance = field(default_factory=Provenance)
    error: GenImageError | None = None
    waiting: bool = False  # nobody has looked into the file yet
    thumbnail: bytes = field(default=b"", repr=False)
    shown: bytes = field(default=b"", repr=False)
    scores: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    reports: dict[str, "Report"] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)  # preprocessings under which all detectors were asked
    image_types: list["ImageType | None"] = field(default_factory=list)  # empty until asked

    @property
    def preview(self) -> bytes:
        """The picture for the screen, a JPEG; made when it is first shown, as most of many never are."""
        if not self.shown:
            self.shown = encode(pixels(self), PREVIEW_SIDE)
        return self.shown

    def scored(self, preprocessing: str, degradation: str = "") -> dict[str, float]:
        """Return the scores known for a preprocessing and a degradation's text form, to be added to."""
        return self.scores.setdefault((preprocessing, degradation), {})


def current() -> list[Picture]:
    """Return this visit's pictures."""
    return st.session_state.setdefault("pictures", [])


def readable() -> list[Picture]:
    """Return this visit's pictures that could be read."""
    return [picture for picture in current() if picture.error is None and not picture.waiting]


def replace(files: Iterable[tuple[str, bytes]]) -> None:
    """Make these files the visit's pictures; those already known keep their scores.

    Files are looked into by `read_waiting`, which can say how far it is.
    """
    known = {picture.key: picture for picture in current()}
    chosen: dict[str, Picture] = {}
    everything = list(files)
    taken = _within_limits(everything)
    st.session_state["left_out"] = len(everything) - len(taken)
    for name, data in taken:
        key = _key(name, data)
        chosen[key] = known.get(key) or Picture(key, name, data, waiting=True)
    st.session_state["pictures"] = list(chosen.values())


def read_waiting() -> None:
    """Look into the files that came last; say how far it is where they are many."""
    waiting = [picture for picture in current() if picture.waiting]
    place = st.empty() if len(waiting) > MANY else None
    for done, picture in enumerate(waiting):
        if place is not None:
            place.progress(done / len(waiting), f"Reading file {done + 1} of {len(waiting)}")
        read(picture)
    if place is not None:
        place.empty()


def _within_limits(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The first files that are neither too many nor too heavy together."""
    total, taken = 0, []
    for name, data in files[:MAX_PICTURES]:
        total += len(data)
        if total > MAX_BYTES:
            break
        taken.append((name, data))
    return taken


def replace_by_sample(sample: Sample) -> None:
    """Make a bundled sample the visit's only picture."""
    st.session_state["pictures"] = [sample_picture(sample)]


def read_sample(sample: Sample) -> Picture:
    """Read a bundled sample."""
    data = sample.path.read_bytes()
    return read(Picture(_key(sample.file, data), sample.file, data, sample))


def clear() -> None:
    """Forget this visit's pictures."""
    st.session_state["pictures"] = []
    st.session_state["left_out"] = 0
    for kept in ("decoded", "compare_before"):
        st.session_state.pop(kept, None)


def loaded(picture: Picture) -> LoadedImage:
    """Decode a picture that is known to be readable; only the last one is kept, unless it is large."""
    key, last = st.session_state.get("decoded", (None, None))
    if key != picture.key:
        with turn(n_pixels(picture)):
            last = load_image(picture.data, name=picture.name)
        # A large one would weigh on the server for as long as its visitor stays.
        if n_pixels(picture) <= LARGE:
            st.session_state["decoded"] = (picture.key, last)
    return last


def n_pixels(picture: Picture) -> int:
    """Pixels of a picture, from its facts or else its header."""
    if picture.facts is not None:
        return picture.facts.width * picture.facts.height
    return count_pixels(picture.data)


def pixels(picture: Picture) -> np.ndarray:
    """Decode a picture that is known to be readable: RGB uint8, (H, W, 3)."""
    return loaded(picture).pixels


def show_errors() -> None:
    """Say which files could not be read, why, and what to do; nothing where all could."""
    broken = [picture for picture in current() if picture.error is not None]
    if broken:
        lines = [plain(f"{p.name}: {p.error.message} {p.error.hint}") for p in broken if p.error]
        head = (
            "This file could not be read:" if len(broken) == 1 else f"{len(broken)} files could not be read:"
        )
        st.warning(f"{head}\n" + "\n".join(f"- {line}" for line in lines), icon=":material/broken_image:")
    left_out = st.session_state.get("left_out", 0)
    if left_out:
        st.info(
            f"{left_out} of your files were left out: at most {MAX_PICTURES} files of "
            f"{MAX_BYTES // 2**20} MB together are taken at a time."
        )


def read(picture: Picture) -> Picture:
    """Fill in the facts and the thumbnail of a picture, or the error that says why it has none."""
    from genimage_core.verdict.pipeline import open_image

    with turn(n_pixels(picture)):
        picture.waiting = False
        try:
            loaded, picture.provenance = open_image(picture.data, picture.name)
        except GenImageError as error:
            picture.error = error
            return picture
        picture.facts = loaded.facts
        picture.thumbnail = encode(loaded.pixels, THUMBNAIL_SIDE, quality=80)
        if n_pixels(picture) > LARGE:
            picture.shown = encode(loaded.pixels, PREVIEW_SIDE)
    return picture


def encode(image: np.ndarray, side: int | None, *, quality: int = 95) -> bytes:
    """Encode an image for the screen: at most `side` px, as a JPEG, by default without visible loss.

    With `side` None nothing is resized and the file is a PNG, pixel for pixel.
    """
    picture = Image.fromarray(image)
    out = io.BytesIO()
    if side is None:
        picture.save(out, "PNG", compress_level=3)
        return out.getvalue()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    picture.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def _key(name: str, data: bytes) -> str:
    return hashlib.sha256(name.encode() + b"\0" + data).hexdigest()[:16]


@st.cache_resource(show_spinner=False)
def _shelf() -> dict[str, Picture]:
    return {}


def sample_picture(sample: Sample) -> Picture:
    """Return a sample with whatever has been found out about it so far."""
    shelf = _shelf()
    if sample.file not in shelf:
        shelf[sample.file] = read_sample(sample)
    return shelf[sample.file]
