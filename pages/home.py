"""Home: a few pictures that have been analysed already, and the way to everything else."""

import streamlit as st

from app import PAGES
from genimage_core.datasets.samples import Sample, is_right, shown_samples
from genimage_core.images.load import load_image
from genimage_core.verdict.combine import combine
from genimage_core.verdict.labels import LABEL_STYLES, LabelStyle, truth_style
from pages.components.home.example import EVERY, ExampleReport, example
from pages.components.shared import detectors, pictures
from pages.components.shared import score_bars as rows
from pages.components.shared.layout import heading, note, serve


def page() -> None:
    heading(
        "Is it AI? And how sure can you be?",
        "See what the detectors make of a picture, where they disagree, and how often they're wrong.",
    )
    detectors.warm_up()
    samples = shown_samples()
    if samples:
        _examples(samples)
    st.header("More to try", anchor=False)
    _calls()


def _examples(samples: tuple[Sample, ...]) -> None:
    files = [sample.file for sample in samples]
    chosen = st.segmented_control(
        "Example",
        files,
        default=files[0],
        required=True,
        format_func=lambda file: f"Example {files.index(file) + 1}",
        label_visibility="collapsed",
        key="home_example",
    )
    _example(next(sample for sample in samples if sample.file == chosen))


def _example(sample: Sample) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(key="picture"):
        st.image(_preview(sample.file, sample), alt=sample.title)
        if st.button("Try your own", type="primary", icon=":material/upload:", width="stretch"):
            st.switch_page("pages/detect.py")
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
    truth = f"What it really is: {rows.chip(_side(sample), sample.truth_words)}"
    if report is None:
        words = "The detectors are looking…" if found.waiting else "The detectors can't answer here."
        st.html(rows.waiting_card(words) + f'<p class="gl-change">{truth}</p>' + rows.score_rows(titles, {}))
        return
    st.html(rows.answer_card(report, report.p_fake, combine(report.detectors).borders))
    st.html(f'<p class="gl-change">{truth} <b>{_outcome(is_right(report.answer, sample.truth))}</b></p>')
    st.html(rows.score_rows(titles, report.detectors))


def _side(sample: Sample) -> LabelStyle:
    return LABEL_STYLES["unsure"] if sample.truth == "neither" else truth_style(sample.truth == "fake")


def _outcome(right: bool | None) -> str:
    if right is None:
        return "The detectors take no side."
    return (
        "The answer is right." if right else "The answer is wrong: this happens, and it's why we show odds."
    )


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
