"""A run of the visitor's own: the one just made, one of those on this machine, or one brought as a ZIP."""

import hashlib
import json
from pathlib import Path
from typing import Any

import streamlit as st

from genimage_core.evaluation.plan import RUN_FILE
from genimage_core.evaluation.report import REPORT_FILE, make_report
from genimage_core.evaluation.store import list_shards
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.settings import is_public
from pages.components.evaluate.run import RUNS
from pages.components.evaluate.run_zip import unpack_run
from pages.components.evaluate.visit import private_folder
from pages.components.shared.layout import plain


def choose() -> tuple[dict[str, Any], Path] | None:
    """Let the visitor choose a run; return its report and its folder, None while there is none."""
    found = _at_hand()
    latest: Path | None = st.session_state.get("own_run")
    folder: Path | None = None
    if found:
        folder = st.selectbox(
            "Run",
            found,
            index=found.index(latest) if latest in found else 0,
            format_func=lambda path: path.name,
            key="own_run_choice",
        )
    label = f"{'Or a' if found else 'A'} run as ZIP, as the Evaluate page gives it"
    file = st.file_uploader(label, type="zip", key="own_run_zip")
    try:
        if file is not None:
            data = file.getvalue()
            into = Path(private_folder().name) / f"run-{hashlib.sha256(data).hexdigest()[:16]}"
            folder = into if (into / RUN_FILE).is_file() else unpack_run(data, into)
        if folder is None:
            st.info("No run yet. Make one on the Evaluate page, or bring one.")
            return None
        return _report(str(folder), len(list_shards(folder))), folder
    except GenImageError as error:
        st.warning(f"{plain(error.message)} {error.hint}")
        return None


def _at_hand() -> list[Path]:
    """Runs that this visitor may see: the one just made, and on a private machine all in its folder."""
    latest: Path | None = st.session_state.get("own_run")
    folders = [] if is_public() else sorted(path.parent for path in RUNS.glob(f"*/{RUN_FILE}"))
    if latest is not None and latest not in folders and (latest / RUN_FILE).is_file():
        folders.insert(0, latest)
    return folders


@st.cache_data(show_spinner="Computing the figures", max_entries=8)
def _report(folder: str, files: int) -> dict[str, Any]:
    """Return a run's report; `files` of rows stand for how far it has come."""
    written = Path(folder) / REPORT_FILE
    if written.is_file():
        report: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return report
    return make_report(Path(folder))
