"""An evaluation in a thread of its own, to be watched and stopped from elsewhere (a page, say)."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Literal

from genimage_core.evaluation.config import Loader, Wanted, set_up
from genimage_core.evaluation.engine import run as engine
from genimage_core.evaluation.plan import Plan
from genimage_core.evaluation.report import write_report
from genimage_core.utils.errors import GenImageError

log = logging.getLogger(__name__)
State = Literal["waiting", "preparing", "running", "stopped", "finished", "failed"]
_one_at_a_time = threading.Lock()


class _Stopped(Exception):  # noqa: N818 (no error)
    """Asked to stop before the run itself had begun."""


class BackgroundRun:
    """One evaluation; starts at once, or when the one before it in this process is through.

    Attributes:
        wanted: what is asked for.
        folder: of the run.
        state: `stopped` and `finished` are ends, `failed` is one with an `error`.
        error: what went wrong, for a person.
        plan: once it is known.
        done, total: images.
        note: what goes on before the run itself.

    Args:
        wanted: what to evaluate.
        folder: of the run; one that was stopped goes on.
        batch: images between two saves; 0: automatic.
        loader: of detectors that are loaded already, see `set_up`.
    """

    def __init__(
        self,
        wanted: Wanted,
        folder: Path,
        *,
        batch: int = 0,
        loader: Loader | None = None,
    ) -> None:
        self.wanted, self.folder = wanted, folder
        self.state: State = "waiting"
        self.error: GenImageError | None = None
        self.plan: Plan | None = None
        self.done = self.total = 0
        self.note = ""
        self._batch, self._loader = batch, loader
        self._stop = threading.Event()
        self._first: tuple[float, int] | None = None
        self._thread = threading.Thread(target=self._work, name="evaluate", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether it still works, or waits to."""
        return self.state in ("waiting", "preparing", "running")

    @property
    def seconds_left(self) -> float | None:
        """Time left at the rate so far; None where nothing has been scored yet."""
        if self._first is None or self.done <= self._first[1]:
            return None
        return (self.total - self.done) / self.rate

    @property
    def rate(self) -> float:
        """Images a second since it started or went on; 0 at first."""
        if self._first is None:
            return 0.0
        start, before = self._first
        return (self.done - before) / max(1e-9, time.monotonic() - start)

    def stop(self) -> None:
        """End after the batch at work; the same folder can go on later."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(timeout)

    def _work(self) -> None:
        try:
            while not _one_at_a_time.acquire(timeout=0.2):
                if self._stop.is_set():
                    self.state = "stopped"
                    return
            try:
                self._evaluate()
            finally:
                _one_at_a_time.release()
        except _Stopped:
            self.state = "stopped"
        except GenImageError as error:
            self.error, self.state = error, "failed"
        except Exception as error:  # a thread has nobody above it who could tell
            log.exception("an evaluation failed")
            self.error = GenImageError(
                f"the evaluation failed ({type(error).__name__}).", hint="Start it again."
            )
            self.state = "failed"

    def _evaluate(self) -> None:
        self.state = "preparing"
        self._take_note("Reading the images' contents and loading the detectors")
        work = set_up(self.wanted, self._loader)
        if self._stop.is_set():
            raise _Stopped
        self.plan, self.total = work.plan, len(work.records)
        self.note, self.state = "", "running"
        finished = engine.run(
            work.records,
            work.detectors,
            work.plan,
            self.folder,
            batch=self._batch,
            progress=self._progress,
            should_stop=self._stop.is_set,
        )
        if finished:
            write_report(self.folder)
        self.state = "finished" if finished else "stopped"

    def _take_note(self, text: str) -> None:
        if self._stop.is_set():
            raise _Stopped
        self.note = text

    def _progress(self, done: int, total: int) -> None:
        if self._first is None:
            self._first = (time.monotonic(), done)
        self.done, self.total = done, total
