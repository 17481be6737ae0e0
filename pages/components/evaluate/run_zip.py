"""A run as one file: to take along, and to bring back."""

import io
import re
import zipfile
import zlib
from pathlib import Path

import streamlit as st

from genimage_core.evaluation.plan import RUN_FILE
from genimage_core.evaluation.report import REPORT_FILE
from genimage_core.evaluation.store import list_shards
from genimage_core.utils.errors import EvaluationError

_MEMBER = re.compile(rf"{re.escape(RUN_FILE)}|rows/rows-\d{{6,}}\.parquet")
_MOST_BYTES = 200 << 20


def download(folder: Path) -> None:
    """Show the button that gives a run as a ZIP: plan, report and rows."""
    if not (folder / RUN_FILE).is_file():
        return
    st.download_button(
        "This run as ZIP",
        lambda: pack_run(folder),
        f"{folder.name}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )


def unpack_run(data: bytes, into: Path) -> Path:
    """Unpack a run that a visitor brought; its report is left out, figures are computed from its rows.

    Raises:
        EvaluationError: no such ZIP, or it is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {m.filename: m for m in archive.infolist() if _MEMBER.fullmatch(m.filename)}
            if RUN_FILE not in members:
                raise EvaluationError("this is no run.", hint=f"A run's ZIP holds {RUN_FILE} and rows/.")
            if sum(m.file_size for m in members.values()) > _MOST_BYTES:
                raise EvaluationError("this run is too large.", hint="Read it on the command line.")
            (into / "rows").mkdir(parents=True, exist_ok=True)
            for name, member in members.items():
                with archive.open(member) as source:
                    (into / name).write_bytes(source.read(_MOST_BYTES))
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, zlib.error) as error:
        raise EvaluationError(
            "this is no ZIP that can be read.", hint="Take the file as downloaded."
        ) from error
    return into


def pack_run(folder: Path) -> bytes:
    """Return a run as the bytes of a ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [folder / RUN_FILE, folder / REPORT_FILE, *list_shards(folder)]:
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return out.getvalue()
