"""What a data set's manifest says of its pictures: the class that each shows, and its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from genimage_core.datasets import Record
from genimage_core.datasets.storage import is_remote

EVERY = "Everything"


@dataclass(frozen=True)
class Shown:
    """What a picture shows, in words; its prompt, "" for a photograph."""

    subject: str
    prompt: str


def shown_by(records: Sequence[Record]) -> dict[str, Shown]:
    """Image id -> what it shows; empty where the data set has no manifest with classes and prompts."""
    first = records[0]
    if is_remote(first.path):
        return {}
    manifest = first.path.parents[first.image_id.count("/")] / "manifest.csv"
    try:
        return _read(str(manifest), manifest.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError):
        return {}


def choose(records: list[Record], shown: dict[str, Shown]) -> list[Record]:
    """Let a person narrow the pictures down by class and by words of the prompt."""
    nothing = Shown("", "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        subjects = sorted({one.subject for one in shown.values()} - {""})
        subject = st.selectbox("Shows", [EVERY, *subjects], key="subject", width=240)
        words = st.text_input("Words of the prompt", key="prompt_words", width=240).lower().split()
    return [
        record
        for record in records
        if (one := shown.get(record.image_id, nothing))
        and subject in (EVERY, one.subject)
        and all(word in one.prompt.lower() for word in words)
    ]


@st.cache_data(show_spinner=False, max_entries=4)
def _read(path: str, changed: int) -> dict[str, Shown]:
    table = pd.read_csv(Path(path), dtype=str, keep_default_na=False)
    subjects = table["class_name"].where(table["class_name"] != "", table["class"])
    rows = zip(table["path"], subjects, table["prompt"], strict=True)
    return {image_id: Shown(subject, prompt) for image_id, subject, prompt in rows}
