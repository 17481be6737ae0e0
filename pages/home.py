"""Home: one picture that has been analysed already, and the way to everything else."""

import streamlit as st

from genimage_core.samples import Sample, list_samples
from genimage_core.sides import side_of
from pages.components import details, models, rows, scoring
from pages.components.pictures import Picture
from pages.components.shelf import sample_picture
from pages.components.shell import heading, note, routed, serve

# One that shows the point: made by a generator that the detectors have not learned from.
SHOWN = "fake_temple.png"
CALLS = {
    "pages/detect.py": (
        "Detect",
        "Drop in a picture of your own: every detector's answer, one verdict, and why.",
    ),
    "pages/can_you_tell.py": (
        "Can you tell?",
        "Twelve pictures, one guess each. Are you better than the detectors?",
    ),
    "pages/degrade.py": ("Degrade", "Compress or shrink a picture as the web does. Does the answer survive?"),
    "pages/benchmark.py": (
        "Benchmark",
        "How good detectors are on generators that they know, and on others.",
    ),
    "pages/dataset.py": (
        "Data set",
        "The pictures behind the figures: what gives them away, and the worst mistakes.",
    ),
    "pages/evaluate.py": ("Evaluate", "Run the benchmark on images whose truth you know."),
    "pages/studies.py": ("Studies", "What more images, other classes and other content change."),
    "pages/about.py": ("About", "What detectors can and cannot tell, and who they are."),
}


def page() -> None:
    heading(
        "How far can you trust an AI-image detector?",
        "See what the detectors make of a picture, where they disagree, and how often they are wrong.",
    )
    models.warm_up()
    sample = _sample()
    if sample is not None:
        _example(sample)
    st.header("Try it", anchor=False)
    _calls()


def _sample() -> Sample | None:
    samples = list_samples()
    return next((s for s in samples if s.file == SHOWN), samples[0] if samples else None)


def _example(sample: Sample) -> None:
    picture = sample_picture(sample)
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(key="picture"):
        st.image(picture.preview, alt=sample.title)
        st.html(
            '<p class="gl-change">What it really is: '
            f"{rows.chip(side_of(sample.truth == 'fake'), sample.truth_words)}</p>"
        )
    with right:
        verdict, score_rows = st.empty(), st.empty()
        details.answers(picture, verdict, score_rows)
        _lesson(picture, sample)


def _lesson(picture: Picture, sample: Sample) -> None:
    """Say in one sentence what this example teaches, from the answers that were really given."""
    scores = picture.scored(scoring.protocol())
    if not scores:
        return
    right = sum((p >= 0.5) == (sample.truth == "fake") for p in scores.values())
    lesson = (
        "Each reads a picture in its own way, so one confident number would hide that they disagree."
        if 0 < right < len(scores)
        else "Here they agree; on many pictures they do not, and agreement is no proof either."
    )
    note(f"<b>{right} of {len(scores)} detectors are right about it.</b> {lesson}")


def _calls() -> None:
    shown = [(path, *words) for path, words in CALLS.items() if routed(path)]
    with st.container(key="calls"):
        for start in range(0, len(shown), 2):
            columns = st.columns(2, gap="small")  # as far apart as the rows, also on a phone
            for column, (path, title, words) in zip(columns, shown[start : start + 2], strict=False):
                with column, st.container(border=True, gap="xxsmall", height="stretch"):
                    st.page_link(path, label=f"**{title}**", icon=":material/arrow_forward:")
                    note(words)


serve(page)
