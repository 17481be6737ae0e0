"""A queue for work that takes memory: as much of it runs at once as fits, first come, first served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """Shares a capacity among threads.

    Args:
        capacity: most that may be in use at once, in any unit. Work that weighs more runs alone.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._changed = threading.Condition()
        self._waiting: list[object] = []
        self._used = 0
        self._mine = threading.local()

    @contextmanager
    def take(
        self, weight: int, on_wait: Callable[[int], None] = lambda ahead: None, every: float = 0.25
    ) -> Iterator[None]:
        """Wait for a turn, and hold it; a thread that holds one already goes straight on.

        Args:
            weight: of the work, in the capacity's unit.
            on_wait: is told how many are ahead, about every `every` seconds while it waits. An error that it
                raises gives the place in the queue up.
            every: seconds.
        """
        if getattr(self._mine, "held", False):
            yield
            return
        self._queue(min(weight, self.capacity), on_wait, every)
        self._mine.held = True
        try:
            yield
        finally:
            self._mine.held = False
            with self._changed:
                self._used -= min(weight, self.capacity)
                self._changed.notify_all()

    def _queue(self, weight: int, on_wait: Callable[[int], None], every: float) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            while True:
                with self._changed:
                    ahead = self._waiting.index(ticket)
                    if ahead == 0 and self._used + weight <= self.capacity:
                        self._used += weight
                        return
                on_wait(ahead)  # outside of the lock: it may take its time, or raise
                with self._changed:
                    if self._waiting[0] is not ticket or self._used + weight > self.capacity:
                        self._changed.wait(every)
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()
