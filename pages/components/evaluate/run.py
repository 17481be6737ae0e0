"""A visit's evaluation: started, watched while its table fills, stopped, taken up again, taken along."""

import hashlib
import re
from pathlib import Path

import streamlit as st

from genimage_core.evaluation.background import BackgroundRun
from genimage_core.evaluation.config import Wanted
from genimage_core.evaluation.live_accuracy import LiveCounts
from genimage_core.results.plots import accuracy_heatmap
from genimage_core.utils.settings import is_public
from pages.components.evaluate import visit
from pages.components.evaluate.form import DEGRADATIONS
from pages.components.evaluate.run_zip import download
from pages.components.evaluate.source import Source
from pages.components.evaluate.visit import private_folder
from pages.components.shared import detectors
from pages.components.shared.layout import plain

RUNS = Path("runs") / "evaluate"
EVERY = 2.0
_KEY, _COUNTS = "evaluate_run", "evaluate_counts"
_BATCH = {"cpu": 4}  # small, so that the table fills before a visitor's eyes


def current() -> BackgroundRun | None:
    """Return this visit's evaluation."""
    return st.session_state.get(_KEY)


def start(wanted: Wanted, source: Source) -> None:
    """Start an evaluation, or go on with the one of the same choices."""
    private = source.private or is_public()
    root = Path(private_folder().name) / "runs" if private else RUNS
    _begin(wanted, root / run_name(wanted, source), source)


def run_name(wanted: Wanted, source: Source) -> str:
    """Name a run's folder after its choices: the same choices go on where they were stopped."""
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', source.name)[:40]}-{digest}"


def _begin(wanted: Wanted, folder: Path, source: Source) -> None:
    run = BackgroundRun(
        wanted,
        folder,
        batch=_BATCH.get(wanted.device, 0),
        loader=detectors.store().load,
    )
    visit.remember(run)
    st.session_state[_KEY] = run
    st.session_state["evaluate_source"] = source
    st.session_state[_COUNTS] = LiveCounts(folder)


@st.fragment(run_every=EVERY)
def watch() -> None:
    """Show the evaluation at work, afresh every few seconds."""
    run = current()
    if run is None or not run.active:
        st.rerun()
    assert run is not None
    if run.state == "running":
        st.progress(run.done / max(1, run.total), _progress_text(run))
    elif run.state == "waiting":
        st.info("Another evaluation is at work on this server; yours begins when it is through.")
    else:
        st.info(run.note or "Preparing")
    st.button("Stop", icon=":material/stop_circle:", on_click=run.stop, key="evaluate_stop")
    if run.plan is not None:
        _heatmap(run, "watch")


def show(run: BackgroundRun) -> None:
    """Show an evaluation that has come to an end, and what can be done with it."""
    if run.state == "failed" and run.error is not None:
        source = f" ({plain(run.error.source)})" if run.error.source and not is_public() else ""
        st.warning(f"{run.error.message}{source} {run.error.hint}")
    elif run.state == "stopped":
        st.info(f"Stopped after {run.done} of {run.total} images. Nothing that was scored is lost.")
    else:
        st.success(f"{run.total} images scored.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state == "stopped" and st.button("Go on", icon=":material/play_arrow:", key="evaluate_resume"):
            _begin(run.wanted, run.folder, st.session_state["evaluate_source"])
            st.rerun()
        if run.state == "finished":
            st.session_state["own_run"] = run.folder
            st.page_link(
                "pages/benchmark.py",
                label="Compare on Benchmark",
                icon=":material/grid_on:",
                query_params={"view": "Compared"},
            )
        if run.done:
            download(run.folder)
    if run.plan is not None and run.done:
        _heatmap(run, "show")
        if not run.folder.is_relative_to(Path(private_folder().name)):
            st.caption(f"The run lies in `{run.folder}`.")


def _heatmap(run: BackgroundRun, where: str) -> None:
    plan = run.plan
    assert plan is not None
    titles = detectors.titles()
    degradation = plan.degradations[0]
    if len(plan.degradations) > 1:
        degradation = st.segmented_control(
            "What was done to the images",
            list(plan.degradations),
            default=degradation,
            format_func=lambda c: DEGRADATIONS.get(c, c),
            required=True,
            key=f"evaluate_condition_{where}",
        )
    counts: LiveCounts = st.session_state[_COUNTS]
    table = counts.accuracy(degradation, list(plan.detectors), list(plan.data.generators))
    st.plotly_chart(
        accuracy_heatmap(table.rename(index=titles)),
        config={"displayModeBar": False},
        key=f"evaluate_heatmap_{where}",
        alt="Heatmap: accuracy of each detector on each generator's images; empty where not scored yet",
    )
    device = "a GPU" if plan.device == "cuda" else "the CPU"
    st.caption(
        "Accuracy at .5 in percent, photographs and AI images of each generator together; 50 is a coin "
        f"toss. Data protocol {plan.data_protocol}. Ran on {device}."
    )


def _progress_text(run: BackgroundRun) -> str:
    text = f"{run.done} of {run.total} images"
    if run.seconds_left is not None:
        minutes, seconds = divmod(round(run.seconds_left), 60)
        text += f", {run.rate:.1f} a second, {minutes} min {seconds:02} s left"
    return text
