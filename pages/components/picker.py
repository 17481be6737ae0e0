"""Where pictures come in: dropped, chosen, pasted, or taken from the bundled samples."""

from functools import cache

import streamlit as st

from genimage_core.images import load_image
from genimage_core.samples import Sample, list_samples
from pages.components import pictures
from pages.components.address import name_sample, take_sample
from pages.components.paste import paste_into_uploader

FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF. Read in memory, never stored."


def picker(page: str) -> None:
    """Show the uploader and the samples; what is chosen becomes the visit's pictures.

    Files are taken over in a callback, not from the widget's value: Streamlit empties the widget when
    the visitor goes to another page, and the pictures should come along.
    """
    take_sample()
    name_sample()
    key = _uploader_key(page)
    st.file_uploader(
        "Drop pictures here, choose files, or paste one (Ctrl+V or ⌘V)",
        accept_multiple_files=True,
        key=key,
        on_change=_take_files,
        args=(key,),
    )
    paste_into_uploader(key)
    st.caption(FORMATS)
    pictures.read_waiting()
    samples = list_samples()
    if samples:
        with st.expander("Or try a sample picture", expanded=not pictures.current()):
            st.caption("Guess first: what each one really is stands beside its result.")
            _sample_strip(page, samples)


def clear_button() -> None:
    """Show the button that forgets the visit's pictures."""
    st.button("Forget my pictures", icon=":material/delete:", type="tertiary", on_click=_clear)


def _sample_strip(page: str, samples: tuple[Sample, ...]) -> None:
    with st.container(horizontal=True, gap="xsmall", key=f"samples_{page}"):
        for number, sample in enumerate(samples, start=1):
            with st.container(width=72, gap="xsmall"):
                st.image(_thumbnail(sample), width="stretch", alt=sample.title)
                st.button(
                    f"Try {number}",
                    key=f"{page}_{sample.file}",
                    help=sample.title,
                    on_click=_take_sample,
                    args=(sample,),
                    width="stretch",
                )


@cache
def _thumbnail(sample: Sample) -> bytes:
    return pictures.encode(load_image(sample.path).pixels, 200)


def _uploader_key(page: str) -> str:
    return f"upload_{page}_{st.session_state.setdefault('uploader_round', 0)}"


def _take_files(key: str) -> None:
    pictures.replace((file.name, file.getvalue()) for file in st.session_state[key])


def _take_sample(sample: Sample) -> None:
    _empty_uploader()
    pictures.replace_by_sample(sample)


def _clear() -> None:
    _empty_uploader()
    pictures.clear()


def _empty_uploader() -> None:
    # A widget's files cannot be removed from Python; a widget with a new key starts empty.
    st.session_state["uploader_round"] = st.session_state.get("uploader_round", 0) + 1
