"""Home: one picture that has been analysed already, and the way to everything else."""

import streamlit as st

from app import PAGES
from genimage_core.datasets.samples import Sample, shown_sample
from genimage_core.images.load import load_image
from genimage_core.verdict.combine import combine
from genimage_core.verdict.labels import truth_style
from genimage_core.verdict.pipeline import Report
from pages.components.home.example import EVERY, ExampleReport, example
from pages.components.shared import detectors, pictures
from pages.components.shared import score_bars as rows
from pages.components.shared.layout import heading, note, serve


def page() -> None:
    heading(
        "How far can you trust an AI-image detector?",
        "See what the detectors make of a picture, where they disagree, and how often they are wrong.",
    )
    detectors.warm_up()
    sample = shown_sample()
    if sample is not None:
        _example(sample)
    st.header("Try it", anchor=False)
    _calls()


def _example(sample: Sample) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(key="picture"):
        st.image(_preview(sample.file, sample), alt=sample.title)
        st.html(
            '<p class="gl-change">What it really is: '
            f"{rows.chip(truth_style(sample.truth == 'fake'), sample.truth_words)}</p>"
        )
    found = example(sample.file, sample)
    with right:
        if found.waiting:
            _watch(sample, found)
        else:
            _answers(sample, found)


@st.fragment(run_every=EVERY)
def _watch(sample: Sample, found: ExampleReport) -> None:
    """Look now and then whether the report has come; the page stands meanwhile."""
    _answers(sample, found)
    if not found.waiting:
        st.rerun()


def _answers(sample: Sample, found: ExampleReport) -> None:
    titles, report = detectors.titles(), found.report
    if report is None:
        words = "The detectors are looking…" if found.waiting else "The detectors cannot answer here."
        st.html(rows.waiting_card(words) + rows.score_rows(titles, {}))
        return
    card = rows.verdict_card(report.verdict, report.p_fake, report.explanation, _band(report))
    st.html(card)
    st.html(rows.score_rows(titles, report.detectors))
    right = sum((p >= 0.5) == (sample.truth == "fake") for p in report.detectors.values())
    lesson = _lesson(sample, right, len(report.detectors))
    note(f"<b>{right} of {len(report.detectors)} detectors are right about it.</b> {lesson}")


def _lesson(sample: Sample, right: int, asked: int) -> str:
    """Return what there is to learn from how many detectors are right about a sample."""
    if sample.truth == "fake" and right < asked / 2:  # all bundled fakes are of generators of our own
        return (
            "A small generator that none of them had met made it (ours, so that we may show its pictures): "
            "what is new can pass unseen."
        )
    if 0 < right < asked:
        return "Each reads a picture in its own way, so one confident number would hide that they disagree."
    return "Here they agree; on many pictures they do not, and agreement is no proof either."


def _band(report: Report) -> tuple[float, float]:
    """Return the unsure band that was applied: fewer detectors have one of their own."""
    judged = combine(report.detectors)
    return judged.low, judged.high


@st.cache_data(show_spinner=False)
def _preview(file: str, _sample: Sample) -> bytes:
    """Return the sample for the screen; `file` names it."""
    return pictures.encode(load_image(_sample.path).pixels, pictures.PREVIEW_SIDE)


def _calls() -> None:
    shown = [entry for entry in PAGES if entry.says]
    with st.container(key="calls"):
        for start in range(0, len(shown), 2):
            columns = st.columns(2, gap="small")  # as far apart as the rows, also on a phone
            for column, entry in zip(columns, shown[start : start + 2], strict=False):
                with column, st.container(border=True, gap="xxsmall", height="stretch"):
                    st.page_link(entry.file, label=f"**{entry.title}**", icon=":material/arrow_forward:")
                    note(entry.says)


serve(page)
