"""Leafing through a data set's pictures, or the bundled samples where no data set is at hand."""

from collections.abc import Sequence

import streamlit as st

from genimage_core.datasets import Record
from genimage_core.datasets import scan as core
from genimage_core.datasets.samples import list_samples
from genimage_core.images.load import load_image
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.labels import truth_style
from pages.components.dataset.prompts import Shown, choose, shown_by
from pages.components.shared import pictures
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import plain

SIZE = 24
CLASSES = {1: "AI-generated", 0: "Real"}


def samples() -> None:
    """Show the bundled samples; what each one is comes after a click, with its credit."""
    st.caption(
        "The bundled samples: photographs, AI images and pictures that are neither, mixed. Make a guess "
        "first. To leaf through a whole data set, run the app on your own machine and name its folder."
    )
    found = list_samples()
    if not found:
        st.info("The bundled samples are missing.")
        return
    with st.container(horizontal=True, key="grid_samples"):
        for sample in found:
            _tile(str(sample.path), sample.title, sample.title)
    with st.expander("What they are, and credits"):
        st.markdown(
            "\n".join(
                f"- {plain(s.title)}: {plain(s.truth_words)}. {plain(s.attribution)} ({plain(s.licence)})"
                for s in found
            )
        )


def records(found: list[Record]) -> None:
    """Show the counts of a data set, and its pictures page by page under filters."""
    table = core.counts(found)
    with st.expander(f"{len(found):,} images: how many of each kind"):
        st.dataframe(table, hide_index=True, alt="Images of each generator, split and class")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        generators = st.multiselect(
            "Generators", sorted(set(table["generator"])), key="generators", bind="query-params", width=320
        )
        splits = st.pills(
            "Split",
            sorted(set(table["split"])),
            selection_mode="multi",
            key="split",
            bind="query-params",
            help=meaning("split"),
        )
        labels = st.pills(
            "Class",
            list(CLASSES),
            selection_mode="multi",
            key="class",
            format_func=lambda label: f"{truth_style(bool(label)).shape} {CLASSES[label]}",
            bind="query-params",
        )
    chosen = core.select(found, generators=generators, splits=splits, labels=labels)
    if shown := shown_by(found):
        chosen = choose(chosen, shown)
    if not chosen:
        st.info("No image is left under these filters.", icon=":material/filter_alt:")
        return
    last = core.pages(len(chosen), SIZE)
    page = st.number_input(f"Page, of {last:,}", 1, last, 1, key="leaf", width=160)
    _grid(core.leaf(chosen, int(page) - 1, SIZE), shown)


def _grid(records: Sequence[Record], shown: dict[str, Shown]) -> None:
    with st.container(horizontal=True, key="grid_records"):
        for record in records:
            side = truth_style(bool(record.label))
            about = shown.get(record.image_id)
            words = (about.prompt or about.subject) if about else ""
            caption = f"{side.shape} {plain(record.generator)}" + (f": {plain(words)}" if words else "")
            _tile(str(record.path), caption, words or record.image_id)


def _tile(path: str, caption: str, alt: str) -> None:
    with st.container(width=150, gap="xxsmall"):
        try:
            st.image(thumbnail(path), width="stretch", alt=alt)
        except GenImageError as error:
            st.caption(f"Cannot be read: {plain(error.message)}")
        st.caption(caption)


@st.cache_data(show_spinner=False, max_entries=600)
def thumbnail(path: str) -> bytes:
    """Return a small JPEG of a picture.

    Raises:
        ImageReadError: the file cannot be read.
    """
    return pictures.encode(load_image(path).pixels, 300)
