"""Stopping long work in an orderly way: a signal becomes a flag that the work reads between two steps."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any


class Stop:
    """While the `with` block runs, SIGINT and SIGTERM set `asked` instead of ending the process.

    Outside of the main thread nothing is caught: there the caller stops the work otherwise.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        with suppress(ValueError):  # not in the main thread
            for which in (signal.SIGINT, signal.SIGTERM):
                self._before[which] = signal.signal(which, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for which, handler in self._before.items():
            signal.signal(which, handler)

    def _ask(self, *_: int | FrameType | None) -> None:
        self.asked = True
