"""Pasting pictures: hands what the clipboard holds to the page's file uploader."""

import streamlit as st

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
