"""Where pictures come in: dropped, chosen, pasted, or taken from the bundled samples."""

from functools import cache

import streamlit as st

from genimage_core.datasets.samples import Sample, list_samples
from genimage_core.images.load import load_image
from pages.components.shared import pictures
from pages.components.shared.url_state import name_sample, take_sample

STRIP = 14
"""Samples that are offered at a time."""
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
            st.caption("Make a guess first. We'll show the answer with the result.")
            _sample_strip(page, samples)
            if len(samples) > STRIP:
                st.button("Other samples", key=f"{page}_others", on_click=_turn, icon=":material/refresh:")


def clear_button() -> None:
    """Show the button that forgets the visit's pictures."""
    st.button("Forget my pictures", icon=":material/delete:", type="tertiary", on_click=_clear)


def _sample_strip(page: str, samples: tuple[Sample, ...]) -> None:
    start = st.session_state.get("samples_from", 0) % len(samples)
    shown = list(enumerate(samples, start=1))[start : start + STRIP]
    with st.container(horizontal=True, gap="xsmall", key=f"samples_{page}"):
        for number, sample in shown:
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


def _turn() -> None:
    st.session_state["samples_from"] = st.session_state.get("samples_from", 0) + STRIP


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


# Streamlit's uploader takes no pasted files itself. This listens for a paste anywhere on the page and
# gives its image files to the uploader as if they had been chosen; nothing else of the clipboard is read.
_JS = """
export default function ({ data }) {
  const onPaste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((f) => f.type.startsWith("image/"));
    const input = document.querySelector(`.st-key-${data.uploader} input[type=file]`);
    if (!files.length || !input) return;
    const transfer = new DataTransfer();
    files.forEach((f) => transfer.items.add(f));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    event.preventDefault();
  };
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
"""
_paste = st.components.v2.component("genimage_paste", js=_JS)


def paste_into_uploader(key: str) -> None:
    """Let a paste anywhere on the page reach the file uploader of that key."""
    _paste(key=f"paste_{key}", data={"uploader": key}, height=1)
