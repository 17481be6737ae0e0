"""The queue for work that takes memory: bounded, in order, and left without a trace."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from genimage_core.utils.turns import Turns


def test_no_more_runs_at_once_than_fits() -> None:
    turns, lock = Turns(10), threading.Lock()
    used, most = 0, 0

    def work(weight: int) -> None:
        nonlocal used, most
        with turns.take(weight, every=0.01):
            with lock:
                used += min(weight, 10)
                most = max(most, used)
            time.sleep(0.005)
            with lock:
                used -= min(weight, 10)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, [3, 7, 1, 10, 50, 2, 4] * 8))
    assert used == 0
    assert 7 <= most <= 10


def test_first_come_first_served_and_each_is_told_its_place() -> None:
    turns = Turns(1)
    order: list[int] = []
    places: dict[int, list[int]] = {number: [] for number in range(4)}
    first = threading.Event()

    def work(number: int) -> None:
        with turns.take(1, places[number].append, every=0.01):
            order.append(number)
            if number == 0:
                first.wait(5)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    first.set()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3]
    assert places[0] == []
    assert [places[number][0] for number in (1, 2, 3)] == [0, 1, 2]
    assert places[3] == sorted(places[3], reverse=True)


def test_who_leaves_the_queue_blocks_nobody() -> None:
    turns = Turns(1)
    held, left, done = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.take(1):
            held.set()
            left.wait(5)

    def leave() -> None:
        def away(ahead: int) -> None:
            raise RuntimeError("gone")

        with pytest.raises(RuntimeError), turns.take(1, away):
            raise AssertionError
        left.set()

    def last() -> None:
        with turns.take(1, every=0.01):
            done.set()

    threads = [threading.Thread(target=work) for work in (hold, leave, last)]
    threads[0].start()
    assert held.wait(5)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert done.is_set()


def test_an_error_in_the_work_gives_the_turn_back_and_a_turn_holds_within_itself() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="no"), turns.take(1):
        raise ValueError("no")
    with turns.take(1), turns.take(1):
        pass
    with turns.take(1):
        pass
